package sidecar

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar/cgroup"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// start carries out the strongest plan that works here.
func (p *pool) start(ctx context.Context) error {
	limits := p.cfg.Limits
	options := sandbox.Options{
		ReadPaths: p.python.ReadPaths,
		Warm:      warmModules,
		Preload:   p.cfg.Pool.Preload,
		Workers:   p.cfg.Pool.MaxWorkers + p.cfg.Pool.MinReady,
		Sessions:  p.cfg.Sessions.Max > 0,
		Limits: sandbox.Limits{
			MemoryBytes: limits.Memory, CPUSeconds: int64((limits.CPUTime + time.Second - 1) / time.Second),
			Threads: int64(limits.Threads), Processors: int64(limits.Processors), OpenFiles: int64(limits.OpenFiles),
			FileBytes: limits.FileSize, ScratchBytes: limits.ScratchSize,
			ScratchFiles: int64(limits.ScratchFiles),
		},
		Files:    filesOf(p.cfg),
		Commands: p.cfg.Execution.AllowedCommands,
		Network:  p.cfg.Network.Mode,
		Bare:     p.bare,
	}
	if err := options.Resolve(); err != nil {
		return err
	}
	if !p.bare {
		p.groups, options.NoCgroups = cgroup.Open(len(options.Commands) > 0)
		options.Cgroups = p.groups
	}
	var stronger *sandbox.Plan
	var cause error
	for _, plan := range sandbox.Plans(options) {
		if stronger != nil {
			plan.Weaken(stronger, cause)
		}
		if err := requirement(p.cfg.Sandbox).Check(plan.Layers); err != nil {
			return err
		}
		if err := plan.Refusal(cause); err != nil {
			return err
		}
		worker, err := p.try(ctx, plan)
		if err == nil {
			p.plan = plan
			p.ready = append(p.ready, worker)
			p.mu.Lock()
			p.fill()
			p.mu.Unlock()
			return nil
		}
		if fault.CodeOf(err) == fault.Config || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if ctx.Err() != nil {
			return fault.Wrap(fault.Cancelled, ctx.Err(), "the executor was not started")
		}
		stronger, cause = plan, err
	}
	return fault.Wrap(fault.Sandbox, cause, "no sandbox can be set up here").
		WithRemedy("codemode doctor shows every layer and what is in its way")
}

// slow is of what took too long. That does not say that a plan cannot be carried out, so
// that no weaker one is tried.
func slow(format string, args ...any) error {
	return fault.Wrap(fault.Unavailable, os.ErrDeadlineExceeded, format, args...).
		WithRemedy("the machine is too busy for it, or the interpreter hangs: see whether it starts by hand, and start the executor again")
}

func (p *pool) try(ctx context.Context, plan *sandbox.Plan) (*worker, error) {
	server, err := startForkServer(ctx, p.python, plan, inHurry)
	if err != nil {
		return nil, err
	}
	p.servers[0] = server
	worker, err := p.makeWorker(ctx, server, false)
	if err != nil {
		server.close()
		return nil, err
	}
	return worker, nil
}

func requirement(s config.Sandbox) sandbox.Requirement {
	switch s.Require {
	case config.RequireUnsafeNone:
		return sandbox.Requirement{Unsafe: true}
	case config.RequireLayers:
		return sandbox.Requirement{Layers: s.Layers}
	default:
		return sandbox.Strict
	}
}
