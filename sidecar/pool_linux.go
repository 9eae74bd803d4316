package sidecar

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar/cgroup"
	"github.com/codemode-sdk/codemode/sidecar/egress"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// A pool keeps confined workers ready, so that neither the fork nor the confinement is
// on the path of a request.
type pool struct {
	bare   bool // without any sandbox
	cfg    config.SidecarConfig
	python *cpython.Install
	plan   *sandbox.Plan
	log    *slog.Logger
	proxy  *egress.Proxy // in network mode restricted
	groups *cgroup.Tree  // where workers get cgroups, or nil
	base   string        // where workers' directories are made, if they have no root of their own

	ctx    context.Context // ends with the pool
	cancel context.CancelFunc
	tasks  sync.WaitGroup // every goroutine of the pool

	mu       sync.Mutex
	servers  []*forkServer // nil where there is none at the moment
	turn     int           // of the servers
	ready    []*worker
	spawning int
	wanted   int // how many are to be ready: more than configured after a burst
	missed   bool
	soon     *time.Timer // fills, or nil
	waiters  []chan outcome
	awaited  bool // somebody waits, and the fork servers have the priority for it
	failures int  // to make a worker, in a row
	closed   bool
}

// outcome is what a waiter gets.
type outcome struct {
	worker *worker
	err    error
}

// newPool starts a fork server by the strongest plan that works, and waits for its
// first worker, which proves that the plan does.
func newPool(ctx context.Context, cfg config.SidecarConfig, bare bool, python *cpython.Install, log *slog.Logger) (*pool, error) {
	p := &pool{
		bare: bare, cfg: cfg, python: python, log: log,
		servers: make([]*forkServer, max(1, cfg.Pool.ForkServers)), wanted: cfg.Pool.MinReady,
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	base, err := os.MkdirTemp("", "codemode-")
	if err != nil {
		return nil, fault.Wrap(fault.Sandbox, err, "no directory for workers").
			WithRemedy("make a writable directory and name it in TMPDIR")
	}
	p.base = base
	// Workers of an executor that runs as root are not root.
	if err := os.Chmod(base, 0o711); err != nil {
		return nil, errors.Join(err, os.Remove(base))
	}
	if p.proxy, err = newProxy(cfg.Network, log); err != nil {
		return nil, errors.Join(err, os.Remove(base))
	}
	if err := p.start(ctx); err != nil {
		p.cancel()
		return nil, errors.Join(err, p.closeGroups(), p.closeProxy(), os.RemoveAll(base))
	}
	for place := range p.servers {
		p.tasks.Go(func() { p.supervise(place) })
	}
	p.tasks.Go(p.calmDown)
	return p, nil
}

// makeWorker gives a confined worker. If nobody awaits it, it has gone once through what
// every run goes through.
func (p *pool) makeWorker(ctx context.Context, server *forkServer, awaited bool) (*worker, error) {
	if server == nil {
		return nil, fault.New(fault.Unavailable, "the fork server is being started again")
	}
	own, err := makeDirectories(server.plan, p.base)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "no directory for a worker")
	}
	w, err := server.fork(own, awaited)
	if err != nil {
		return nil, errors.Join(err, own.remove())
	}
	w.proxy = p.proxy
	if err := w.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, w.destroy())
	}
	return w, nil
}

// refillDelay is how long after a program began the worker that takes its worker's place
// is made at the latest: most programs are over by then, and need not share the
// processors with the fork.
const refillDelay = 5 * time.Millisecond

// acquire gives a ready worker. The caller owns it and gives it back to discard.
func (p *pool) acquire(ctx context.Context) (*worker, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	for len(p.ready) > 0 {
		w := p.ready[0]
		p.ready = p.ready[1:]
		if w.hasEnded() {
			p.discard(w)
			continue
		}
		if p.soon == nil {
			p.soon = time.AfterFunc(refillDelay, p.refill)
		}
		p.mu.Unlock()
		return w, nil
	}
	waiter := make(chan outcome, 1)
	p.waiters = append(p.waiters, waiter)
	if p.cfg.Pool.MinReady > 0 {
		p.missed = true
		p.wanted = min(p.wanted+1, p.cfg.Pool.MaxWorkers)
	}
	p.fill()
	p.mu.Unlock()
	select {
	case got := <-waiter:
		return got.worker, got.err
	case <-ctx.Done():
		p.mu.Lock()
		p.waiters = slices.DeleteFunc(p.waiters, func(other chan outcome) bool { return other == waiter })
		p.mu.Unlock()
		select {
		case got := <-waiter: // it came after all
			if got.worker != nil {
				p.hand(got)
			}
		default:
		}
		return nil, ctx.Err()
	}
}

func (p *pool) refill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fill()
}

// fill starts as many workers as are wanted. The caller holds mu.
func (p *pool) fill() {
	if p.soon != nil {
		p.soon.Stop()
		p.soon = nil
	}
	if p.closed {
		return
	}
	p.prioritize()
	if !p.canFork() {
		return // the start of the next fork server comes back here
	}
	// While someone waits, nobody is made ready: that would only take the processors from
	// those who wait.
	missing := len(p.waiters) - p.spawning
	if len(p.waiters) == 0 {
		missing = p.wanted - len(p.ready) - p.spawning
	}
	for range missing {
		p.spawning++
		p.tasks.Go(p.spawn)
	}
}

// prioritize has the fork servers compete with programs only while someone waits. The
// caller holds mu.
func (p *pool) prioritize() {
	awaited := len(p.waiters) > 0
	if awaited == p.awaited {
		return
	}
	p.awaited = awaited
	for _, server := range p.servers {
		if server != nil {
			server.prioritize(awaited)
		}
	}
}

// calmDown takes back, step by step, what a burst had the pool keep ready.
func (p *pool) calmDown() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-ticker.C:
		}
		p.mu.Lock()
		if !p.missed {
			p.wanted = p.cfg.Pool.MinReady + (p.wanted-p.cfg.Pool.MinReady)/2
		}
		p.missed = false
		var surplus []*worker
		if n := len(p.ready) - p.wanted; n > 0 && !p.closed {
			surplus, p.ready = p.ready[:n:n], p.ready[n:]
		}
		p.mu.Unlock()
		for _, w := range surplus {
			p.discard(w)
		}
	}
}

func (p *pool) spawn() {
	p.mu.Lock()
	failures, awaited := p.failures, len(p.waiters) > 0
	p.mu.Unlock()
	if failures > 0 { // do not spin where the machine is out of something
		select {
		case <-time.After(min(time.Duration(failures)*20*time.Millisecond, time.Second)):
		case <-p.ctx.Done():
		}
	}
	server := p.pick()
	w, err := p.makeWorker(p.ctx, server, awaited)
	// What ended with its fork server says nothing about the next one.
	unlucky := err != nil && !server.lives()
	p.mu.Lock()
	p.spawning--
	if err != nil && !unlucky && p.ctx.Err() == nil {
		p.failures++
		if p.failures == 1 || p.failures%50 == 0 {
			p.log.Error("cannot make a worker", "error", err, "in_a_row", p.failures)
		}
	} else if err == nil {
		p.failures = 0
	}
	failures = p.failures
	p.mu.Unlock()
	switch {
	case err == nil:
		p.hand(outcome{worker: w})
	case failures >= hopeless && !unlucky:
		p.hand(outcome{err: fault.Wrap(fault.Unavailable, err, "no worker can be made")})
	default:
		p.hand(outcome{})
	}
}

// hand gives what a spawn came to to the first waiter, or keeps the worker ready.
func (p *pool) hand(got outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case got.worker == nil && got.err == nil:
	case len(p.waiters) > 0:
		p.waiters[0] <- got
		p.waiters = p.waiters[1:]
	case got.worker == nil:
	case p.closed:
		p.discard(got.worker)
	default:
		p.ready = append(p.ready, got.worker)
	}
	p.fill()
}

// discard destroys a worker, off the caller's path.
func (p *pool) discard(w *worker) {
	p.tasks.Go(func() {
		if err := w.destroy(); err != nil {
			p.log.Error("a worker's directory stays behind", "error", err)
		}
	})
}

// retireDelay is what the client gets to take a result before its worker's end, and the
// beginning of another, compete with it for the processors.
const retireDelay = 200 * time.Microsecond

// retire destroys the worker of an execution that is over, and has another made.
func (p *pool) retire(e *execution) {
	p.tasks.Go(func() {
		time.Sleep(retireDelay)
		p.refill()
		if err := e.worker.destroy(); err != nil {
			p.log.Error("a worker's directory stays behind", "error", err)
		}
		e.readers.Wait()
		if e.chunk != nil {
			chunks.Put(e.chunk)
		}
		e.over()
	})
}

// close ends all workers and waits for everything that the pool started.
func (p *pool) close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	idle, waiters := p.ready, p.waiters
	p.ready, p.waiters = nil, nil
	if p.soon != nil {
		p.soon.Stop()
	}
	p.mu.Unlock()
	p.cancel()
	for _, waiter := range waiters {
		waiter <- outcome{err: errClosed}
	}
	for _, w := range idle {
		p.discard(w)
	}
	for _, server := range p.everyServer() {
		server.close()
	}
	p.tasks.Wait()
	for _, server := range p.everyServer() { // one may have come up in the meantime
		server.close()
	}
	return errors.Join(p.closeGroups(), p.closeProxy(), os.RemoveAll(p.base))
}

func (p *pool) closeGroups() error {
	if p.groups == nil {
		return nil
	}
	return p.groups.Close()
}

// figures counts the workers that wait for a program, and those in the making.
func (p *pool) figures() (ready, starting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ready), p.spawning
}

// broken says whether making workers fails again and again.
func (p *pool) broken() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures >= hopeless
}

// hopeless is after how many failures in a row those who wait for a worker are told.
const hopeless = 5

func (p *pool) closeProxy() error {
	if p.proxy == nil {
		return nil
	}
	return p.proxy.Close()
}

var errClosed = fault.New(fault.Unavailable, "the executor is shutting down")

// warmModules are imported before the first fork: what the runner needs, and what
// programs use so often that importing it once is worth its pages.
var warmModules = []string{
	"ast", "asyncio", "base64", "bisect", "collections", "concurrent.futures", "contextlib",
	"copy", "csv", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
	"hashlib", "heapq", "inspect", "io", "itertools", "json", "linecache", "math", "operator",
	"random", "re", "statistics", "string", "textwrap", "threading", "time", "traceback",
	"typing", "urllib.parse", "uuid", "zoneinfo",
}

// WarmModules names what a fork server has imported before it makes its first worker,
// for those who measure it against a fork of their own.
func WarmModules() []string { return slices.Clone(warmModules) }
