package sidecar

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// pick gives the fork servers turns.
func (p *pool) pick() *forkServer {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range p.servers {
		p.turn = (p.turn + 1) % len(p.servers)
		if server := p.servers[p.turn]; server.lives() {
			return server
		}
	}
	return nil
}

// A fork server is replaced after so many workers, before whatever it may have gathered
// in its life matters.
var workersPerServer atomic.Uint64

func init() { workersPerServer.Store(20_000) }

// supervise keeps a fork server in its place: it starts the one that is not there yet,
// and replaces one that has ended, or made many workers.
func (p *pool) supervise(place int) {
	for {
		p.mu.Lock()
		server := p.servers[place]
		p.mu.Unlock()
		if server != nil {
			select {
			case <-p.ctx.Done():
				return
			case <-server.done:
				p.log.Warn("the fork server ended; starting another", "said", server.stderr.last())
				p.replace(place, nil)
			case <-server.tired:
			}
		}
		patience := inHurry
		if server.lives() {
			patience = inPeace
		}
		fresh := p.startAnother(patience)
		if fresh == nil {
			return
		}
		if p.replace(place, fresh); server != nil {
			// Its workers may still have programs to run.
			p.tasks.Go(func() { server.closeWhenIdle(p.ctx) })
		}
	}
}

// startAnother tries until there is a fork server; nil means that the pool is closing.
func (p *pool) startAnother(patience time.Duration) *forkServer {
	for delay := 10 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		fresh, err := startForkServer(p.ctx, p.python, p.plan, patience)
		if err == nil {
			return fresh
		}
		if p.ctx.Err() == nil {
			p.log.Error("cannot start a fork server", "error", err)
			p.giveUp(err)
		}
		select {
		case <-p.ctx.Done():
			return nil
		case <-time.After(delay):
		}
	}
}

// giveUp counts a fork server that cannot be started, and tells those who wait when that
// is so again and again and there is no other.
func (p *pool) giveUp(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.canFork() {
		return
	}
	if p.failures++; p.failures < hopeless {
		return
	}
	for _, waiter := range p.waiters {
		waiter <- outcome{err: fault.Wrap(fault.Unavailable, err, "no fork server can be started")}
	}
	p.waiters = nil
}

// canFork says whether there is a fork server. The caller holds mu.
func (p *pool) canFork() bool { return slices.ContainsFunc(p.servers, (*forkServer).lives) }

// replace puts another fork server, or none, in a place, and lets go of the workers that
// wait for a program and are none of the present servers'.
func (p *pool) replace(place int, server *forkServer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers[place] = server
	p.failures = 0
	p.ready = slices.DeleteFunc(p.ready, func(w *worker) bool {
		if slices.Contains(p.servers, w.server) {
			return false
		}
		p.discard(w)
		return true
	})
	p.fill()
}

func (p *pool) everyServer() []*forkServer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.servers), func(server *forkServer) bool { return server == nil })
}
