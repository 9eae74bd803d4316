// Package fault holds the one error type of the module. The root package re-exports
// it as codemode.Error; see there for how callers use it.
package fault

import (
	"errors"
	"fmt"
)

// A Code says who has to do something about an error.
type Code string

const (
	// Invalid: the caller passed something that cannot work; the message says what to change.
	Invalid Code = "invalid"
	// Config: the configuration cannot be used.
	Config Code = "config"
	// Sandbox: the required isolation is not to be had on this machine.
	Sandbox Code = "sandbox"
	// Python: no usable CPython.
	Python Code = "python"
	// Unauthenticated: the executor did not accept the API key or the certificate.
	Unauthenticated Code = "unauthenticated"
	// Rejected: the executor did not start the program (overloaded, draining, too long).
	Rejected Code = "rejected"
	// SessionLost: the session that a program was to run in has ended, and its state with it.
	// The program has not run.
	SessionLost Code = "session_lost"
	// Unavailable: the executor cannot be reached, or was lost in the middle of a run.
	Unavailable Code = "unavailable"
	// Cancelled: the caller's context ended.
	Cancelled Code = "cancelled"
	// Tool: a tool failed.
	Tool Code = "tool"
	// Internal: a bug in codemode.
	Internal Code = "internal"
)

// Error is the error type of every exported function of the module.
type Error struct {
	Code Code
	// Message says what happened, without the code and without Err's text.
	Message string
	// Remedy says what to do about it; may be empty.
	Remedy string
	// Started is true if the program may have begun to run, so that running it again
	// could repeat side effects.
	Started bool
	// Err is the cause; may be nil.
	Err error
}

// Error gives the message, the cause and the remedy in one line.
func (e *Error) Error() string {
	s := e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Remedy != "" {
		s += " (" + e.Remedy + ")"
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error with a formatted message and no cause; Wrap is for causes.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error around a cause.
func Wrap(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// WithRemedy sets what to do about it.
func (e *Error) WithRemedy(format string, args ...any) *Error {
	e.Remedy = fmt.Sprintf(format, args...)
	return e
}

// CodeOf gives the code of the first Error in err's chain, or Internal if there is none
// and err is not nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
