package sidecar

import "time"

// An Observer is told what an executor does, for metrics. Its methods are called by many
// goroutines at once and must not block: programs wait for them.
type Observer interface {
	// ToolCalled is told of each tool call when its outcome arrives: the tool, ToolOK or
	// ToolFailed, and how long the application took. A name that the application did not
	// offer is UnknownTool.
	ToolCalled(tool, outcome string, took time.Duration)
	// Executed is told of each execution that is over, and of each that was refused. The
	// record is shared: do not change it.
	Executed(record *Record)
}

// Outcomes of a tool call.
const (
	ToolOK     = "ok"
	ToolFailed = "failed"
)

// UnknownTool stands for every name that is not one of the execution's tools.
const UnknownTool = "(unknown)"

// A Record is what there is to tell about one execution. Nothing in it but Code and the
// error's type is of the program's making.
type Record struct {
	// ExecutionID names the execution; empty if it was refused before it had a name.
	ExecutionID string
	// Caller is the id of the API key that the caller showed, as codemode serve logs it at
	// its start; it does not tell the key. Where none was needed it is "certificate:" and
	// whom the caller's certificate is for, at most 200 bytes of it: the common name, else
	// the first of the other names, else the serial number. It is empty for a caller with
	// neither, or with no valid key.
	Caller string
	// Session is the session that it ran in, or asked for; empty if it had none. It is of
	// the caller's making: 1 to 64 of A-Z a-z 0-9 _ -.
	Session string
	// Status is how it ended, as in the result object: ok, error, timeout, memory_limit,
	// output_limit, cancelled, killed or rejected.
	Status string
	// Reason says why a rejected one was: one of the Refused constants.
	Reason string
	// ErrorType is the type of the exception, or the name of the limit; at most 100 bytes.
	ErrorType string
	// Code is the program.
	Code string
	// Received is when the request arrived; Queued how long it then waited for a worker.
	Received time.Time
	Queued   time.Duration
	// Wall and CPU are what the program took; MaxRSSBytes is the most memory it held.
	Wall, CPU   time.Duration
	MaxRSSBytes int64
	// Tools are the tools that it called, in the order of their first calls.
	Tools []ToolUse
	// Egress counts the program's connections by the proxy's verdict; nil without a proxy.
	Egress map[string]int
}

// ToolUse sums up one execution's calls of one tool.
type ToolUse struct {
	Tool string
	// Calls were made; of these, Failed failed and Unanswered had no outcome at the end.
	Calls, Failed, Unanswered int
	// Time is the sum over the calls with an outcome.
	Time time.Duration
}

// Why an execution was refused.
const (
	RefusedUnauthenticated = "unauthenticated" // no valid API key
	RefusedInvalid         = "invalid"         // a request that cannot work, such as too long a program
	RefusedQueueFull       = "queue_full"
	RefusedQueueTimeout    = "queue_timeout"
	RefusedDraining        = "draining"  // the executor is stopping
	RefusedNoWorker        = "no_worker" // none could be made
	RefusedGone            = "gone"      // the client left before the program started
	RefusedSession         = "session"   // no such session, or no room for one
)

// Stats are figures of one moment.
type Stats struct {
	// Ready workers wait for a program, Starting ones are being made, Running ones have
	// one, and Kept ones are those of sessions, with no program under way. Queued programs
	// wait for a worker.
	Ready, Starting, Running, Kept, Queued int
	// MaxWorkers bounds Running and Kept together.
	MaxWorkers int
}
