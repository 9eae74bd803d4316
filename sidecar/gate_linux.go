package sidecar

import (
	"context"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/codemode-sdk/codemode/config"
)

// gate admits executions: so many at once, so many waiting, for so long.
type gate struct {
	slots   chan struct{}
	waiting chan struct{}
	timeout time.Duration
	quit    chan struct{}
	once    sync.Once
}

func (g *gate) init(cfg config.Pool) {
	g.slots = make(chan struct{}, cfg.MaxWorkers)
	g.waiting = make(chan struct{}, cfg.Queue)
	g.timeout = cfg.QueueTimeout
	g.quit = make(chan struct{})
}

func (g *gate) close() { g.once.Do(func() { close(g.quit) }) }

func (g *gate) closed() bool {
	select {
	case <-g.quit:
		return true
	default:
		return false
	}
}

// enter waits for a place. Where it gives none, refused says why, for records.
func (g *gate) enter(ctx context.Context) (leave func(), refused string, err error) {
	leave = func() { <-g.slots }
	if g.closed() {
		return nil, RefusedDraining, errDraining
	}
	select {
	case g.slots <- struct{}{}:
		return leave, "", nil
	default:
	}
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return nil, RefusedQueueFull, overloaded("the executor runs %d programs and %d wait; try again later", cap(g.slots), cap(g.waiting))
	}
	timer := time.NewTimer(g.timeout)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return leave, "", nil
	case <-timer.C:
		return nil, RefusedQueueTimeout, overloaded("no worker came free within %s (pool.queue_timeout)", g.timeout)
	case <-ctx.Done():
		return nil, RefusedGone, status.FromContextError(ctx.Err()).Err()
	case <-g.quit:
		return nil, RefusedDraining, errDraining
	}
}

var errDraining = status.Error(codes.Unavailable, "the executor is shutting down")

// full says why an execution would not be admitted now, or nothing.
func (g *gate) full() string {
	if g.closed() {
		return "shutting down"
	}
	if len(g.slots) == cap(g.slots) && len(g.waiting) == cap(g.waiting) {
		return "all workers are busy and the queue is full"
	}
	return ""
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
