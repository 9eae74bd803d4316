package registry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The pauses between attempts begin at the first and double up to the last.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// attempts runs the handler, and again where the policy says so and it may help.
func (r *Registry) attempts(ctx context.Context, e *Entry, args Args) (any, error) {
	pause := firstPause
	for retry := 0; ; retry++ {
		v, err := r.attempt(ctx, e, args)
		if err == nil || retry >= e.policy.Retries || ctx.Err() != nil || !mayPass(err) {
			return v, err
		}
		// Half of it is random, so that calls that failed together do not come back together.
		timer := time.NewTimer(pause/2 + rand.N(pause/2)) //nolint:gosec // nothing to guess
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
		pause = min(2*pause, lastPause)
	}
}

// errStillRunning: the handler has not noticed the end of its context.
var errStillRunning = errors.New("the handler goes on after the end of its context")

// mayPass says whether another attempt could fare better.
func mayPass(err error) bool {
	if errors.Is(err, errStillRunning) {
		return false // two attempts at one time are not what was asked for
	}
	if _, crashed := errors.AsType[*PanicError](err); crashed {
		return false
	}
	own, ok := errors.AsType[*ToolError](err)
	if !ok {
		return true
	}
	switch own.Kind {
	case KindInvalidArguments, KindUnknownTool, KindDenied, KindLimit, KindTooLarge:
		return false
	}
	return true
}

// attempt runs the handler once, in one of the places that the policy leaves.
func (r *Registry) attempt(ctx context.Context, e *Entry, args Args) (any, error) {
	release, err := e.place(ctx)
	if err != nil {
		return nil, err
	}
	if e.policy.Timeout == 0 {
		defer release()
		return e.handler(ctx, args)
	}
	limited, cancel := context.WithTimeout(ctx, e.policy.Timeout)
	defer cancel()
	v, err := watch(limited, &r.tasks, func(ctx context.Context) (any, error) {
		defer release() // not before the handler has returned
		return e.handler(ctx, args)
	})
	return v, e.overTime(ctx, limited, err)
}

// place waits for one of the places that the policy leaves.
func (e *Entry) place(ctx context.Context) (release func(), err error) {
	places := e.places
	if places == nil {
		return func() {}, nil
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// overTime says of an error that it is due to the policy's timeout, if it is.
func (e *Entry) overTime(ctx, limited context.Context, err error) error {
	if err == nil || limited.Err() == nil || ctx.Err() != nil {
		return err
	}
	return &ToolError{Kind: KindTimeout, Err: err, Message: fmt.Sprintf("the tool took longer than %v, its limit", e.policy.Timeout)}
}

// watch runs foreign code on a goroutine of its own, and gives up on it when ctx ends.
// The goroutine is then one of the tasks that Registry.Close waits for.
func watch[T any](ctx context.Context, tasks *tasks, run func(context.Context) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	tasks.begin()
	go func() {
		defer tasks.end()
		var o outcome
		defer func() {
			if v := recover(); v != nil {
				o = outcome{err: panicked(v)}
			}
			done <- o
		}()
		o.value, o.err = run(ctx)
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
	}
	select {
	case o := <-done: // at the same time
		return o.value, o.err
	default:
		var none T
		return none, errors.Join(ctx.Err(), errStillRunning)
	}
}
