package executorclient

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// A Session is state that programs share: they run one after another in one process of the
// executor's, and each finds what those before it left, as the cells of a notebook do. The
// process stands still between them. It may be used by many goroutines; their runs wait for
// one another.
//
// The first run begins the session. It ends when the executor's idle_timeout or lifetime is
// over, by CloseSession, when the executor stops, and with a run that does not come to its
// end: one whose status is neither OK nor Failed. A run after that fails with
// fault.SessionLost and does not start.
type Session struct {
	id    string
	turn  chan struct{}
	begun bool // of whoever has the turn
}

// NewSession names a session that no run has begun. The id is 1 to 64 of A-Z a-z 0-9 _ -;
// if empty, a random one. Sessions of different API keys may have the same id. A first run
// fails with fault.Rejected if the executor keeps no sessions, keeps as many as it may, or
// has one of the id already.
func NewSession(id string) *Session {
	if id == "" {
		id = strings.ToLower(rand.Text())
	}
	return &Session{id: id, turn: make(chan struct{}, 1)}
}

// ResumeSession names a session that was begun elsewhere, by the same API key.
func ResumeSession(id string) *Session {
	s := NewSession(id)
	s.begun = true
	return s
}

// ID gives the id.
func (s *Session) ID() string { return s.id }

// SessionLimits are an executor's for its sessions.
type SessionLimits struct {
	// Max bounds the sessions of all callers that are open at once.
	Max int
	// IdleTimeout is how long after its last run a session ends, Lifetime how long after
	// its beginning.
	IdleTimeout, Lifetime time.Duration
}

// CloseSession ends a session, and a run of it that is under way, if the executor has it.
func (c *Client) CloseSession(ctx context.Context, s *Session) error {
	_, err := c.service.CloseSession(c.outgoing(ctx), &codemodev1.CloseSessionRequest{Id: s.id})
	if status.Code(err) == codes.InvalidArgument {
		return badSession(err)
	}
	if err != nil {
		return fromStatus(err, false)
	}
	return nil
}

func badSession(err error) error {
	return fault.New(fault.Invalid, "the session cannot be: %s", status.Convert(err).Message())
}

// enterSession waits for other runs of the session. Before the first it asks whether the
// executor keeps sessions: one that does not know what they are would run the program.
func (r *run) enterSession(ctx context.Context) error {
	s := r.request.Session
	if s == nil {
		return nil
	}
	if r.client.several {
		return fault.New(fault.Invalid, "a session is one executor's, and behind a dns:/// address there may be several").
			WithRemedy("give the sessions' executor an address of its own")
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(fault.Cancelled, context.Cause(ctx), "the run waited for another one of its session")
	}
	if s.begun {
		return nil
	}
	info, err := r.client.Info(ctx)
	if err == nil && info.Sessions == nil {
		err = fault.New(fault.Rejected, "the executor keeps no sessions").
			WithRemedy("set executor.sessions.max of the executor to how many it is to keep")
	}
	if err != nil {
		<-s.turn
		if ctx.Err() != nil {
			return fault.Wrap(fault.Cancelled, context.Cause(ctx), "the run was cancelled")
		}
	}
	return err
}

// leaveSession lets the session's next run begin. One that may have begun the session has.
func (r *run) leaveSession() {
	if s := r.request.Session; s != nil {
		s.begun = s.begun || r.started
		<-s.turn
	}
}

// inSession makes sure that the program has started in its session.
func (r *run) inSession(known []codemodev1.Feature) error {
	if r.request.Session == nil || slices.Contains(known, codemodev1.Feature_FEATURE_SESSIONS) {
		return nil
	}
	failure := fault.New(fault.Unavailable, "an executor that keeps no sessions has started the program without one")
	failure.Started = true
	return failure
}
