package executorclient

import (
	"encoding/json"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/registry"
)

// A Status says how a run ended.
type Status string

// The statuses.
const (
	OK          Status = "ok"
	Failed      Status = "error"        // the program raised, or exited with a code other than 0
	Timeout     Status = "timeout"      // its time was over, tool time included
	MemoryLimit Status = "memory_limit" // it used more memory than it may
	OutputLimit Status = "output_limit" // it printed more than it may
	Cancelled   Status = "cancelled"    // the caller's context ended
	Killed      Status = "killed"       // its process ended by a signal
	Rejected    Status = "rejected"     // it was not started
)

// A Result is what became of one program.
type Result struct {
	Status Status
	// Value is what the program came to: nil, bool, int64, *big.Int, float64, string,
	// []byte, time.Time, []any, map[string]any and the types of package value; see Decode
	// for a typed one.
	Value any
	// Stdout and Stderr are what it printed; bytes that are not UTF-8 became U+FFFD.
	Stdout, Stderr string
	// ExitCode is 0 if the program came to its end; what it gave to sys.exit; 1 if it
	// raised; 128 plus the signal if its process was ended.
	ExitCode int
	// Error is nil if Status is OK.
	Error *ProgramError
	// ToolCalls are the calls that the program made, in the order in which it made them,
	// also where the run failed.
	ToolCalls []ToolCall
	// Artifacts are the files that the program left in its outputs directory, if the
	// executor offers one, also where the run failed.
	Artifacts []Artifact
	Usage     Usage
	// ExecutionID names the run in logs and traces.
	ExecutionID string
	// Sandbox names the layers that were in force.
	Sandbox []string
	// Truncated is true if output was left out.
	Truncated bool
	// SessionEnded is true if the run has ended the session that it was in: its state is lost.
	SessionEnded bool

	raw  []byte
	hint string // of Text
	// spelled has what Text calls the tools whose names are no Python.
	spelled map[string]string
}

// A ProgramError says why a program did not come to its end.
type ProgramError struct {
	// Type is the exception's type, such as "ValueError", or the limit that was hit.
	Type string `json:"type"`
	// Message is the exception's text.
	Message string `json:"message"`
	// Traceback shows the program's own lines, as Python prints them; it may be empty.
	Traceback string `json:"traceback"`
	// Line of the program, from 1; 0 if unknown.
	Line int `json:"line"`
}

// A ToolCall is the record of one call.
type ToolCall struct {
	Tool string
	// Args are the arguments by name, those of the approval where it put others in place
	// of the program's.
	Args any
	// Result is what the tool gave; nil if Error is set.
	Result any
	Error  *ToolCallError
	// Approval is what was decided about the call; nil if it needed no decision, or ended
	// before there was one.
	Approval *Approval
	// Progress is what the tool has last reported, in Event.ToolProgress only; nil if it has
	// not. See registry.ReportProgress.
	Progress *registry.Progress
	// Streaming is true for a tool that gives rows. Rows is how many of them were sent to
	// the program; the rows themselves are not recorded.
	Streaming bool
	Rows      int
	// Omitted is true if Args and Result were left out because those of the run's calls
	// together take more than 64 MiB.
	Omitted bool
	// Policy is that of the tool when it was called; zero where there is no such tool.
	Policy registry.Policy
	// Start is the time from the start of the run to the call, Duration that from the
	// call to its result. A call that the run did not wait for has the time until then.
	Start, Duration time.Duration
}

// An Approval is what was decided about a call that needed an approval.
type Approval struct {
	// Decision is registry.Approved, registry.Edited or registry.Denied.
	Decision string
	// Reason is what the application said about it, or why nobody decided; may be empty.
	Reason string
	// Args are the program's arguments if the Decision is registry.Edited; nil if they were
	// left out with those in force.
	Args any
}

// A ToolCallError says why a call failed.
type ToolCallError struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// An Artifact is a file that a program left behind.
type Artifact struct {
	// Name is the path below the outputs directory, separated by slashes, as fs.ValidPath
	// has it. A program chose it: write the file through an os.Root, not by joining paths.
	Name string `json:"name"`
	// Size is that of the file, in bytes.
	Size int64 `json:"size"`
	// Data is the content, in JSON as base64; nil if the file was left out.
	Data []byte `json:"data,omitzero"`
	// Omitted says why the file was left out: it is a link or over a limit, for instance.
	// The Name is then for people to read, and empty where this stands for all further
	// files. Empty for a file that is here.
	Omitted string `json:"omitted,omitempty"`
}

// Usage is what the executor measured.
type Usage struct {
	Wall, CPU   time.Duration
	MaxRSSBytes int64
}

// Decode stores the value in what out points to, by the rules of encoding/json, and
// exactly where Go has a type for it: bytes into []byte, datetime into time.Time, an int
// of any size into *big.Int.
func (r *Result) Decode(out any) error {
	if err := value.DecodeInto(r.raw, max(len(r.raw), 1), out); err != nil {
		return fault.Wrap(fault.Invalid, err, "the result does not fit a %T", out)
	}
	return nil
}

type resultJSON struct {
	Status      Status         `json:"status"`
	Result      any            `json:"result"`
	Stdout      string         `json:"stdout"`
	Stderr      string         `json:"stderr"`
	ExitCode    int            `json:"exit_code"`
	Error       *ProgramError  `json:"error"`
	ToolCalls   []toolCallJSON `json:"tool_calls"`
	Artifacts   []Artifact     `json:"artifacts"`
	Usage       usageJSON      `json:"usage"`
	ExecutionID string         `json:"execution_id"`
	Sandbox     []string       `json:"sandbox"`
	Truncated   bool           `json:"truncated"`

	SessionEnded bool `json:"session_ended,omitempty"`
}

type toolCallJSON struct {
	Tool       string         `json:"tool"`
	Args       any            `json:"args"`
	Result     any            `json:"result"`
	Error      *ToolCallError `json:"error,omitempty"`
	Approval   *approvalJSON  `json:"approval,omitempty"`
	Rows       *int           `json:"rows,omitempty"`
	Omitted    bool           `json:"omitted,omitempty"`
	StartMS    float64        `json:"start_ms"`
	DurationMS float64        `json:"duration_ms"`
}

type approvalJSON struct {
	Decision string `json:"decision"`
	Reason   string `json:"reason,omitempty"`
	Args     any    `json:"program_args,omitempty"`
}

type usageJSON struct {
	WallMS      float64 `json:"wall_ms"`
	CPUMS       float64 `json:"cpu_ms"`
	MaxRSSBytes int64   `json:"max_rss_bytes"`
}

// MarshalJSON gives the result object of the command line. Values that JSON lacks are
// lowered as package value says: bytes to base64, datetimes to RFC 3339, sets to arrays.
func (r *Result) MarshalJSON() ([]byte, error) {
	out := resultJSON{
		Status: r.Status, Result: value.Plain(r.Value), Stdout: r.Stdout, Stderr: r.Stderr,
		ExitCode: r.ExitCode, Error: r.Error, ExecutionID: r.ExecutionID, Truncated: r.Truncated,
		ToolCalls: make([]toolCallJSON, len(r.ToolCalls)),
		Artifacts: append([]Artifact{}, r.Artifacts...), Sandbox: append([]string{}, r.Sandbox...),
		SessionEnded: r.SessionEnded,
		Usage:        usageJSON{milliseconds(r.Usage.Wall), milliseconds(r.Usage.CPU), r.Usage.MaxRSSBytes},
	}
	for i, call := range r.ToolCalls {
		out.ToolCalls[i] = toolCallJSON{
			Tool: call.Tool, Args: value.Plain(call.Args), Result: value.Plain(call.Result), Error: call.Error,
			Omitted: call.Omitted, StartMS: milliseconds(call.Start), DurationMS: milliseconds(call.Duration),
		}
		if a := call.Approval; a != nil {
			out.ToolCalls[i].Approval = &approvalJSON{Decision: a.Decision, Reason: a.Reason, Args: value.Plain(a.Args)}
		}
		if call.Streaming {
			out.ToolCalls[i].Rows = &r.ToolCalls[i].Rows
		}
	}
	return json.Marshal(out)
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
