package registry

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/internal/value"
)

// Call runs one call of a tool: arguments and result are in the value encoding that
// programs and executors exchange; no arguments at all are an empty object. The handler
// runs on the calling goroutine, after the arguments have passed the schema. Every error
// is a *ToolError whose fields are all set and whose message is UTF-8 of at most
// MaxMessageBytes.
//
// Where ctx is over before the handler starts, it does not start. Where it ends later,
// the handler is expected to notice; Call waits for it, and gives its result if it has
// one after all.
func (r *Registry) Call(ctx context.Context, name string, arguments []byte) (result []byte, err error) {
	e, ok := r.Lookup(name)
	if !ok {
		return nil, r.unknown(name)
	}
	result, err = e.call(ctx, arguments)
	if err != nil {
		return nil, toolError(ctx, name, err)
	}
	return result, nil
}

func (e *Entry) call(ctx context.Context, arguments []byte) (result []byte, err error) {
	args, err := decodeArgs(arguments)
	args.schema = e.input
	if err == nil {
		err = e.input.Validate(value.Instance(args.Map()))
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
	// Encoding is inside: it calls methods of the result.
	defer func() {
		if v := recover(); v != nil {
			p := &PanicError{Value: v, Stack: debug.Stack()}
			result, err = nil, &ToolError{Kind: KindFailed, Message: "the tool crashed: " + p.Error(), Err: p}
		}
	}()
	v, err := e.handler(ctx, args)
	if err != nil {
		return nil, err
	}
	result, err = value.Encode(v)
	if err != nil {
		return nil, &ToolError{Kind: KindFailed, Message: "the tool's result cannot be sent: " + err.Error(), Err: err}
	}
	return result, nil
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
