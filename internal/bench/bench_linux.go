// Package bench measures the executor beside the floors of the same machine, in the same
// run: a ratio says something where a time does not.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar"
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
}

// A Ratio is a figure against its floor.
type Ratio struct {
	Name  string  `json:"name"`
	Floor string  `json:"floor"`
	Ratio float64 `json:"ratio"`
	Goal  float64 `json:"goal"`
	// AtLeast is true if more is better.
	AtLeast bool `json:"at_least,omitempty"`
}

// Met says whether the goal was reached.
func (r Ratio) Met() bool { return r.AtLeast == (r.Ratio > r.Goal) || r.Ratio == r.Goal }

// A Report is everything that was measured.
type Report struct {
	Figures []Figure `json:"figures"`
	Ratios  []Ratio  `json:"ratios"`
	// Noisy is true if the fork floor moved by more than a quarter between the beginning
	// of the run and its end: then the ratios mean little.
	Noisy bool `json:"noisy"`
}

type sample []time.Duration

func (s sample) at(quantile float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(quantile*float64(len(sorted))))]
}

func measure(count int, do func() error) (sample, error) {
	for range min(count, 20) {
		if err := do(); err != nil {
			return nil, err
		}
	}
	got := make(sample, count)
	for i := range got {
		begun := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		got[i] = time.Since(begun)
	}
	return got, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

type bench struct {
	Options
	report Report
	client *executorclient.Client
	tools  *registry.Registry

	// Kept for measureWithout.
	arrivals, rate8, openP50 float64
}

func (b *bench) add(name string, s sample) Figure {
	f := Figure{Name: name, P50: milliseconds(s.at(0.5)), P99: milliseconds(s.at(0.99))}
	b.report.Figures = append(b.report.Figures, f)
	b.tell("%-44s p50 %8.3f ms   p99 %8.3f ms", name, f.P50, f.P99)
	return f
}

func (b *bench) addRate(name string, perSecond float64) {
	b.report.Figures = append(b.report.Figures, Figure{Name: name, PerSecond: perSecond})
	b.tell("%-44s %12.0f per second", name, perSecond)
}

func (b *bench) ratio(name, floor string, got, of, goal float64, atLeast bool) {
	r := Ratio{Name: name, Floor: floor, Ratio: got / of, Goal: goal, AtLeast: atLeast}
	b.report.Ratios = append(b.report.Ratios, r)
}

func (b *bench) tell(format string, args ...any) {
	if b.Progress != nil {
		fmt.Fprintf(b.Progress, format+"\n", args...)
	}
}

// Run measures an executor of its own, over a unix socket, with the configuration cfg.
func Run(ctx context.Context, cfg config.SidecarConfig, o Options) (*Report, error) {
	if o.Runs == 0 {
		o.Runs = 300
	}
	b := &bench{Options: o, tools: registry.New()}
	python, err := cpython.Find(ctx, cfg.Python, cfg.CacheDir)
	if err != nil {
		return nil, err
	}
	if err := b.registerTools(); err != nil {
		return nil, err
	}
	close, err := b.start(ctx, cfg, sidecar.New)
	if err != nil {
		return nil, err
	}
	err = errors.Join(b.measureAll(ctx, python.Executable), close())
	if err == nil && o.WithoutSandbox {
		err = b.measureWithout(ctx, cfg)
	}
	return &b.report, err
}

// measureWithout repeats with bare workers what the sandbox could slow down.
func (b *bench) measureWithout(ctx context.Context, cfg config.SidecarConfig) error {
	b.tell("the same executor with every layer of the sandbox OFF:")
	cfg.Sandbox = config.Sandbox{Require: config.RequireUnsafeNone}
	close, err := b.start(ctx, cfg, sidecar.NewWithoutSandbox)
	if err != nil {
		return err
	}
	open, err := b.openLoop(ctx, b.arrivals)
	if err != nil {
		return errors.Join(err, close())
	}
	bare := b.add("no sandbox: Execute(\"1+1\"), open loop", open)
	rate, err := b.throughput(ctx, 8)
	if err != nil {
		return errors.Join(err, close())
	}
	b.addRate("no sandbox: Execute(\"1+1\"), 8 in flight", rate)
	b.ratio("Execute, open loop", "without a sandbox", b.openP50, bare.P50, 1.1, false)
	b.ratio("Execute per second, 8 in flight", "without a sandbox", b.rate8, rate, 0.6, true)
	return close()
}

func (b *bench) registerTools() error {
	return errors.Join(
		registry.Func(b.tools, "echo", "", func(_ context.Context, in struct{ X any }) (any, error) { return in.X, nil }),
		registry.Func(b.tools, "size", "", func(_ context.Context, in struct{ X string }) (int, error) { return len(in.X), nil }),
		registry.Func(b.tools, "text", "", func(_ context.Context, in struct{ N int }) (string, error) { return strings.Repeat("x", in.N), nil }),
		registry.Stream(b.tools, "rows", "", func(_ context.Context, in struct{ N int }) iter.Seq2[benchRow, error] {
			return func(yield func(benchRow, error) bool) {
				for i := range in.N {
					if !yield(benchRow{i, "a short name", 0.5}, nil) {
						return
					}
				}
			}
		}),
		registry.Func(b.tools, "slow", "", func(ctx context.Context, _ struct{}) (bool, error) {
			select {
			case <-time.After(50 * time.Millisecond):
				return true, nil
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}),
	)
}

// benchRow is a small row: 41 bytes when encoded.
type benchRow struct {
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Score float64 `json:"score"`
}

// start serves an executor on a unix socket and connects to it as an application would.
func (b *bench) start(ctx context.Context, cfg config.SidecarConfig,
	make func(context.Context, config.SidecarConfig, *slog.Logger) (*sidecar.Server, error),
) (func() error, error) {
	dir, err := os.MkdirTemp("", "codemode-bench-")
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", filepath.Join(dir, "executor"))
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	server, err := make(ctx, cfg, nil)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), os.RemoveAll(dir))
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			b.tell("the executor stopped: %v", err)
		}
	})
	b.client, err = executorclient.Dial(executorclient.Options{Address: "unix://" + listener.Addr().String()})
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	if err := b.execute(ctx); err != nil {
		return nil, errors.Join(err, b.client.Close(), server.Close())
	}
	b.add("cold start of the executor to first result", sample{time.Since(begun)})
	return func() error {
		err := errors.Join(b.client.Close(), server.Close(), os.RemoveAll(dir))
		serving.Wait()
		return err
	}, nil
}

// execute runs the smallest program.
func (b *bench) execute(ctx context.Context) error {
	const code = "1+1"
	result, err := b.client.Execute(ctx, executorclient.Request{Code: code, Tools: b.tools})
	if err != nil {
		return err
	}
	if result.Status != executorclient.OK {
		return fmt.Errorf("%q: %s: %+v", code, result.Status, result.Error)
	}
	return nil
}

func (b *bench) measureAll(ctx context.Context, python string) error {
	fork, forkRate, err := forkFloor(ctx, python, b.Runs)
	if err != nil {
		return err
	}
	floor := b.add("floor: fork + run + wait, warm CPython", fork)
	b.addRate("floor: the same on all cores", forkRate)
	started, err := startFloor(ctx, python, b.Runs/10)
	if err != nil {
		return err
	}
	b.add("floor: plain interpreter start", started)
	socket, err := socketFloor(ctx, python, 10*b.Runs)
	if err != nil {
		return err
	}
	socketTrip := b.add("floor: socket pair round trip, CPython", socket)
	stream, err := grpcFloor(ctx, 10*b.Runs)
	if err != nil {
		return err
	}
	grpcTrip := b.add("floor: gRPC stream round trip", stream)

	back, err := measure(b.Runs, func() error { return b.execute(ctx) })
	if err != nil {
		return err
	}
	backToBack := b.add("Execute(\"1+1\"), back to back", back)
	b.ratio("Execute, back to back", "fork", backToBack.P50, floor.P50, 1.2, false)
	rates := map[int]float64{}
	for _, callers := range []int{1, 2, 8, 32} {
		rate, err := b.throughput(ctx, callers)
		if err != nil {
			return err
		}
		rates[callers] = rate
		b.addRate(fmt.Sprintf("Execute(\"1+1\"), %d in flight", callers), rate)
	}
	b.ratio("Execute per second, 8 in flight", "forks per second", rates[8], forkRate, 0.7, true)
	b.rate8, b.arrivals = rates[8], rates[8]/3
	open, err := b.openLoop(ctx, b.arrivals)
	if err != nil {
		return err
	}
	openLoop := b.add("Execute(\"1+1\"), open loop at a third", open)
	b.openP50 = openLoop.P50
	b.ratio("Execute, open loop", "fork", openLoop.P50, floor.P50, 0.3, false)

	call, err := b.insideProgram(ctx, "for _ in range(50): tools.echo(1)\nimport time\nts = []\nfor _ in range(N):\n    t = time.perf_counter()\n    tools.echo(1)\n    ts.append(time.perf_counter() - t)\nts", 800)
	if err != nil {
		return err
	}
	toolCall := b.add("one tool call, Python to Go and back", call)
	b.ratio("one tool call", "gRPC + socket round trip", toolCall.P50, socketTrip.P50+grpcTrip.P50, 1.3, false)
	gather, err := b.insideProgram(ctx, "import asyncio, time\nts = []\nfor _ in range(N):\n    t = time.perf_counter()\n    await asyncio.gather(*[tools.slow.arun() for _ in range(100)])\n    ts.append(time.perf_counter() - t)\nts", 9)
	if err != nil {
		return err
	}
	gathered := b.add("100 tool calls of 50 ms, gathered", gather)
	b.ratio("100 tool calls of 50 ms", "50 ms", gathered.P50, 50, 1.5, false)
	for _, size := range []struct{ what, expression string }{
		{"1 MiB argument", "tools.size(x)"}, {"1 MiB result", "tools.text(1 << 20)"},
	} {
		took, err := b.insideProgram(ctx, "import time\nx = 'x' * (1 << 20)\nts = []\nfor _ in range(N):\n    t = time.perf_counter()\n    "+size.expression+"\n    ts.append(time.perf_counter() - t)\nts", 50)
		if err != nil {
			return err
		}
		b.add(size.what, took)
	}
	const rows = 100_000
	streamed, err := b.insideProgram(ctx, fmt.Sprintf("import time\nts = []\nfor _ in range(N):\n    t = time.perf_counter()\n    for row in tools.rows(%d): pass\n    ts.append(time.perf_counter() - t)\nts", rows), 5)
	if err != nil {
		return err
	}
	b.addRate("rows of a streaming tool, read in a loop", rows/streamed.at(0.5).Seconds())
	cancelled, err := b.cancels(ctx, max(b.Runs/10, 20))
	if err != nil {
		return err
	}
	gone := b.add("cancel to Execute returned", cancelled)
	b.ratio("cancel to gone, p99", "20 ms", gone.P99, 20, 1, false)

	again, _, err := forkLoops(ctx, python, b.Runs, 1)
	if err != nil {
		return err
	}
	drift := milliseconds(again.at(0.5)) / floor.P50
	b.report.Noisy = drift > 1.25 || drift < 0.8
	return nil
}

// throughput gives executions per second with so many callers, each one after another.
func (b *bench) throughput(ctx context.Context, callers int) (float64, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	each := max(1, 2*b.Runs/callers)
	begun := time.Now()
	for range callers {
		wg.Go(func() {
			for range each {
				if err := b.execute(ctx); err != nil {
					mu.Lock()
					failure = err
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(callers*each) / time.Since(begun).Seconds(), failure
}

// openLoop sends executions at random moments, perSecond on average, whether or not the
// ones before have come back: that is how requests arrive.
func (b *bench) openLoop(ctx context.Context, perSecond float64) (sample, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	var got sample
	next := time.Now()
	gaps := rand.New(rand.NewPCG(1, 2)) // the same arrivals in every run
	for range 2 * b.Runs {
		next = next.Add(time.Duration(gaps.ExpFloat64() / perSecond * float64(time.Second)))
		time.Sleep(time.Until(next))
		wg.Go(func() {
			begun := time.Now()
			err := b.execute(ctx)
			took := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			got = append(got, took)
			if err != nil {
				failure = err
			}
		})
	}
	wg.Wait()
	return got, failure
}

// insideProgram runs code that measures itself: N times, giving seconds.
func (b *bench) insideProgram(ctx context.Context, code string, count int) (sample, error) {
	result, err := b.client.Execute(ctx, executorclient.Request{
		Code: strings.ReplaceAll(code, "(N)", fmt.Sprintf("(%d)", count)), Tools: b.tools,
	})
	if err != nil {
		return nil, err
	}
	if result.Status != executorclient.OK {
		return nil, fmt.Errorf("%s: %+v", result.Status, result.Error)
	}
	var seconds []float64
	if err := result.Decode(&seconds); err != nil {
		return nil, err
	}
	got := make(sample, len(seconds))
	for i, s := range seconds {
		got[i] = time.Duration(s * float64(time.Second))
	}
	return got, nil
}

// cancels times from the cancel of a busy program to the return of Execute.
func (b *bench) cancels(ctx context.Context, count int) (sample, error) {
	var got sample
	for range count {
		ctx, cancel := context.WithCancel(ctx)
		var begun time.Time
		result, err := b.client.Execute(ctx, executorclient.Request{
			Code: "print(1)\nwhile True: pass",
			OnEvent: func(executorclient.Event) {
				begun = time.Now()
				cancel()
			},
		})
		cancel()
		if result.Status != executorclient.Cancelled {
			return nil, fmt.Errorf("a cancelled run ended with %s: %w", result.Status, err)
		}
		got = append(got, time.Since(begun))
	}
	return got, nil
}

// Print writes the report as a person reads it.
func (r *Report) Print(w io.Writer) {
	for _, ratio := range r.Ratios {
		sign, verdict := "<=", "met"
		if ratio.AtLeast {
			sign = ">="
		}
		if !ratio.Met() {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "%-34s %6.2fx of %-26s goal %s %.2fx  %s\n", ratio.Name, ratio.Ratio, ratio.Floor, sign, ratio.Goal, verdict)
	}
	if r.Noisy {
		fmt.Fprintln(w, "The machine was noisy: the fork floor moved by more than a quarter during the run.")
	}
}
