// Package bench measures the executor beside the floors of the same machine, in the same
// run: a ratio says something where a time does not. Run measures how fast it is, Soak
// whether it stays as it is under a long load.
package bench

import (
	"fmt"
	"io"
)

// Options say how long to measure.
type Options struct {
	// Runs is how often each figure is taken. If zero, 300.
	Runs int
	// WithoutSandbox measures the executor once more with every layer of the sandbox off,
	// for what the layers cost.
	WithoutSandbox bool
	// Progress is told what is measured now. If nil, nobody is.
	Progress io.Writer
}

// A Figure is one thing that was measured.
type Figure struct {
	Name string `json:"name"`
	// P50 and P99 are in milliseconds; zero where the figure is no time.
	P50 float64 `json:"p50_ms,omitempty"`
	P99 float64 `json:"p99_ms,omitempty"`
	// PerSecond is a rate; zero where the figure is none.
	PerSecond float64 `json:"per_second,omitempty"`
	// Bytes is a size; zero where the figure is none.
	Bytes int64 `json:"bytes,omitempty"`
	// Count is how many measurements it is made of.
	Count int `json:"count"`
}

// A Ratio is a figure against its floor.
type Ratio struct {
	Name  string  `json:"name"`
	Floor string  `json:"floor"`
	Ratio float64 `json:"ratio"`
	// Goal is zero where the ratio is for comparison.
	Goal float64 `json:"goal,omitempty"`
	// AtLeast is true if more is better.
	AtLeast bool `json:"at_least,omitempty"`
}

// Met says whether the goal was reached, if there is one.
func (r Ratio) Met() bool {
	return r.Goal == 0 || r.AtLeast == (r.Ratio > r.Goal) || r.Ratio == r.Goal
}

// A Report is everything that was measured.
type Report struct {
	Figures []Figure `json:"figures"`
	Ratios  []Ratio  `json:"ratios"`
	// Skipped says what could not be measured here, and why.
	Skipped []string `json:"skipped,omitempty"`
	// Noisy is true if something else used the machine meanwhile: then the ratios mean
	// little. Noise says what was seen.
	Noisy bool     `json:"noisy"`
	Noise []string `json:"noise,omitempty"`
}

func (f Figure) String() string {
	line := fmt.Sprintf("%-48s", f.Name)
	if f.P50 != 0 || f.P99 != 0 {
		line += fmt.Sprintf("  p50 %9.3f ms  p99 %9.3f ms", f.P50, f.P99)
	}
	if f.PerSecond != 0 {
		line += fmt.Sprintf("  %9.0f per second", f.PerSecond)
	}
	if f.Bytes != 0 {
		line += fmt.Sprintf("  %9.2f MiB", float64(f.Bytes)/(1<<20))
	}
	return line
}

// Print writes what the figures come to, as a person reads it.
func (r *Report) Print(w io.Writer) {
	for _, ratio := range r.Ratios {
		sign, verdict := "<=", "met"
		if ratio.AtLeast {
			sign = ">="
		}
		if !ratio.Met() {
			verdict = "MISSED"
		}
		if ratio.Goal == 0 {
			fmt.Fprintf(w, "%-36s %6.2fx of %s\n", ratio.Name, ratio.Ratio, ratio.Floor)
			continue
		}
		fmt.Fprintf(w, "%-36s %6.2fx of %-28s goal %s %.2fx  %s\n", ratio.Name, ratio.Ratio, ratio.Floor, sign, ratio.Goal, verdict)
	}
	for _, skipped := range r.Skipped {
		fmt.Fprintf(w, "not measured: %s\n", skipped)
	}
	for _, noise := range r.Noise {
		fmt.Fprintf(w, "NOISY, measure again on an idle machine: %s\n", noise)
	}
}
