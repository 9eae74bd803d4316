package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// quiet watches whether anything but the benchmark uses the machine.
type quiet struct {
	begun processorTimes
	noise []string
}

// Bounds on what a machine may have to do beside a benchmark.
const (
	busyShare  = 0.25 // of all processors, in the moment before it begins
	stealShare = 0.02 // of all processors, taken by other virtual machines
)

// listen looks at the machine before the benchmark begins.
func listen(ctx context.Context) (*quiet, error) {
	before, err := readProcessorTimes()
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(300 * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	q := &quiet{}
	if q.begun, err = readProcessorTimes(); err != nil {
		return nil, err
	}
	moment := q.begun.since(before)
	if busy := moment.share(moment.busy); busy > busyShare {
		q.heard("%.0f%% of the processors were in use before it began", 100*busy)
	}
	if steal := moment.share(moment.steal); steal > stealShare {
		q.heard("%.0f%% of the processors' time went to other virtual machines before it began", 100*steal)
	}
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return nil, fmt.Errorf("/proc/loadavg: %w", err)
	}
	if load > float64(runtime.NumCPU())/2 {
		q.heard("the load average was %.1f on %d processors when it began", load, runtime.NumCPU())
	}
	return q, nil
}

func (q *quiet) heard(format string, args ...any) {
	q.noise = append(q.noise, fmt.Sprintf(format, args...))
}

// end gives all that was heard.
func (q *quiet) end() ([]string, error) {
	now, err := readProcessorTimes()
	if err != nil {
		return nil, err
	}
	whole := now.since(q.begun)
	if steal := whole.share(whole.steal); steal > stealShare {
		q.heard("%.0f%% of the processors' time went to other virtual machines meanwhile", 100*steal)
	}
	return q.noise, nil
}

// processorTimes are sums over all processors, in ticks; see proc_stat(5).
type processorTimes struct{ busy, steal, total float64 }

func readProcessorTimes() (t processorTimes, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t, err
	}
	fields := strings.Fields(line(text, "cpu "))
	if len(fields) < 8 {
		return t, errors.New("/proc/stat has no line of all processors")
	}
	for i, field := range fields[:8] { // user nice system idle iowait irq softirq steal
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return t, fmt.Errorf("/proc/stat: %w", err)
		}
		t.total += ticks
		switch i {
		case 3, 4:
		case 7:
			t.steal += ticks
		default:
			t.busy += ticks
		}
	}
	return t, nil
}

func (t processorTimes) since(before processorTimes) processorTimes {
	return processorTimes{t.busy - before.busy, t.steal - before.steal, t.total - before.total}
}

func (t processorTimes) share(part float64) float64 {
	if t.total == 0 {
		return 0
	}
	return part / t.total
}
