package registry

import (
	"fmt"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// The kinds of a ToolError, which a program sees in ToolError.kind.
const (
	// KindFailed: the tool ran and gave an error, or panicked.
	KindFailed = "failed"
	// KindInvalidArguments: the arguments do not fit the schema; the tool did not run.
	KindInvalidArguments = "invalid_arguments"
	// KindUnknownTool: there is no tool of that name.
	KindUnknownTool = "unknown_tool"
	// KindDenied: a policy or a person refused the call.
	KindDenied = "denied"
	// KindTimeout: the deadline passed before the tool was done.
	KindTimeout = "timeout"
	// KindUnavailable: no implementation is connected, or what the tool needs is down.
	KindUnavailable = "unavailable"
	// KindLimit: a limit on calls was reached.
	KindLimit = "limit"
	// KindTooLarge: the arguments or the result exceed their size.
	KindTooLarge = "too_large"
)

var kinds = map[string]bool{
	KindFailed: true, KindInvalidArguments: true, KindUnknownTool: true, KindDenied: true,
	KindTimeout: true, KindUnavailable: true, KindLimit: true, KindTooLarge: true,
}

// MaxMessageBytes bounds ToolError.Message as Call gives it; the rest is cut off.
const MaxMessageBytes = 8 << 10

// A ToolError is a call that failed, as the program will see it. A handler that returns
// one sets Kind and Message, and Err if there is a cause; Call sets the rest.
type ToolError struct {
	// Tool is the name that was called.
	Tool string
	// Kind is one of the Kind constants. If it is none of them, KindFailed.
	Kind string
	// Message is shown to the program and the model. If empty, Err's text.
	Message string
	// Err is the cause, for the application only; may be nil.
	Err error
}

// Error names the tool and gives the message.
func (e *ToolError) Error() string {
	if e.Tool == "" {
		return e.message()
	}
	return "tool " + e.Tool + ": " + e.message()
}

func (e *ToolError) message() string {
	if e.Message == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *ToolError) Unwrap() error { return e.Err }

// As lets a ToolError be looked at as the module's one error type, with fault.Tool.
func (e *ToolError) As(target any) bool {
	f, ok := target.(**fault.Error)
	if ok {
		*f = &fault.Error{Code: fault.Tool, Message: e.Error(), Started: true}
	}
	return ok
}

// A PanicError is the cause in the ToolError of a handler that panicked.
type PanicError struct {
	// Value is what the handler panicked with.
	Value any
	// Stack is where, as debug.Stack gives it. It is not shown to the program.
	Stack []byte
}

// Error gives the value that was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
