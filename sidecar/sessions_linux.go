package sidecar

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/codemode-sdk/codemode/config"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// sessions are those that are open.
type sessions struct {
	cfg  config.Sessions
	pool *pool

	mu     sync.Mutex
	open   map[sessionKey]*session
	past   map[sessionKey]string // why the latest of those that have ended have
	order  []sessionKey          // of past, the oldest first
	closed bool
}

// maxPast bounds for how many sessions that have ended it is known why.
const maxPast = 1000

func newSessions(cfg config.Sessions, pool *pool) *sessions {
	return &sessions{cfg: cfg, pool: pool, open: map[sessionKey]*session{}, past: map[sessionKey]string{}}
}

// begin makes a session, whose turn the caller has. It has no worker yet.
func (m *sessions) begin(key sessionKey) (*session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, errDraining
	case m.open[key] != nil:
		return nil, status.Errorf(codes.AlreadyExists, "there is a session %q already", key.id)
	case len(m.open) >= m.cfg.Max:
		return nil, overloaded("the executor keeps %d sessions, and no more (executor.sessions.max)", len(m.open))
	}
	n := &session{key: key, turn: make(chan struct{}, 1), done: make(chan struct{})}
	n.turn <- struct{}{}
	m.open[key] = n
	return n, nil
}

// furnish gives a new session its worker, and sees to its end.
func (m *sessions) furnish(n *session, e *execution, leave func()) {
	m.mu.Lock()
	n.worker, n.leave, n.memory = e.worker, leave, e.limits.Memory
	m.mu.Unlock()
	m.pool.tasks.Go(func() { m.keep(n) })
}

// find gives an open session.
func (m *sessions) find(key sessionKey) (*session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.open[key]; n != nil && !n.closing {
		return n, nil
	}
	return nil, m.lost(key)
}

// lost says that there is no such session. The caller holds mu.
func (m *sessions) lost(key sessionKey) error {
	why := m.past[key]
	if why == "" {
		why = "this executor does not know it: it ended long ago, or was another executor's, or another key's"
	}
	return status.Errorf(codes.NotFound, "there is no session %q: %s", key.id, why)
}

// enter begins a run in a session whose turn it has; leave ends it.
func (m *sessions) enter(n *session, e *execution) (leave func(), refused string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open[n.key] != n || n.closing || n.worker.hasEnded() {
		err := m.lost(n.key)
		<-n.turn // for whoever is to end it
		return nil, RefusedSession, err
	}
	e.session, n.running = n, e
	return func() { m.leave(n, e) }, "", nil
}

// leave ends a run, and with it the session if that does not survive it.
func (m *sessions) leave(n *session, e *execution) {
	m.mu.Lock()
	n.running = nil
	m.mu.Unlock()
	if !e.hasLeft() {
		m.remove(n, "it ended with a run that "+endingOf(&e.record))
		m.pool.retire(e)
		n.leave()
		<-n.turn
		return
	}
	if e.chunk != nil {
		chunks.Put(e.chunk)
		e.chunk = nil
	}
	e.over()
	n.last = time.Now()
	<-n.turn
}

func endingOf(r *Record) string {
	if r.Status == statusRejected || r.Status == "ok" || r.Status == "error" {
		return "lost its process or its client"
	}
	return "ended with status " + r.Status
}

// keep ends a session when its time is over, or its process has ended between runs.
func (m *sessions) keep(n *session) {
	lifetime, idle := time.NewTimer(m.cfg.Lifetime), time.NewTimer(m.cfg.IdleTimeout)
	defer lifetime.Stop()
	defer idle.Stop()
	why := ""
	for why == "" {
		select {
		case <-n.done:
			return
		case <-lifetime.C:
			why = fmt.Sprintf("it was older than %s (executor.sessions.lifetime)", m.cfg.Lifetime)
		case <-n.worker.ended:
			why = "its process ended, or that from which it was made"
		case <-idle.C:
			select {
			case n.turn <- struct{}{}:
			default: // in use; the next look sees since when it is not
				idle.Reset(m.cfg.IdleTimeout)
				continue
			}
			rest := time.Until(n.last.Add(m.cfg.IdleTimeout))
			if rest <= 0 {
				m.end(n, fmt.Sprintf("it was not used for %s (executor.sessions.idle_timeout)", m.cfg.IdleTimeout))
				return
			}
			idle.Reset(rest)
			<-n.turn
		}
	}
	select {
	case n.turn <- struct{}{}:
		m.end(n, why)
	case <-n.done:
	}
}

// end ends a session whose turn the caller has, and gives the turn away: those who wait for
// it find that there is no such session.
func (m *sessions) end(n *session, why string) {
	if m.remove(n, why) && n.worker != nil {
		m.pool.discard(n.worker)
		n.leave()
	}
	<-n.turn
}

// remove takes a session away from those that are open; false if somebody has already.
func (m *sessions) remove(n *session, why string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open[n.key] != n {
		return false
	}
	delete(m.open, n.key)
	if _, known := m.past[n.key]; !known {
		m.order = append(m.order, n.key)
	}
	m.past[n.key] = why
	if len(m.order) > maxPast {
		delete(m.past, m.order[0])
		m.order = m.order[1:]
	}
	close(n.done)
	return true
}

// stop ends a session, and a run that is under way.
func (m *sessions) stop(ctx context.Context, key sessionKey, why string) error {
	m.mu.Lock()
	n := m.open[key]
	if n == nil {
		m.mu.Unlock()
		return nil
	}
	n.closing = true
	running := n.running
	m.mu.Unlock()
	if running != nil {
		running.stop(codemodev1.Status_STATUS_CANCELLED)
	}
	select {
	case n.turn <- struct{}{}:
		m.end(n, why)
	case <-n.done:
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
	return nil
}

// close ends all of them. There are no runs any more.
func (m *sessions) close() {
	m.mu.Lock()
	m.closed = true
	keys := make([]sessionKey, 0, len(m.open))
	for key := range m.open {
		keys = append(keys, key)
	}
	m.mu.Unlock()
	for _, key := range keys {
		_ = m.stop(context.Background(), key, "the executor was stopped") // its context has no end, so it has no error
	}
}

// kept counts the sessions that have a worker and no run under way.
func (m *sessions) kept() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.open {
		if s.worker != nil && s.running == nil {
			n++
		}
	}
	return n
}

func (v service) CloseSession(ctx context.Context, r *codemodev1.CloseSessionRequest) (*codemodev1.CloseSessionResponse, error) {
	if !validExecutionID(r.GetId()) {
		return nil, status.Errorf(codes.InvalidArgument, "id must be 1 to %d of A-Z a-z 0-9 _ -", maxExecutionIDSize)
	}
	if err := v.s.sessions.stop(ctx, sessionKey{callerOf(ctx), r.GetId()}, "it was closed"); err != nil {
		return nil, err
	}
	return &codemodev1.CloseSessionResponse{}, nil
}

// features are the additions to the wire that this executor knows and offers.
func (s *Server) features() []codemodev1.Feature {
	if s.cfg.Sessions.Max == 0 {
		return features
	}
	return append(features[:len(features):len(features)], codemodev1.Feature_FEATURE_SESSIONS)
}

func sessionLimits(cfg config.Sessions) *codemodev1.SessionLimits {
	if cfg.Max == 0 {
		return nil
	}
	return &codemodev1.SessionLimits{
		Max: int32(cfg.Max), IdleTimeout: durationpb.New(cfg.IdleTimeout), Lifetime: durationpb.New(cfg.Lifetime),
	}
}
