package codemode

import (
	"context"

	"github.com/codemode-sdk/codemode/executorclient"
)

// What a run gives; see package executorclient, where the types are documented.
type (
	// Result is what became of one program.
	Result = executorclient.Result
	// Status says how a run ended.
	Status = executorclient.Status
	// ProgramError says why a program did not come to its end.
	ProgramError = executorclient.ProgramError
	// ToolCall is the record of one call.
	ToolCall = executorclient.ToolCall
	// Approval is what was decided about a call.
	Approval = executorclient.Approval
	// Event is something that happened during a run.
	Event = executorclient.Event
	// Artifact is a file that a program left behind.
	Artifact = executorclient.Artifact
	// Usage is what the executor measured.
	Usage = executorclient.Usage
	// Session is state that programs share.
	Session = executorclient.Session
	// Layer is one part of the sandbox.
	Layer = executorclient.Layer
	// Limits lower the executor's own for one run.
	Limits = executorclient.Limits
)

// The statuses of a Result.
const (
	StatusOK          = executorclient.OK          // the program came to its end
	StatusError       = executorclient.Failed      // it raised, or exited with a code other than 0
	StatusTimeout     = executorclient.Timeout     // its time was over, tool time included
	StatusMemoryLimit = executorclient.MemoryLimit // it used more memory than it may
	StatusOutputLimit = executorclient.OutputLimit // it printed more than it may
	StatusCancelled   = executorclient.Cancelled   // the caller's context ended
	StatusKilled      = executorclient.Killed      // its process ended by a signal
	StatusRejected    = executorclient.Rejected    // it was not started
)

// Execute runs a program and waits for its end.
//
// A program that fails is a Result with its Status, and no error. An error means that
// there is no outcome to report: the executor refused the program, was lost, or ctx
// ended. The Result is there in any case, with the tool calls that were made.
//
// When ctx ends, the program is killed, and so are the contexts of its tool calls.
func (c *Codemode) Execute(ctx context.Context, code string) (*Result, error) {
	return c.ExecuteRequest(ctx, Request{Code: code})
}

// A Request is a program with what is particular to its run.
type Request struct {
	// Code is Python source.
	Code string
	// ExecutionID names the run in logs and traces: 1 to 64 of A-Z a-z 0-9 _ -. If empty,
	// the executor chooses one.
	ExecutionID string
	// Session is what the program shares its variables with; see NewSession. If nil,
	// nothing: it has a process of its own, and is the last to run there.
	Session *Session
	// Limits lower those of the configuration; zero leaves them. The first run of a session
	// sets MemoryBytes for all of it.
	Limits Limits
	// OnEvent is told in place of Options.OnEvent, and of WithOnEvent's. If nil, those are.
	OnEvent func(Event)
}

// ExecuteRequest is Execute with a Request.
func (c *Codemode) ExecuteRequest(ctx context.Context, request Request) (*Result, error) {
	onEvent := request.OnEvent
	if onEvent == nil {
		onEvent = c.observer(ctx)
	}
	return c.client.Execute(ctx, executorclient.Request{
		Code: request.Code, Tools: c.registry, Calls: c.calls, ExecutionID: request.ExecutionID,
		// The executor's own deadline answers first, unless the executor is stuck.
		Timeout: c.config.Timeout,
		Limits:  request.Limits, OnEvent: onEvent,
		Session: request.Session,
	})
}

type onEventKey struct{}

// WithOnEvent gives a context with which the runs of Execute, Call, Dispatch and the calls
// of direct tools tell onEvent what happens, in place of Options.OnEvent: that of one
// conversation, for an application that leads several.
func WithOnEvent(ctx context.Context, onEvent func(Event)) context.Context {
	return context.WithValue(ctx, onEventKey{}, onEvent)
}

func (c *Codemode) observer(ctx context.Context) func(Event) {
	if own, ok := ctx.Value(onEventKey{}).(func(Event)); ok && own != nil {
		return own
	}
	return c.onEvent
}

// NewSession names state that the programs of several Requests share: each finds the
// variables, imports and files that those before it left. See executorclient.NewSession for
// ids, and docs/configuration.md, executor.sessions, for what an executor keeps: by default
// it keeps none, and a Request with a Session fails with CodeRejected. State that is lost
// fails with CodeSessionLost, and never begins anew by itself.
func NewSession(id string) *Session { return executorclient.NewSession(id) }

// ResumeSession names a session that another process, or another Codemode with the same API
// key, has begun.
func ResumeSession(id string) *Session { return executorclient.ResumeSession(id) }

// CloseSession ends a session before its time is over, and frees its worker.
func (c *Codemode) CloseSession(ctx context.Context, session *Session) error {
	return c.client.CloseSession(ctx, session)
}
