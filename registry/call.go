package registry

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/internal/value"
)

// RunOptions are what an application adds to the calls of a run.
type RunOptions struct {
	// Middleware wraps every call whose arguments have passed the schema: the first is
	// the outermost, and the innermost calls what asks for approval, waits for a place and
	// runs the tool. What it passes on as arguments is checked again. EntryFromContext
	// tells it which tool is called.
	Middleware []func(next Handler) Handler
	// Approve decides about calls of tools with Policy.RequireApproval. If nil, they are
	// denied. It is asked about several calls at once where a program makes them so.
	Approve func(context.Context, ApprovalRequest) (Decision, error)
	// ApprovalTimeout bounds one wait for Approve; the call is denied when it is over. If
	// zero, DefaultApprovalTimeout.
	ApprovalTimeout time.Duration
}

// A Run is what the calls of one program have in common: the options and the counts. It
// is safe for use by many goroutines.
type Run struct {
	registry *Registry
	options  RunOptions

	mu    sync.Mutex
	calls map[string]int // by name, of tools with Policy.CallsPerRun
}

// NewRun begins a run.
func (r *Registry) NewRun(options RunOptions) *Run {
	return &Run{registry: r, options: options}
}

// Call is a run of one call, without options; see Run.Call.
func (r *Registry) Call(ctx context.Context, name string, arguments []byte) (result []byte, err error) {
	return r.NewRun(RunOptions{}).Call(ctx, name, arguments, nil)
}

// Call runs one call of a tool: arguments and result are in the value encoding that
// programs and executors exchange; no arguments at all are an empty object. Unless the
// tool has a Policy.Timeout, the handler runs on the calling goroutine. It starts after
// the arguments have passed the schema. Every error is a *ToolError whose fields are all
// set and whose message is UTF-8 of at most MaxMessageBytes.
//
// Where ctx is over before the handler starts, it does not start. Where it ends later,
// the handler is expected to notice; Call waits for it, and gives its result if it has
// one after all.
//
// The observer may be nil.
func (run *Run) Call(ctx context.Context, name string, arguments []byte, observer *Observer) (result []byte, err error) {
	e, ok := run.registry.Lookup(name)
	if !ok {
		return nil, run.registry.unknown(name)
	}
	result, err = run.call(ctx, e, arguments, observer)
	if err != nil {
		return nil, toolError(ctx, name, err)
	}
	return result, nil
}

func (run *Run) call(ctx context.Context, e *Entry, arguments []byte, observer *Observer) (result []byte, err error) {
	if e.streaming {
		return nil, &ToolError{Kind: KindUnavailable, Message: "the tool gives rows, and its caller or the executor does not know how to take them"}
	}
	defer recovered(&err)
	v, err := run.invoke(ctx, e, arguments, observer)
	if err != nil {
		return nil, err
	}
	// Encoding calls methods of the result, which may panic as the tool may.
	if result, err = value.Encode(v); err != nil {
		return nil, cannotBeSent("result", err)
	}
	if err := e.checkSize("result", len(result)); err != nil {
		return nil, err
	}
	return result, nil
}

// invoke gives what the handler, with everything around it, makes of a call.
func (run *Run) invoke(ctx context.Context, e *Entry, arguments []byte, observer *Observer) (any, error) {
	args, err := decodeArgs(arguments)
	if err == nil {
		args, err = e.checked(args)
	}
	if err != nil {
		return nil, &ToolError{Kind: KindInvalidArguments, Message: err.Error(), Err: err}
	}
	if e.handler == nil {
		return nil, &ToolError{
			Kind:    KindUnavailable,
			Message: fmt.Sprintf("no implementation is connected to the tool %q", e.name),
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := run.count(e); err != nil {
		return nil, err
	}
	return run.handler(e, observer)(context.WithValue(observer.within(ctx), entryKey{}, e), args)
}

// recovered makes an error of a panic; to be deferred.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = panicked(v)
	}
}

func cannotBeSent(what string, err error) error {
	return &ToolError{Kind: KindFailed, Message: "the tool's " + what + " cannot be sent: " + err.Error(), Err: err}
}

// checkSize refuses a result or a row over the policy's limit.
func (e *Entry) checkSize(what string, size int) error {
	if limit := e.policy.ResultBytes; limit > 0 && size > limit {
		return &ToolError{Kind: KindTooLarge, Message: fmt.Sprintf(
			"the %s takes %d bytes; the limit of this tool is %d: ask for less", what, size, limit)}
	}
	return nil
}

// checked validates arguments.
func (e *Entry) checked(args Args) (Args, error) {
	args.schema = e.input
	return args, e.input.Validate(value.Instance(args.Map()))
}

// count takes one of the calls that a run may make of a tool.
func (run *Run) count(e *Entry) error {
	limit := e.policy.CallsPerRun
	if limit == 0 {
		return nil
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	if run.calls[e.name] >= limit {
		return &ToolError{Kind: KindLimit, Message: fmt.Sprintf("a program may call this tool %d times, and has done so", limit)}
	}
	if run.calls == nil {
		run.calls = map[string]int{}
	}
	run.calls[e.name]++
	return nil
}

// handler is a tool's handler with everything around it.
func (run *Run) handler(e *Entry, observer *Observer) Handler {
	whole := func(ctx context.Context, args Args) (any, error) {
		if len(run.options.Middleware) > 0 {
			var err error
			if args, err = e.checked(args); err != nil {
				return nil, fmt.Errorf("the arguments that the application put in place do not fit: %w", err)
			}
		}
		if e.policy.RequireApproval {
			var err error
			if args, err = run.approve(ctx, e, args, observer); err != nil {
				return nil, err
			}
		}
		if e.streaming {
			return run.registry.attemptRows(ctx, e, args), nil
		}
		return run.registry.attempts(ctx, e, args)
	}
	var handler Handler = whole
	for i := len(run.options.Middleware) - 1; i >= 0; i-- {
		handler = run.options.Middleware[i](handler)
	}
	return handler
}

type entryKey struct{}

// EntryFromContext gives the tool that is being called, from the context that middleware
// and handlers get; nil outside of a call.
func EntryFromContext(ctx context.Context) *Entry {
	e, _ := ctx.Value(entryKey{}).(*Entry)
	return e
}

func panicked(v any) *ToolError {
	p := &PanicError{Value: v, Stack: debug.Stack()}
	return &ToolError{Kind: KindFailed, Message: "the tool crashed: " + p.Error(), Err: p}
}

// toolError makes of a call's error what the program is told.
func toolError(ctx context.Context, name string, err error) *ToolError {
	told := &ToolError{Tool: name, Kind: KindFailed, Message: err.Error(), Err: err}
	switch own, ok := errors.AsType[*ToolError](err); {
	case ok:
		if kinds[own.Kind] {
			told.Kind = own.Kind
		}
		if own == err { //nolint:errorlint // one that is wrapped has more to say
			told.Message, told.Err = own.message(), own.Err
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		told.Kind = KindTimeout
		if err == context.DeadlineExceeded { //nolint:errorlint // nothing but the bare error
			told.Message = "the deadline passed before the tool was done"
		}
	case err == context.Canceled: //nolint:errorlint // nothing but the bare error
		told.Message = "the call was cancelled"
	}
	told.Message = bounded(told.Message)
	return told
}

// bounded makes a message fit for the wire.
func bounded(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if message == "" {
		return "the tool failed without saying why"
	}
	if len(message) <= MaxMessageBytes {
		return message
	}
	const note = " ... (cut off)"
	end := MaxMessageBytes - len(note)
	for !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + note
}
