package registry

import (
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// MaxRetries bounds Policy.Retries.
const MaxRetries = 10

// A Policy says what a tool does and how it may be called. The zero Policy asks for
// nothing: the tool runs as often as the limits of the run allow, within the run's time.
type Policy struct {
	// ReadOnly, Destructive and Idempotent are what the tool's author says of it: it
	// changes nothing; what it changes cannot be had back; doing it again with the same
	// arguments changes nothing more. They bind nobody, but Retries and the
	// application's own rules can build on them. A tool that is ReadOnly is not
	// Destructive.
	ReadOnly, Destructive, Idempotent bool

	// Timeout bounds one attempt of the handler, without the wait for an approval or for
	// Concurrency. When it is over, the handler's context ends and the program gets a
	// ToolError with KindTimeout at once, even if the handler goes on. If zero, the run's
	// own time is the bound. Of a streaming tool it bounds all rows together, the
	// program's time between them included.
	Timeout time.Duration
	// Retries is how often a call that failed is tried again: at most MaxRetries, with
	// pauses from 100 ms on that double up to 2 s. Only an Idempotent or ReadOnly tool
	// may have any. What trying again cannot mend is not retried: arguments that do not
	// fit, a denial, a limit, a panic. A streaming tool has none.
	Retries int
	// CallsPerRun bounds the calls that one program makes; further ones fail with
	// KindLimit. If zero, the executor's limit on all calls of a run is the bound.
	CallsPerRun int
	// Concurrency bounds the calls that are in the handler at one time, over all runs;
	// further ones wait. If zero, there is no bound.
	Concurrency int
	// ResultBytes bounds the encoded result; a larger one is a ToolError with
	// KindTooLarge. If zero, the executor's limit is the bound. Of a streaming tool it
	// bounds each row.
	ResultBytes int

	// RequireApproval makes each call wait for the application's Approve, without which
	// it is denied.
	RequireApproval bool
	// Direct offers the tool to the model as a function tool of its own, besides from
	// programs.
	Direct bool
	// Hidden leaves the tool out of everything that the model is shown: descriptions,
	// stubs and search. It is no secret and no protection: a program that knows the name
	// can call it.
	Hidden bool
}

func (p Policy) check() error {
	switch {
	case p.Timeout < 0, p.CallsPerRun < 0, p.Concurrency < 0, p.ResultBytes < 0, p.Retries < 0:
		return fault.New(fault.Invalid, "its policy has a negative limit").WithRemedy("leave it at zero for none")
	case p.Retries > MaxRetries:
		return fault.New(fault.Invalid, "its policy has %d retries; the limit is %d", p.Retries, MaxRetries)
	case p.Retries > 0 && !p.Idempotent && !p.ReadOnly:
		return fault.New(fault.Invalid, "its policy has retries, which would repeat what the tool does").
			WithRemedy("set Idempotent or ReadOnly if that does no harm, else Retries to 0")
	case p.ReadOnly && p.Destructive:
		return fault.New(fault.Invalid, "its policy says both ReadOnly and Destructive").WithRemedy("set one of them")
	case p.Direct && p.Hidden:
		return fault.New(fault.Invalid, "its policy says both Direct and Hidden").WithRemedy("set one of them")
	}
	return nil
}

// onePolicy is the optional argument of functions that register.
func onePolicy(policies []Policy) (Policy, error) {
	switch len(policies) {
	case 0:
		return Policy{}, nil
	case 1:
		return policies[0], nil
	}
	return Policy{}, fault.New(fault.Invalid, "it has %d policies", len(policies)).WithRemedy("give one")
}

// SetPolicies has the last word about every tool's policy, of those that are registered
// and of those to come, sources' tools included: choose gets a tool and the policy that
// it was registered with, and gives the one in force. It fails if it gives one that
// cannot be, and then nothing has changed; for a tool to come, it is the registration
// that fails. Calls under way go on as they were. choose may be called by several
// goroutines at once and must not call the Registry.
//
//	reg.SetPolicies(func(tool *registry.Entry, p registry.Policy) registry.Policy {
//		p.RequireApproval = p.RequireApproval || p.Destructive
//		return p
//	})
func (r *Registry) SetPolicies(choose func(tool *Entry, p Policy) Policy) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := make([]*Entry, 0, len(r.entries))
	for _, e := range r.entries {
		next := *e
		if err := next.choosePolicy(choose); err != nil {
			err = fault.Wrap(fault.Invalid, err, "cannot set the policy of the tool %q", e.name)
			r.errs = append(r.errs, err)
			return err
		}
		changed = append(changed, &next)
	}
	for _, e := range changed {
		r.entries[e.name], r.spelled[e.spelling()] = e, e
	}
	r.choose, r.view = choose, nil
	return nil
}

// choosePolicy puts the policy in force that choose, if there is one, makes of the one
// that the tool was registered with.
func (e *Entry) choosePolicy(choose func(*Entry, Policy) Policy) error {
	p := e.given
	if choose != nil {
		p = choose(e, p)
	}
	if err := p.check(); err != nil {
		return err
	}
	if e.streaming && p.Retries > 0 {
		return fault.New(fault.Invalid, "its policy has retries, and a tool that streams cannot begin again").WithRemedy("set Retries to 0")
	}
	if p.Concurrency != e.policy.Concurrency {
		e.places = nil
		if p.Concurrency > 0 {
			e.places = make(chan struct{}, p.Concurrency)
		}
	}
	e.policy = p
	return nil
}
