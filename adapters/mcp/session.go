package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
)

// A session is one connection to the server.
type session struct {
	*sdk.ClientSession
	source  *Source
	changed chan struct{} // holds one token: the server has other tools now
	gone    chan struct{} // closed when the connection is
	closing sync.Once
	life    context.Context
	end     context.CancelFunc
}

func (c *session) lost() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

func (c *session) close() {
	c.closing.Do(func() {
		// First what is under way: closing would wait for it.
		c.end()
		// What a server says when it ends, such as its exit status, interests nobody.
		_ = c.Close()
	})
}

// discard has the next call connect again.
func (s *Source) discard(c *session) {
	s.mu.Lock()
	if s.current == c {
		s.current = nil
	}
	s.mu.Unlock()
	c.close()
}

// session gives the connection, and makes one if there is none. One caller connects,
// the others wait for it, or for their ctx.
func (s *Source) session(ctx context.Context) (*session, error) {
	if c, err := s.connected(); c != nil || err != nil {
		return c, err
	}
	select {
	case s.connecting <- struct{}{}:
		defer func() { <-s.connecting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c, err := s.connected(); c != nil || err != nil {
		return c, err
	}
	timeout := s.ConnectTimeout
	if timeout == 0 {
		timeout = DefaultConnectTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registry == nil { // closed meanwhile, and Close waits
		c.close()
		return nil, s.notStarted()
	}
	s.current = c
	return c, nil
}

func (s *Source) connected() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registry == nil {
		return nil, s.notStarted()
	}
	if s.current != nil && s.current.lost() {
		s.current = nil
	}
	return s.current, nil
}

func (s *Source) notStarted() error {
	return fault.New(fault.Unavailable, "the %s has been closed", s)
}

// connect makes a connection and takes the tools over. What it starts ends with the
// connection, or is over when it fails.
func (s *Source) connect(ctx context.Context) (*session, error) {
	transport, said, err := s.transport(ctx)
	if err != nil {
		return nil, s.unreachable(ctx, err, said)
	}
	// The connection outlives the call that makes it.
	life, end := context.WithCancel(s.life)
	stop := context.AfterFunc(ctx, end)
	c := &session{source: s, changed: make(chan struct{}, 1), gone: make(chan struct{}), life: life, end: end}
	client := sdk.NewClient(&sdk.Implementation{Name: "codemode", Version: version.String()}, s.clientOptions(c))
	c.ClientSession, err = client.Connect(life, transport, nil)
	if err != nil {
		stop()
		end()
		if own, ok := transport.(*exactTransport); ok {
			own.abandon()
		}
		return nil, s.unreachable(ctx, err, said)
	}
	s.running.Go(func() {
		// How a connection ends is told to the call that needed it.
		_ = c.Wait()
		close(c.gone)
		c.close()
	})
	err = s.takeTools(ctx, c)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.close()
		return nil, s.unreachable(ctx, err, said)
	}
	s.running.Go(c.follow)
	return c, nil
}

func (s *Source) clientOptions(c *session) *sdk.ClientOptions {
	return &sdk.ClientOptions{
		Logger: s.log,
		// Nothing but tools is asked for: no roots, no sampling, no elicitation.
		Capabilities:   &sdk.ClientCapabilities{},
		MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true},
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) {
			select {
			case c.changed <- struct{}{}:
			default: // to be looked at anyway
			}
		},
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { s.progress(r.Params) },
		LoggingMessageHandler:       func(_ context.Context, r *sdk.LoggingMessageRequest) { s.serverLog(r.Params) },
	}
}

// follow takes over the server's tools whenever they change.
func (c *session) follow() {
	for {
		select {
		case <-c.gone:
			return
		case <-c.changed:
		}
		ctx, cancel := context.WithTimeout(c.life, DefaultConnectTimeout)
		if err := c.source.takeTools(ctx, c); err != nil && c.life.Err() == nil && !c.lost() {
			c.source.log.Warn("the server's new list of tools cannot be used; the old one stays", "error", err)
		}
		cancel()
	}
}

// unreachable says why there is no connection, with the server's own words.
func (s *Source) unreachable(ctx context.Context, err error, said fmt.Stringer) error {
	if known := fault.CodeOf(err); known == fault.Invalid {
		return err
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("it took too long: %w", context.Cause(ctx))
	}
	failure := fault.Wrap(fault.Unavailable, err, "the %s cannot be used", s)
	if said != nil {
		if words := said.String(); words != "" {
			failure = failure.WithRemedy("it said: %s", words)
		}
	}
	return failure
}

// serverLog passes on what the server logs.
func (s *Source) serverLog(params *sdk.LoggingMessageParams) {
	if params == nil {
		return
	}
	text, err := json.Marshal(params.Data)
	if err != nil {
		return // what was decoded can be encoded
	}
	level := slog.LevelDebug
	switch params.Level {
	case "warning", "error", "critical", "alert", "emergency":
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, "the server logged", "level", string(params.Level), "data", bounded(string(text), stderrTail))
}

func bounded(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
