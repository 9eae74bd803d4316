package sidecar

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// A session is a worker that runs several programs, one after another, and stands still in
// between: no thread that a program left behind computes, prints or connects while there is
// no run whose limits bound it.
type session struct {
	key     sessionKey
	turn    chan struct{} // held by the run under way
	waiting atomic.Int64  // for the turn
	done    chan struct{} // closed when it has ended
	worker  *worker
	leave   func()    // gives up its place in the gate
	memory  int64     // its limit, as its first run set it
	last    time.Time // end of the last run; of whoever has the turn
	runs    int       // likewise

	// Of sessions.mu.
	running *execution
	closing bool
}

// sessionKey keeps the sessions of one caller out of the reach of another's.
type sessionKey struct {
	from caller
	id   string
}

// admitToSession waits until the session that a run asks for can take it, or begins one.
func (s *Server) admitToSession(ctx context.Context, e *execution, start *codemodev1.Start) (leave func(), refused string, err error) {
	key := sessionKey{callerOf(ctx), start.GetSession().GetId()}
	if start.GetSession().GetExisting() {
		return s.enterSession(ctx, e, key, start.GetLimits().GetMemoryBytes())
	}
	n, err := s.sessions.begin(key)
	if err != nil {
		return nil, RefusedSession, err
	}
	if leave, refused, err = s.admit(ctx, e); err != nil {
		s.sessions.end(n, "no worker was to be had for it")
		return nil, refused, err
	}
	s.sessions.furnish(n, e, leave)
	return s.sessions.enter(n, e)
}

func (s *Server) enterSession(ctx context.Context, e *execution, key sessionKey, memory int64) (leave func(), refused string, err error) {
	n, err := s.sessions.find(key)
	if err != nil {
		return nil, RefusedSession, err
	}
	if refused, err := s.awaitTurn(ctx, n); err != nil {
		return nil, refused, err
	}
	if memory > 0 && e.limits.Memory != n.memory {
		<-n.turn
		return nil, RefusedInvalid, status.Errorf(codes.InvalidArgument,
			"the memory of a session is for its first run to say, which said %d bytes", n.memory)
	}
	e.worker, e.limits.Memory = n.worker, n.memory
	return s.sessions.enter(n, e)
}

// awaitTurn waits until no other run of the session is under way. Where it gives up,
// refused says why, for records.
func (s *Server) awaitTurn(ctx context.Context, n *session) (refused string, err error) {
	if s.gate.closed() {
		return RefusedDraining, errDraining
	}
	select {
	case n.turn <- struct{}{}:
		return "", nil
	default:
	}
	if n.waiting.Add(1) > int64(s.cfg.Pool.Queue) {
		n.waiting.Add(-1)
		return RefusedQueueFull, overloaded("%d runs of the session wait; try again later", s.cfg.Pool.Queue)
	}
	defer n.waiting.Add(-1)
	timer := time.NewTimer(s.cfg.Pool.QueueTimeout)
	defer timer.Stop()
	select {
	case n.turn <- struct{}{}:
		return "", nil
	case <-timer.C:
		return RefusedQueueTimeout, overloaded("another run of the session was under way for all of %s (pool.queue_timeout)", s.cfg.Pool.QueueTimeout)
	case <-ctx.Done():
		return RefusedGone, status.FromContextError(ctx.Err()).Err()
	case <-s.gate.quit:
		return RefusedDraining, errDraining
	}
}

// resume lets the worker move again, for a run.
func (s *session) resume(e *execution) {
	s.runs++
	if s.runs == 1 {
		return
	}
	e.worker.meter.floor = e.worker.meter.cpu()
	e.worker.signal(unix.SIGCONT)
}

// leavePatience is how long a message to a worker that has ended its program may take to
// be written whole.
const leavePatience = time.Second

// leave gives the worker back to its session, where its program has come to an end that
// the session survives: nothing that this run still does touches it from here on.
func (e *execution) leave(done *doneMeta) bool {
	ending := statusOf[done.Status]
	if e.session == nil || ending != codemodev1.Status_STATUS_OK && ending != codemodev1.Status_STATUS_ERROR {
		return false
	}
	w := e.worker
	if w.control.SetWriteDeadline(time.Now().Add(leavePatience)) != nil {
		return false
	}
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.torn || w.control.SetWriteDeadline(time.Time{}) != nil {
		return false
	}
	e.mu.Lock()
	if e.reason == codemodev1.Status_STATUS_UNSPECIFIED {
		w.signal(unix.SIGSTOP)
		e.left = true
	}
	e.mu.Unlock()
	return e.left && e.endReading()
}

// endReading has the readers of the worker's output end, though it goes on.
func (e *execution) endReading() bool {
	for _, deadline := range []time.Time{time.Unix(1, 0), {}} {
		for _, pipe := range []interface{ SetReadDeadline(time.Time) error }{e.worker.stdout, e.worker.stderr} {
			if pipe.SetReadDeadline(deadline) != nil {
				e.mu.Lock()
				e.left = false
				e.mu.Unlock()
				return false
			}
		}
		e.readers.Wait()
	}
	return true
}

func (e *execution) hasLeft() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.left
}
