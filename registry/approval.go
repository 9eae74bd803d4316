package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/codemode-sdk/codemode/internal/value"
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
func (run *Run) approve(ctx context.Context, e *Entry, args Args, observer *Observer) (Args, error) {
	decision, err := run.ask(ctx, ApprovalRequest{Tool: e, Args: args}, observer)
	if ctx.Err() != nil { // whatever was answered, it is too late
		return Args{}, ctx.Err()
	}
	told := Approval{Decision: Approved, Reason: decision.Reason}
	if err == nil && !decision.Allow {
		told.Decision, err = Denied, denied(nil, "the call was not approved")
		if decision.Reason != "" {
			err = denied(nil, "the call was not approved: "+decision.Reason)
		}
	}
	if err == nil && decision.Args != nil {
		told.Decision = Edited
		if args, told.Args, err = e.edited(decision.Args); err != nil {
			err = denied(err, "the call was approved with other arguments, which do not fit: "+err.Error())
		}
	}
	if err != nil {
		if told.Decision != Denied {
			told = Approval{Decision: Denied, Reason: bounded(err.Error())}
		}
		observer.approval(told)
		return Args{}, err
	}
	observer.approval(told)
	return args, nil
}

// ask gets the decision, or the error of a call about which there is none.
func (run *Run) ask(ctx context.Context, request ApprovalRequest, observer *Observer) (Decision, error) {
	ask := run.options.Approve
	if ask == nil {
		return Decision{}, denied(nil, "this tool needs a person's approval, and nobody can be asked here")
	}
	timeout := run.options.ApprovalTimeout
	if timeout <= 0 {
		timeout = DefaultApprovalTimeout
	}
	observer.held(true)
	defer observer.held(false)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	decision, err := watch(limited, &run.registry.tasks, func(ctx context.Context) (Decision, error) { return ask(ctx, request) })
	if err == nil {
		return decision, nil
	}
	if limited.Err() != nil {
		return Decision{}, denied(err, fmt.Sprintf("nobody answered within %v whether the call may be made", timeout))
	}
	if crash, crashed := errors.AsType[*PanicError](err); crashed { // of Approve: the tool has not run
		return Decision{}, denied(err, fmt.Sprintf("nobody could be asked whether the call may be made: what asks crashed: %v", crash.Value))
	}
	return Decision{}, denied(err, "nobody could be asked whether the call may be made: "+err.Error())
}

func denied(cause error, message string) error {
	return &ToolError{Kind: KindDenied, Err: cause, Message: message}
}

// edited checks the arguments of a decision, and encodes them for the record.
func (e *Entry) edited(given any) (args Args, encoded []byte, err error) {
	if args, err = NewArgs(given); err == nil {
		args, err = e.checked(args)
	}
	if err == nil {
		encoded, err = value.Encode(args.Map())
	}
	return args, encoded, err
}
