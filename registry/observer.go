package registry

import "context"

// An Observer is told what happens in one call besides its outcome. Fields may be nil.
// They must not block.
type Observer struct {
	// Held is called with true when a wait for an approval begins and with false when it
	// ends.
	Held func(held bool)
	// Approval is called when it is decided whether the call may be made, if that needed
	// a decision.
	Approval func(Approval)
	// Progress is called with what the tool reports; see ReportProgress. Several goroutines
	// may call it at once.
	Progress func(Progress)
}

// The decisions about a call.
const (
	Approved = "approved" // with the program's arguments
	Edited   = "edited"   // with others in their place
	Denied   = "denied"   // also where nobody answered, or nobody could be asked
)

// An Approval is what was decided about a call.
type Approval struct {
	// Decision is Approved, Edited or Denied.
	Decision string
	// Reason is Decision.Reason, or says why there was no decision; may be empty.
	Reason string
	// Args are the arguments in force if the Decision is Edited, in the value encoding.
	Args []byte
}

// A Progress is how far a call has come.
type Progress struct {
	// Done grows from report to report, in a unit of the tool's own. Total is what it grows
	// to; zero if unknown.
	Done, Total float64
	// Message is for people; may be empty. What is over MaxMessageBytes is cut off.
	Message string
}

// ReportProgress tells the application how far a call has come: Options.OnEvent of package
// codemode gets it. ctx is the one that the tool was called with; with another, nothing
// happens. A program is told nothing. Of reports that follow each other faster than they
// can be told, the last one is.
func ReportProgress(ctx context.Context, p Progress) {
	report, ok := ctx.Value(progressKey{}).(func(Progress))
	if !ok {
		return
	}
	if p.Message != "" {
		p.Message = bounded(p.Message)
	}
	report(p)
}

type progressKey struct{}

// within gives the context that the tool's handler gets.
func (o *Observer) within(ctx context.Context) context.Context {
	if o == nil || o.Progress == nil {
		return ctx
	}
	return context.WithValue(ctx, progressKey{}, o.Progress)
}

func (o *Observer) held(held bool) {
	if o != nil && o.Held != nil {
		o.Held(held)
	}
}

func (o *Observer) approval(a Approval) {
	if o != nil && o.Approval != nil {
		o.Approval(a)
	}
}
