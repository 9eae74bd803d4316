package bench

import (
	"fmt"
	"io"
	"time"
)

// SoakOptions say how long to load an executor.
type SoakOptions struct {
	// Runs is how many programs run in all, at least 100.
	Runs int
	// InFlight is how many run at once. If zero, 8.
	InFlight int
	// Progress is told what each tenth was like. If nil, nobody is.
	Progress io.Writer
}

// A Tenth is what a tenth of the programs was like. Memory and the counts after it are
// taken when the executor has come to rest.
type Tenth struct {
	Runs      int     `json:"runs"`
	PerSecond float64 `json:"per_second"`
	// P50 and P99 are of the programs that neither wait nor are ended by a limit, in
	// milliseconds.
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	// Resident is the memory of this process, which is client and executor; ForkServers
	// and Workers are theirs, shared pages counted once, pages of files left out: the kernel
	// drops those when it likes. In bytes. -1 where only root may
	// read it.
	Resident    int64 `json:"resident_bytes"`
	ForkServers int64 `json:"fork_servers_bytes"`
	Workers     int64 `json:"workers_bytes"`
	// Descriptors are open in this process and in the fork servers.
	Descriptors int `json:"descriptors"`
	Goroutines  int `json:"goroutines"`
	// Processes are below this one; Zombies among them have ended and nobody took notice.
	Processes int `json:"processes"`
	Zombies   int `json:"zombies"`
	// Unexpected counts outcomes that the programs did not cause.
	Unexpected int `json:"unexpected"`
}

// A SoakReport tells how an executor fared under a long load.
type SoakReport struct {
	Tenths []Tenth `json:"tenths"`
	// Programs counts the runs of each program.
	Programs map[string]int `json:"programs"`
	Seconds  float64        `json:"seconds"`
	// Unexpected describes the first outcomes that the programs did not cause.
	Unexpected []string `json:"unexpected,omitempty"`
	// Leaks says what grew or stayed behind, Slower how the time of programs changed. All
	// is well without any.
	Leaks  []string `json:"leaks,omitempty"`
	Slower []string `json:"slower,omitempty"`
}

// Flat says that nothing went wrong, nothing grew and nothing got slower.
func (r *SoakReport) Flat() bool { return len(r.Unexpected)+len(r.Leaks)+len(r.Slower) == 0 }

// Bounds on how the last tenths may differ from the first ones.
const (
	moreDescriptors = 8
	moreGoroutines  = 16
	moreMemory      = 0.1 // of what it was
	memoryGrain     = 8 << 20
	slower          = 2.0 // times, the 99th percentile
	slownessGrain   = 5.0 // ms
	enoughForP99    = 1000
)

// judge compares the last tenths with the first.
func (r *SoakReport) judge() {
	leak := func(format string, args ...any) { r.Leaks = append(r.Leaks, fmt.Sprintf(format, args...)) }
	// The first fills caches.
	first, last := r.Tenths[1], r.Tenths[len(r.Tenths)-1]
	for i, t := range r.Tenths {
		if t.Zombies > 0 {
			leak("%d zombies after tenth %d", t.Zombies, i+1)
		}
	}
	if last.Descriptors > first.Descriptors+moreDescriptors {
		leak("descriptors went from %d to %d", first.Descriptors, last.Descriptors)
	}
	if last.Goroutines > first.Goroutines+moreGoroutines {
		leak("goroutines went from %d to %d", first.Goroutines, last.Goroutines)
	}
	if last.Processes > first.Processes {
		leak("processes went from %d to %d", first.Processes, last.Processes)
	}
	for _, kind := range []struct {
		name string
		of   func(Tenth) int64
	}{
		{"memory of this process", func(t Tenth) int64 { return t.Resident }},
		{"memory of the fork servers", func(t Tenth) int64 { return t.ForkServers }},
		{"memory of idle workers", func(t Tenth) int64 { return t.Workers }},
	} {
		before, after := mean(r.Tenths[1:4], kind.of), mean(r.Tenths[len(r.Tenths)-3:], kind.of)
		if after > before*(1+moreMemory)+memoryGrain {
			leak("%s went from %.0f to %.0f MiB", kind.name, before/(1<<20), after/(1<<20))
		}
	}
	if last.Runs >= enoughForP99 && last.P99 > slower*r.Tenths[0].P99+slownessGrain {
		r.Slower = append(r.Slower, fmt.Sprintf("the 99th percentile went from %.1f to %.1f ms", r.Tenths[0].P99, last.P99))
	}
}

func mean(tenths []Tenth, of func(Tenth) int64) float64 {
	sum := 0.0
	for _, t := range tenths {
		sum += float64(of(t))
	}
	return sum / float64(len(tenths))
}

const tenthHeader = "tenth    runs  per s   p50 ms   p99 ms  this MiB  forks MiB  workers MiB  descr.  gorout.  proc.  zombies  unexpected"

func (t Tenth) print(w io.Writer, place int) {
	mib := func(bytes int64) float64 { return float64(bytes) / (1 << 20) }
	fmt.Fprintf(w, "%5d  %6d  %5.0f  %7.2f  %7.2f  %8.1f  %9.1f  %11.1f  %6d  %7d  %5d  %7d  %10d\n",
		place, t.Runs, t.PerSecond, t.P50, t.P99, mib(t.Resident), mib(t.ForkServers), mib(t.Workers),
		t.Descriptors, t.Goroutines, t.Processes, t.Zombies, t.Unexpected)
}

// Print writes what the tenths come to, as a person reads it.
func (r *SoakReport) Print(w io.Writer) {
	runs := 0
	for _, t := range r.Tenths {
		runs += t.Runs
	}
	fmt.Fprintf(w, "%d programs in %s\n", runs, time.Duration(r.Seconds*float64(time.Second)).Round(time.Second))
	for _, what := range []struct {
		title string
		lines []string
	}{{"NOT the program's doing", r.Unexpected}, {"LEAKED", r.Leaks}, {"SLOWER", r.Slower}} {
		for _, text := range what.lines {
			fmt.Fprintf(w, "%s: %s\n", what.title, text)
		}
	}
	if r.Flat() {
		fmt.Fprintln(w, "flat: no error but the programs' own, nothing grew, nothing stayed behind, p99 is stable")
	}
}
