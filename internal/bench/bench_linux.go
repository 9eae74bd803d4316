package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/sidecar"
)

type bench struct {
	Options
	*executor
	cfg    config.SidecarConfig
	python string
	report Report

	// What later figures are held against.
	fork           Figure
	rate8, openP50 float64
}

func (b *bench) add(f Figure) Figure {
	b.report.Figures = append(b.report.Figures, f)
	b.tell("%s", f)
	return f
}

func (b *bench) addTimes(name string, s sample) Figure {
	return b.add(Figure{Name: name, P50: milliseconds(s.at(0.5)), P99: milliseconds(s.at(0.99)), Count: len(s)})
}

func (b *bench) ratio(name, floor string, got, of, goal float64, atLeast bool) {
	b.report.Ratios = append(b.report.Ratios, Ratio{Name: name, Floor: floor, Ratio: got / of, Goal: goal, AtLeast: atLeast})
}

// compare reports a ratio for which there is no goal: it says what a goal can be.
func (b *bench) compare(name, floor string, got, of float64) {
	b.report.Ratios = append(b.report.Ratios, Ratio{Name: name, Floor: floor, Ratio: got / of})
}

func (b *bench) skip(format string, args ...any) {
	b.report.Skipped = append(b.report.Skipped, fmt.Sprintf(format, args...))
}

func (b *bench) tell(format string, args ...any) {
	if b.Progress != nil {
		fmt.Fprintf(b.Progress, format+"\n", args...)
	}
}

// Run measures an executor of its own, over a unix socket, with the configuration cfg.
func Run(ctx context.Context, cfg config.SidecarConfig, o Options) (_ *Report, err error) {
	if o.Runs == 0 {
		o.Runs = 300
	}
	b := &bench{Options: o, cfg: cfg}
	// Before anything of ours uses the machine.
	quiet, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	python, err := cpython.Find(ctx, cfg.Python, cfg.CacheDir)
	if err != nil {
		return nil, err
	}
	b.python = python.Executable
	if err := b.measureFloors(ctx); err != nil {
		return nil, err
	}
	if err := b.measureStarts(ctx); err != nil {
		return nil, err
	}
	if b.executor, err = start(ctx, cfg, sidecar.New); err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{
		b.measureMemory, b.measureExecutions, b.measureCalls, b.measureValues, b.measureCancels, b.measureKills,
	} {
		if err := part(ctx); err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	if err := b.close(); err != nil {
		return nil, err
	}
	if err := b.measurePandas(ctx); err != nil {
		return nil, err
	}
	if o.WithoutSandbox {
		if err := b.measureWithout(ctx); err != nil {
			return nil, err
		}
	}
	again, _, err := forkLoops(ctx, b.python, b.Runs, 1)
	if err != nil {
		return nil, err
	}
	if drift := milliseconds(again.at(0.5)) / b.fork.P50; drift > 1.25 || drift < 0.8 {
		quiet.heard("the fork floor went from %.2f to %.2f ms during the run", b.fork.P50, milliseconds(again.at(0.5)))
	}
	b.report.Noise, err = quiet.end()
	b.report.Noisy = len(b.report.Noise) > 0
	return &b.report, err
}

func (b *bench) measureFloors(ctx context.Context) error {
	started, err := startFloor(ctx, b.python, max(b.Runs/10, 10))
	if err != nil {
		return err
	}
	b.addTimes("floor: plain interpreter start", started)
	return nil
}

// measureStarts times what a newcomer's first program takes: from codemode.New, with the
// executor inside this process, to the result.
func (b *bench) measureStarts(ctx context.Context) error {
	got := make(sample, max(b.Runs/30, 5))
	for i := range got {
		whole := config.Default()
		whole.Executor.Python, whole.Executor.CacheDir = b.cfg.Python, b.cfg.CacheDir
		begun := time.Now()
		cm, err := codemode.New(codemode.Options{Config: whole})
		if err != nil {
			return err
		}
		result, err := cm.Execute(ctx, "1+1")
		got[i] = time.Since(begun)
		if err == nil && result.Status != codemode.StatusOK {
			err = errors.New(result.Text())
		}
		if err := errors.Join(err, cm.Close()); err != nil {
			return err
		}
	}
	b.addTimes("cold start, embedded, to the first result", got)
	return nil
}

// measurePandas compares a program that imports what its executor has preloaded with the
// same one without the import, taking turns.
func (b *bench) measurePandas(ctx context.Context) (err error) {
	cfg := b.cfg
	cfg.Limits.Memory = max(cfg.Limits.Memory, 1<<30)
	e, err := start(ctx, cfg, sidecar.New)
	if err != nil {
		return err
	}
	found, err := e.run(ctx, "import importlib.util\nimportlib.util.find_spec('pandas') is not None")
	if err := errors.Join(err, e.close()); err != nil {
		return err
	}
	if found.Value != true {
		b.skip("import pandas, preloaded: %s has no pandas; --python names an interpreter that has", b.python)
		return nil
	}
	cfg.Pool.Preload = []string{"numpy", "pandas"}
	if e, err = start(ctx, cfg, sidecar.New); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	var with, without sample
	for range max(b.Runs/2, 20) {
		for _, turn := range []struct {
			code string
			into *sample
		}{{"1+1", &without}, {"import pandas\n1+1", &with}} {
			begun := time.Now()
			if _, err := e.run(ctx, turn.code); err != nil {
				return err
			}
			*turn.into = append(*turn.into, time.Since(begun))
		}
	}
	plain := b.addTimes("pandas preloaded: a program without it", without)
	imported := b.addTimes("pandas preloaded: the same with import pandas", with)
	b.ratio("import pandas, preloaded", "the same run without", imported.P50, plain.P50, 1.2, false)
	return nil
}

// measureWithout repeats with bare workers what the sandbox could slow down.
func (b *bench) measureWithout(ctx context.Context) (err error) {
	b.tell("the same executor with every layer of the sandbox OFF:")
	cfg := b.cfg
	cfg.Sandbox = config.Sandbox{Require: config.RequireUnsafeNone}
	if b.executor, err = start(ctx, cfg, sidecar.NewWithoutSandbox); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	open, err := b.openLoop(ctx, b.rate8/3)
	if err != nil {
		return err
	}
	bare := b.addTimes("no sandbox: Execute(\"1+1\"), open loop", open)
	took, rate, err := b.throughput(ctx, 8)
	if err != nil {
		return err
	}
	b.addRate("no sandbox: Execute(\"1+1\"), 8 in flight", took, rate)
	b.ratio("Execute, open loop", "without a sandbox", b.openP50, bare.P50, 1.1, false)
	b.ratio("Execute per second, 8 in flight", "without a sandbox", b.rate8, rate, 0.6, true)
	return nil
}
