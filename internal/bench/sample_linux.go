package bench

import (
	"slices"
	"time"
)

// A sample is what was measured of one thing.
type sample []time.Duration

func (s sample) at(quantile float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(quantile*float64(len(sorted))))]
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// rest is how long a processor has nothing to do before it is woken in a figure "after a
// rest": long enough for it to have gone to sleep.
const rest = 3 * time.Millisecond

// measure times do, after some times that do not count, with a pause before each.
func measure(count int, pause time.Duration, do func() error) (sample, error) {
	for range min(count, 20) {
		if err := do(); err != nil {
			return nil, err
		}
	}
	got := make(sample, count)
	for i := range got {
		if pause > 0 {
			time.Sleep(pause)
		}
		begun := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		got[i] = time.Since(begun)
	}
	return got, nil
}

// ofSeconds makes a sample of what a program measured.
func ofSeconds(seconds []float64) sample {
	got := make(sample, len(seconds))
	for i, s := range seconds {
		got[i] = time.Duration(s * float64(time.Second))
	}
	return got
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
