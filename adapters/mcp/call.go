package mcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/registry"
)

// A call is one that is under way.
type call struct {
	tool, remote string // the names here and there
	promised     bool   // the tool has a schema for its result
	report       func(registry.Progress)
}

// call runs one call on the server. Its errors are the program's ToolErrors.
func (s *Source) call(ctx context.Context, what call, args registry.Args) (any, error) {
	if s.CallTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.CallTimeout, errCallTimeout)
		defer cancel()
	}
	for attempt := 1; ; attempt++ {
		c, err := s.session(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, s.callError(ctx, err)
			}
			return nil, &registry.ToolError{Kind: registry.KindUnavailable, Err: err}
		}
		result, err := s.callOn(ctx, c, what, args)
		if err == nil {
			return valueOf(result, what.promised)
		}
		// The server did nothing if the call was not sent, because the connection had
		// broken before, or if it has forgotten the session, by a restart perhaps.
		if notSent := errors.Is(err, sdk.ErrConnectionClosed); attempt == 1 && (notSent || errors.Is(err, sdk.ErrSessionMissing)) {
			s.discard(c)
			continue
		}
		return nil, s.callError(ctx, err)
	}
}

var errCallTimeout = errors.New("CallTimeout")

func (s *Source) callOn(ctx context.Context, c *session, what call, args registry.Args) (*sdk.CallToolResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	params := &sdk.CallToolParams{Name: what.remote, Arguments: args.JSON()}
	what.report = func(p registry.Progress) { registry.ReportProgress(ctx, p) }
	token := s.announce(what)
	defer s.forget(token)
	params.SetProgressToken(token)
	var tooLarge atomic.Bool
	result, err := c.CallTool(context.WithValue(ctx, tooLargeKey{}, &tooLarge), params)
	if err != nil && tooLarge.Load() {
		err = errMessageTooLarge // of which the SDK keeps no more than the words
	}
	return result, err
}

// tooLargeKey is for an *atomic.Bool, which is set where the answer of a request over HTTP
// is beyond the limit.
type tooLargeKey struct{}

// callError says to the program what became of its call.
func (s *Source) callError(ctx context.Context, err error) error {
	failure := &registry.ToolError{Kind: registry.KindUnavailable, Err: err}
	answered, isAnswer := errors.AsType[*jsonrpc.Error](err)
	switch {
	case errors.Is(context.Cause(ctx), errCallTimeout):
		failure.Kind = registry.KindTimeout
		failure.Message = fmt.Sprintf("the %s did not answer within %v", s, s.CallTimeout)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errMessageTooLarge):
		failure.Kind = registry.KindTooLarge
		failure.Message = fmt.Sprintf("the %s sent a message of more than %d bytes; the call may have taken effect", s, s.maximum())
	case isAnswer && !connectionFailure(answered.Code) && !errors.Is(err, sdk.ErrConnectionClosed):
		failure.Kind, failure.Message = registry.KindFailed, answered.Message
		if answered.Code == jsonrpc.CodeInvalidParams {
			failure.Kind = registry.KindInvalidArguments
		}
	default:
		failure.Message = fmt.Sprintf("there is no usable answer of the %s, and the call may have taken effect: %v", s, err)
	}
	return failure
}

// connectionFailure tells codes that the SDK uses for its own troubles from those of a
// server.
func connectionFailure(code int64) bool { return code <= -32003 && code >= -32005 }

// announce gives a call the token by which the server tells its progress.
func (s *Source) announce(what call) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastCall++
	token := strconv.FormatUint(s.lastCall, 10)
	s.calls[token] = what
	return token
}

func (s *Source) forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, token)
}

// progress passes on what the server tells of a call, if there is one.
func (s *Source) progress(params *sdk.ProgressNotificationParams) {
	if params == nil {
		return
	}
	token, ok := params.ProgressToken.(string)
	if !ok {
		return
	}
	s.mu.Lock()
	what, ok := s.calls[token]
	s.mu.Unlock()
	if !ok {
		return
	}
	message := bounded(params.Message, stderrTail)
	s.log.Log(context.Background(), slog.LevelDebug, "progress",
		"tool", what.tool, "progress", params.Progress, "total", params.Total, "message", message)
	what.report(registry.Progress{Done: params.Progress, Total: params.Total, Message: message})
	if s.OnProgress != nil {
		s.OnProgress(Progress{Tool: what.tool, Progress: params.Progress, Total: params.Total, Message: message})
	}
}
