package bench

import (
	"os"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// A load of every kind of program leaves nothing behind, and no program ends otherwise
// than it should. How fast it is says nothing on a machine that tests share.
func TestALongLoadLeavesNothingBehind(t *testing.T) {
	cfg := config.DefaultSidecar()
	// As many are ready as run at once: else each tenth waits for the pool to shrink.
	runs, ready := 200, cfg.Pool.MaxWorkers
	if os.Getenv("CI") == "true" && !testing.Short() {
		runs, ready = 1500, cfg.Pool.MinReady
	}
	cfg.Pool.MinReady = ready
	// Limits that end nothing only because the machine is busy.
	cfg.Limits.CodeTimeout, cfg.Limits.CPUTime, cfg.Pool.QueueTimeout = waittest.Patience, waittest.Patience, waittest.Patience
	report, err := Soak(t.Context(), cfg, SoakOptions{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, tenth := range report.Tenths {
		tenth.print(&text, i+1)
	}
	report.Print(&text)
	t.Logf("%s\n%s", tenthHeader, &text)
	if len(report.Unexpected)+len(report.Leaks) > 0 {
		t.Error("it is not flat")
	}
	if len(report.Programs) != len(soakPrograms) {
		t.Errorf("%d kinds of programs ran, of %d", len(report.Programs), len(soakPrograms))
	}
}

// Each kind of program has its share of every tenth.
func TestSoakMixesAllPrograms(t *testing.T) {
	got := make([]int, len(soakPrograms))
	for _, place := range turns {
		got[place]++
	}
	for place, p := range soakPrograms {
		if got[place] != p.share {
			t.Errorf("%s has %d turns, not %d", p.name, got[place], p.share)
		}
	}
}

// An outcome that is not what the program is for is noticed, whatever is wrong with it.
func TestSoakNoticesWhatProgramsDoNotCause(t *testing.T) {
	p := &soakProgram{status: executorclient.OK, value: "2", calls: 1, output: 3}
	right := executorclient.Result{Status: executorclient.OK, Value: 2, Stdout: "abc", ToolCalls: make([]executorclient.ToolCall, 1)}
	if wrong := p.wrong(&right, nil); wrong != "" {
		t.Errorf("what is right is wrong: %s", wrong)
	}
	for name, change := range map[string]func(*executorclient.Result){
		"status": func(r *executorclient.Result) { r.Status = executorclient.Killed },
		"value":  func(r *executorclient.Result) { r.Value = 3 },
		"calls":  func(r *executorclient.Result) { r.ToolCalls = nil },
		"output": func(r *executorclient.Result) { r.Stdout = "" },
	} {
		got := right
		change(&got)
		if p.wrong(&got, nil) == "" {
			t.Errorf("another %s is not noticed", name)
		}
	}
}

// What grows, stays behind or gets slower makes a soak fail; a little noise does not.
func TestSoakTellsFlatFromGrowing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(place int, tenth *Tenth)
		want   string
	}{
		"flat":                {func(int, *Tenth) {}, ""},
		"noise":               {func(i int, t *Tenth) { t.Resident += int64(i%2) << 20; t.Descriptors += i % 3 }, ""},
		"the first is small":  {func(i int, t *Tenth) { t.Resident = 100<<20 - int64(9-i)/9*(50<<20) }, ""},
		"zombies":             {func(i int, t *Tenth) { t.Zombies = i / 9 }, "1 zombies after tenth 10"},
		"descriptors":         {func(i int, t *Tenth) { t.Descriptors += 3 * i }, "descriptors went from 23 to 47"},
		"goroutines":          {func(i int, t *Tenth) { t.Goroutines += 3 * i }, "goroutines went"},
		"processes":           {func(i int, t *Tenth) { t.Processes += i / 9 }, "processes went"},
		"memory":              {func(i int, t *Tenth) { t.Resident += int64(i) * 4 << 20 }, "memory of this process"},
		"a fork server's":     {func(i int, t *Tenth) { t.ForkServers += int64(i) * 4 << 20 }, "memory of the fork servers"},
		"idle workers'":       {func(i int, t *Tenth) { t.Workers += int64(i) * 4 << 20 }, "memory of idle workers"},
		"the slowest percent": {func(i int, t *Tenth) { t.P99 += 3 * float64(i) }, "the 99th percentile went from 10.0 to 37.0 ms"},
	} {
		r := &SoakReport{}
		for i := range tenths {
			tenth := Tenth{Runs: enoughForP99, P99: 10, Resident: 100 << 20, ForkServers: 50 << 20, Workers: 10 << 20, Descriptors: 20, Goroutines: 30, Processes: 5}
			c.change(i, &tenth)
			r.Tenths = append(r.Tenths, tenth)
		}
		r.judge()
		said := strings.Join(append(r.Leaks, r.Slower...), "\n")
		if c.want == "" && !r.Flat() || !strings.Contains(said, c.want) || c.want != "" && r.Flat() {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
	}
}
