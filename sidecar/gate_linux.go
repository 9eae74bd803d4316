package sidecar

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/codemode-sdk/codemode/config"
)

// gate admits executions: so many at once, of each client so many, and so many waiting.
//
// A place that comes free goes to the client with the fewest running, and among equals to
// the one whose last turn is longest ago. In a full queue the client that asks for most
// loses the last of its places to one that asks for less, so that none can fill it
// against the others.
type gate struct {
	cfg  config.Pool
	quit chan struct{}

	mu      sync.Mutex
	running int
	queued  int
	turn    uint64 // counts what was admitted
	clients map[string]*gateClient
	waiting []*gateClient // those with something in the queue
	over    bool
}

// gateClient is a client of which something runs or waits.
type gateClient struct {
	name    string
	running int
	queue   []*ticket
	turn    uint64 // when it was last admitted
}

// demand is what a client asks for at once.
func (c *gateClient) demand() int { return c.running + len(c.queue) }

// A ticket is a place in the queue. What became of it is sent once, under the gate's lock.
type ticket struct {
	client *gateClient
	result chan admittance
}

type admittance struct {
	refused string // why, for records; empty if it was admitted
	err     error
}

func (g *gate) init(cfg config.Pool) {
	if cfg.MaxPerClient == 0 {
		cfg.MaxPerClient = cfg.MaxWorkers
	}
	g.cfg = cfg
	g.quit = make(chan struct{})
	g.clients = map[string]*gateClient{}
}

// enter waits for a place. Where it gives none, refused says why, for records.
func (g *gate) enter(ctx context.Context, client string) (leave func(), refused string, err error) {
	t, got := g.ask(client)
	if t == nil {
		return g.outcome(client, got)
	}
	timer := time.NewTimer(g.cfg.QueueTimeout)
	defer timer.Stop()
	select {
	case got = <-t.result:
	case <-timer.C:
		got = g.withdraw(t, admittance{RefusedQueueTimeout, g.late(client)})
	case <-ctx.Done():
		got = g.withdraw(t, admittance{RefusedGone, status.FromContextError(ctx.Err()).Err()})
	case <-g.quit:
		got = g.withdraw(t, admittance{RefusedDraining, errDraining})
	}
	return g.outcome(client, got)
}

func (g *gate) outcome(client string, got admittance) (leave func(), refused string, err error) {
	if got.err != nil {
		return nil, got.refused, got.err
	}
	return func() { g.leave(client) }, "", nil
}

// ask admits at once, or refuses at once, or gives a ticket.
func (g *gate) ask(client string) (*ticket, admittance) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return nil, admittance{RefusedDraining, errDraining}
	}
	c := g.clients[client]
	if c == nil {
		// As if it had just had a turn: coming and going must not put it before those who wait.
		c = &gateClient{name: client, turn: g.turn}
	}
	// Where there is room, those who wait are at their own limit.
	if g.running < g.cfg.MaxWorkers && c.running < g.cfg.MaxPerClient {
		g.clients[client] = c
		g.admit(c)
		return nil, admittance{}
	}
	if g.queued >= g.cfg.Queue && !g.displace(c) {
		return nil, admittance{RefusedQueueFull, overloaded("the executor runs %d programs and %d wait; try again later", g.running, g.queued)}
	}
	g.clients[client] = c
	t := &ticket{c, make(chan admittance, 1)}
	if len(c.queue) == 0 {
		g.waiting = append(g.waiting, c)
	}
	c.queue = append(c.queue, t)
	g.queued++
	return t, admittance{}
}

func (g *gate) admit(c *gateClient) {
	g.turn++
	c.turn = g.turn
	c.running++
	g.running++
}

// displace refuses the newest of the client that asks for most, if that is more than c
// would ask for.
func (g *gate) displace(c *gateClient) bool {
	if len(g.waiting) == 0 {
		return false // there is no queue
	}
	most := slices.MaxFunc(g.waiting, func(a, b *gateClient) int { return a.demand() - b.demand() })
	if most.demand() <= c.demand()+1 {
		return false
	}
	g.settle(most.queue[len(most.queue)-1], admittance{RefusedQueueFull, overloaded("%d programs wait, and most of them are of this client; try again later", g.queued)})
	return true
}

// settle takes a ticket out of the queue and says what became of it.
func (g *gate) settle(t *ticket, got admittance) {
	c := t.client
	at := slices.Index(c.queue, t)
	c.queue = slices.Delete(c.queue, at, at+1)
	g.queued--
	if len(c.queue) == 0 {
		g.waiting = slices.DeleteFunc(g.waiting, func(other *gateClient) bool { return other == c })
	}
	if got.err == nil {
		g.admit(c)
	}
	g.forget(c)
	t.result <- got
}

// forget drops a client of which nothing is left.
func (g *gate) forget(c *gateClient) {
	if c.demand() == 0 {
		delete(g.clients, c.name)
	}
}

// withdraw takes a ticket back, unless it has been settled in the meantime.
func (g *gate) withdraw(t *ticket, why admittance) admittance {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(t.client.queue, t) {
		g.settle(t, why)
	}
	return <-t.result
}

// leave gives a place back and hands on what is free.
func (g *gate) leave(client string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.clients[client]
	c.running--
	g.running--
	g.forget(c)
	for g.running < g.cfg.MaxWorkers && !g.over {
		next := g.next()
		if next == nil {
			return
		}
		g.settle(next.queue[0], admittance{})
	}
}

// next gives the client whose turn it is, or nil.
func (g *gate) next() *gateClient {
	var best *gateClient
	for _, c := range g.waiting {
		switch {
		case c.running >= g.cfg.MaxPerClient:
		case best == nil, c.running < best.running, c.running == best.running && c.turn < best.turn:
			best = c
		}
	}
	return best
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.over = true
		close(g.quit)
	}
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

// figures counts the executions that were admitted, and those that wait.
func (g *gate) figures() (running, queued int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running, g.queued
}

// full says why an execution of a new client would not be admitted now, or nothing.
func (g *gate) full() string {
	if g.closed() {
		return "shutting down"
	}
	if running, queued := g.figures(); running >= g.cfg.MaxWorkers && queued >= g.cfg.Queue {
		return "all workers are busy and the queue is full"
	}
	return ""
}

var errDraining = status.Error(codes.Unavailable, "the executor is shutting down")

// late is the refusal of one that waited too long.
func (g *gate) late(client string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.clients[client]; c != nil && c.running >= g.cfg.MaxPerClient && g.running < g.cfg.MaxWorkers {
		return overloaded("this client has run %d programs at once, as many as it may (pool.max_per_client), for %s (pool.queue_timeout)", c.running, g.cfg.QueueTimeout)
	}
	return overloaded("no worker came free within %s (pool.queue_timeout)", g.cfg.QueueTimeout)
}

// retryAfter is the hint that goes with a refusal.
const retryAfter = 200 * time.Millisecond

func overloaded(format string, args ...any) error {
	refusal := status.Newf(codes.ResourceExhausted, format, args...)
	hinted, err := refusal.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	if err != nil {
		return refusal.Err()
	}
	return hinted.Err()
}
