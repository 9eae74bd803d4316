package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// DefaultApprovalTimeout bounds a wait for approval, unless RunOptions say otherwise.
const DefaultApprovalTimeout = 5 * time.Minute

// An ApprovalRequest is a call about which the application decides.
type ApprovalRequest struct {
	// Tool is what is to be called.
	Tool *Entry
	// Args are the arguments of the call; they have passed the schema.
	Args Args
}

// A Decision is the answer. The zero Decision denies.
type Decision struct {
	// Allow lets the call go on.
	Allow bool
	// Reason is shown to the program and the model where Allow is false; may be empty.
	Reason string
	// Args take the place of the arguments where Allow is true: a map or a struct, as for
	// NewArgs. The schema applies to them too. If nil, the arguments stay as they are.
	Args any
}

// approve asks the application, and gives the arguments to go on with.
func (run *Run) approve(ctx context.Context, e *Entry, args Args, hold func(bool)) (Args, error) {
	ask := run.options.Approve
	if ask == nil {
		return Args{}, &ToolError{Kind: KindDenied, Message: "this tool needs a person's approval, and nobody can be asked here"}
	}
	timeout := run.options.ApprovalTimeout
	if timeout <= 0 {
		timeout = DefaultApprovalTimeout
	}
	if hold != nil {
		hold(true)
		defer hold(false)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	decision, err := watch(limited, &run.registry.tasks, func(ctx context.Context) (Decision, error) {
		return ask(ctx, ApprovalRequest{Tool: e, Args: args})
	})
	switch {
	case ctx.Err() != nil: // whatever was answered, it is too late
		return Args{}, ctx.Err()
	case err != nil && limited.Err() != nil:
		return Args{}, &ToolError{Kind: KindDenied, Err: err, Message: fmt.Sprintf("nobody answered within %v whether the call may be made", timeout)}
	case err != nil:
		if _, crashed := errors.AsType[*PanicError](err); crashed {
			return Args{}, err
		}
		return Args{}, &ToolError{Kind: KindDenied, Err: err, Message: "nobody could be asked whether the call may be made: " + err.Error()}
	case !decision.Allow && decision.Reason == "":
		return Args{}, &ToolError{Kind: KindDenied, Message: "the call was not approved"}
	case !decision.Allow:
		return Args{}, &ToolError{Kind: KindDenied, Message: "the call was not approved: " + decision.Reason}
	case decision.Args == nil:
		return args, nil
	}
	edited, err := NewArgs(decision.Args)
	if err == nil {
		edited, err = e.checked(edited)
	}
	if err != nil {
		return Args{}, &ToolError{Kind: KindDenied, Err: err, Message: "the call was approved with other arguments, which do not fit: " + err.Error()}
	}
	return edited, nil
}
