package executorclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/codemode-sdk/codemode/internal/deadline"
	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
	"github.com/codemode-sdk/codemode/internal/tracing"
	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/internal/version"
	"github.com/codemode-sdk/codemode/registry"
)

// A Request is one program to run.
type Request struct {
	// Code is Python source.
	Code string
	// Tools are what the program may call. If nil, nothing.
	Tools *registry.Registry
	// Calls are the application's part in each call: middleware and approvals.
	Calls registry.RunOptions
	// ExecutionID names the run: 1 to 64 of A-Z a-z 0-9 _ -. If empty, the executor
	// chooses one.
	ExecutionID string
	// Timeout bounds the wait for the executor's answer: its queue and tools included,
	// waits for approvals not. If zero, the executor's limits are the only bound.
	Timeout time.Duration
	// Session is what the program shares its state with. If nil, nothing: it has a process
	// of its own.
	Session *Session
	// Limits lower those of the executor. The first run of a session sets MemoryBytes for
	// all of it.
	Limits Limits
	// OnEvent is told what happens while it happens, one event at a time, in order. The
	// run does not wait for it, but Execute does, before it returns; when ctx has ended,
	// only for the event that is being told. If nil, nobody is.
	OnEvent func(Event)
}

// Limits lower the executor's own for one run; zero leaves the executor's.
type Limits struct {
	// Timeout bounds the run, tool time included.
	Timeout time.Duration
	// MemoryBytes bounds the program's memory.
	MemoryBytes int64
	// OutputBytes bounds standard output and standard error together.
	OutputBytes int64
	// ResultBytes bounds the encoded result.
	ResultBytes int64
	// ToolCalls bounds the calls that the program makes.
	ToolCalls int
}

// forever is longer than anybody runs a program.
const forever = 10 * 365 * 24 * time.Hour

// outputLimit bounds what is kept of a run's output whatever the executor sends.
const outputLimit = 64 << 20

// Execute runs a program and waits for its end. A program that fails is a Result with
// its Status, and no error. An error means that there is no outcome to report: the
// executor refused it, was lost, or ctx ended. Its Started field tells whether the
// program may have begun; the Result that comes with such an error holds the tool calls
// that were made. When ctx ends, the program is killed and the contexts of its tool
// calls end.
func (c *Client) Execute(ctx context.Context, request Request) (*Result, error) {
	r := &run{client: c, request: request, begun: time.Now()}
	if request.Tools != nil {
		r.calls = request.Tools.NewRun(request.Calls)
	}
	r.result.Status = Rejected
	r.result.ExecutionID = request.ExecutionID
	r.open = map[uint32]*call{}
	r.events = events{run: r, tell: request.OnEvent}
	told := r.events.begin(ctx)
	ctx, r.span = tracing.Start(ctx, "codemode.execute", trace.SpanKindClient)
	defer r.span.End()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	r.deadline = deadline.New(cmp.Or(request.Timeout, forever), forever, func() {
		end(fmt.Errorf("the executor had not answered after %s, which is executor.timeout: %w", request.Timeout, context.DeadlineExceeded))
	})
	defer r.deadline.Stop()
	// Without ctx's deadline, which the executor would keep by a clock of its own: the
	// stream would then end before ctx, and nobody could tell why.
	streamCtx, cancel := context.WithCancel(context.WithoutCancel(r.span.Outgoing(c.outgoing(ctx))))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err := r.enterSession(ctx)
	if err == nil {
		defer r.leaveSession()
		err = r.converse(ctx, streamCtx)
	}
	for attempt := range retries {
		if err == nil || !r.refused || !wait(ctx, attempt) {
			break
		}
		r.refused = false
		err = r.converse(ctx, streamCtx)
	}
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	told()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.ToolCalls = r.records()
	r.result.Stdout = strings.ToValidUTF8(string(r.output[0]), "\uFFFD")
	r.result.Stderr = strings.ToValidUTF8(string(r.output[1]), "\uFFFD")
	result := r.result
	if err != nil {
		r.failed(ctx, &result, err)
	}
	result.spell(r.tools)
	result.hint = hintFor(&result, r.tools)
	r.span.Text("codemode.execution_id", result.ExecutionID)
	r.span.Text("codemode.status", string(result.Status))
	r.span.Number("codemode.tool_calls", int64(len(result.ToolCalls)))
	if result.Status != OK {
		r.span.Fail(string(result.Status))
	}
	return &result, err
}

// A run is one execution, from the client's side.
type run struct {
	client   *Client
	request  Request
	tools    *registry.View // of Request.Tools when the run began; nil without
	calls    *registry.Run  // nil if there are no tools
	begun    time.Time
	stream   executeStream
	span     tracing.Span
	deadline *deadline.Deadline
	sending  sync.Mutex
	events   events

	mu       sync.Mutex
	result   Result
	output   [2][]byte
	made     []*call          // all calls, in their order
	open     map[uint32]*call // those without an answer
	recorded int              // bytes that are kept of calls
	over     bool

	// Of the goroutine that reads the stream.
	started bool
	refused bool   // by an executor that vouches that nothing ran, and another may take it
	partial int64  // bytes of values that are not complete
	value   []byte // the beginning of the result

	// Set before there are calls.
	parts  bool // the executor takes values in parts
	holds  bool // the executor's clock can be held
	limits *codemodev1.Limits

	artifactBytes int64
}

func (r *run) failed(ctx context.Context, result *Result, err error) {
	result.Error = &ProgramError{Type: "Executor", Message: err.Error()}
	switch {
	case ctx.Err() != nil:
		result.Status, result.Error.Type = Cancelled, "Cancelled"
	case r.started:
		result.Status = Killed
	default:
		result.Status, result.Error.Type = Rejected, "Rejected"
	}
}

func (r *run) converse(ctx, streamCtx context.Context) error {
	r.stream = nil
	if ctx.Err() != nil {
		return r.lost(ctx, ctx.Err()) // streamCtx ends a moment later, and a small program takes less
	}
	start, err := r.start(streamCtx)
	if err != nil {
		return err
	}
	streamCtx, cancel := context.WithCancel(streamCtx)
	defer cancel()
	var joined *joined
	if callback := r.client.callback; callback != nil && r.request.Tools != nil {
		joined, start.Callback = callback.join(streamCtx, r.request)
		defer func() {
			cancel()
			joined.close()
		}()
	}
	own, err := r.client.service.Execute(streamCtx)
	if err != nil {
		return r.lost(ctx, err)
	}
	if r.stream = own; joined != nil {
		r.stream = joined.read(own)
	}
	if err := r.send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Start{Start: start}}); err != nil && !errors.Is(err, io.EOF) {
		return r.lost(ctx, err)
	}
	toolCtx, cancelTools := context.WithCancel(ctx)
	defer cancelTools()
	for {
		response, err := r.stream.Recv()
		if err != nil {
			return r.lost(ctx, err)
		}
		switch m := response.GetMessage().(type) {
		case *codemodev1.ExecuteResponse_Started:
			r.started = true
			if header, err := own.Header(); err == nil { // which is here, as this message is
				toolCtx = r.span.Within(toolCtx, header)
			}
			r.result.ExecutionID, r.result.Sandbox = m.Started.GetExecutionId(), m.Started.GetSandbox()
			r.parts = slices.Contains(m.Started.GetFeatures(), codemodev1.Feature_FEATURE_PARTS)
			r.holds = slices.Contains(m.Started.GetFeatures(), codemodev1.Feature_FEATURE_HOLD)
			r.client.asked.learn(m.Started.GetFeatures())
			r.limits = m.Started.GetLimits()
			err = r.inSession(m.Started.GetFeatures())
		case *codemodev1.ExecuteResponse_Output:
			err = r.takeOutput(m.Output)
		case *codemodev1.ExecuteResponse_ToolCall:
			err = r.takeCall(toolCtx, m.ToolCall)
		case *codemodev1.ExecuteResponse_Part:
			err = r.takePart(toolCtx, m.Part)
		case *codemodev1.ExecuteResponse_Credit:
			r.takeCredit(m.Credit)
		case *codemodev1.ExecuteResponse_Stop:
			r.takeStop(m.Stop)
		case *codemodev1.ExecuteResponse_Artifact:
			err = r.takeArtifact(m.Artifact)
		case *codemodev1.ExecuteResponse_Result:
			return r.takeResult(m.Result)
		default:
			err = fault.New(fault.Unavailable, "the executor sent a message that this version does not know")
		}
		if err != nil {
			return err
		}
	}
}

func (r *run) start(ctx context.Context) (*codemodev1.Start, error) {
	if !utf8.ValidString(r.request.Code) {
		return nil, fault.New(fault.Rejected, "the program is not UTF-8")
	}
	l := r.request.Limits
	start := &codemodev1.Start{
		ExecutionId: r.request.ExecutionID, Code: r.request.Code,
		Protocol: version.Protocol, OldestProtocol: version.OldestProtocol, Version: version.String(),
		Features: []codemodev1.Feature{
			codemodev1.Feature_FEATURE_PARTS, codemodev1.Feature_FEATURE_STREAMING_TOOLS, codemodev1.Feature_FEATURE_CALLBACK,
			codemodev1.Feature_FEATURE_HOLD, codemodev1.Feature_FEATURE_MORE_TOOLS, codemodev1.Feature_FEATURE_SESSIONS,
		},
		Limits: &codemodev1.Limits{
			MemoryBytes: l.MemoryBytes, OutputBytes: l.OutputBytes, ResultBytes: l.ResultBytes, ToolCalls: int32(l.ToolCalls),
		},
	}
	if s := r.request.Session; s != nil {
		start.Session = &codemodev1.Session{Id: s.id, Existing: s.begun}
	}
	if l.Timeout > 0 {
		start.Limits.Timeout = durationpb.New(l.Timeout)
	}
	if r.request.Tools == nil {
		return start, nil
	}
	if err := r.request.Tools.Err(); err != nil {
		return nil, err
	}
	r.tools = r.request.Tools.View()
	start.MoreTools = r.tools.Len() > 0
	if mentioned := r.tools.Mentioned(r.request.Code); len(mentioned) == r.tools.Len() || r.client.asked.answered(ctx, r.client) {
		start.Tools = toolsOf(mentioned, false)
	} else {
		start.Tools = toolsOf(r.request.Tools.Entries(), helps(r.request.Code))
	}
	return start, nil
}

func (r *run) send(m *codemodev1.ExecuteRequest) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	return r.stream.Send(m)
}

func (r *run) takeOutput(o *codemodev1.Output) error {
	which := 0
	if o.GetStream() == codemodev1.Output_STREAM_STDERR {
		which = 1
	}
	r.mu.Lock()
	r.output[which] = append(r.output[which], o.GetData()...)
	size := len(r.output[which])
	r.mu.Unlock()
	if size > outputLimit {
		return fault.New(fault.Unavailable, "the executor sent more than %d bytes of output", outputLimit)
	}
	r.events.wrote(which, size)
	return nil
}

func (r *run) outputSizes() [2]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return [2]int{len(r.output[0]), len(r.output[1])}
}

var statuses = map[codemodev1.Status]Status{
	codemodev1.Status_STATUS_OK:           OK,
	codemodev1.Status_STATUS_ERROR:        Failed,
	codemodev1.Status_STATUS_TIMEOUT:      Timeout,
	codemodev1.Status_STATUS_MEMORY_LIMIT: MemoryLimit,
	codemodev1.Status_STATUS_OUTPUT_LIMIT: OutputLimit,
	codemodev1.Status_STATUS_CANCELLED:    Cancelled,
	codemodev1.Status_STATUS_KILLED:       Killed,
}

func (r *run) takeResult(m *codemodev1.Result) error {
	known, ok := statuses[m.GetStatus()]
	if !ok {
		return fault.New(fault.Unavailable, "the executor sent a status that this version does not know: %d", m.GetStatus())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := checkArtifacts(r.result.Artifacts); err != nil {
		return err
	}
	result := &r.result
	result.Status, result.ExitCode, result.Truncated = known, int(m.GetExitCode()), m.GetTruncated()
	result.SessionEnded = m.GetSessionEnded()
	result.Usage = Usage{m.GetUsage().GetWall().AsDuration(), m.GetUsage().GetCpu().AsDuration(), m.GetUsage().GetMaxRssBytes()}
	if e := m.GetError(); e != nil {
		result.Error = &ProgramError{e.GetType(), e.GetMessage(), e.GetTraceback(), int(e.GetLine())}
	}
	encoded := m.GetValue()
	if len(r.value) > 0 {
		encoded = append(r.value, encoded...)
	}
	if known != OK || len(encoded) == 0 {
		return nil
	}
	decoded, err := value.Decode(encoded, len(encoded))
	if err != nil {
		// Only a program that writes to its control socket itself gets here.
		result.Status, result.ExitCode = Failed, 1
		result.Error = &ProgramError{Type: "ValueError", Message: "the result cannot be read: " + err.Error()}
		return nil
	}
	result.Value, result.raw = decoded, encoded
	return nil
}

// fromStatus makes an Error of what gRPC says.
func fromStatus(err error, started bool) error {
	said := status.Convert(err)
	failure := &fault.Error{Code: fault.Unavailable, Message: said.Message(), Started: started, Err: nil}
	switch said.Code() {
	case codes.InvalidArgument, codes.ResourceExhausted, codes.FailedPrecondition, codes.AlreadyExists:
		failure.Code = fault.Rejected
	case codes.NotFound:
		failure.Code, failure.Remedy = fault.SessionLost, "begin a new session, and tell the model that its variables are gone"
	case codes.Unauthenticated, codes.PermissionDenied:
		failure.Code, failure.Remedy = fault.Unauthenticated, "set executor.api_key or CODEMODE_EXECUTOR_API_KEY to a key of the executor"
	case codes.Canceled, codes.DeadlineExceeded:
		failure.Code = fault.Cancelled
	case codes.Unavailable:
		failure.Message, failure.Remedy = unreachable(said.Message())
		if refusal, known := tlsfiles.Explain(said.Message()); known {
			if refusal.Certain() {
				failure.Code = fault.Unauthenticated
			}
			failure.Message, failure.Remedy = refusal.Message+": "+failure.Message, refusal.Remedy
		}
	case codes.Unimplemented:
		failure.Remedy = "the address does not belong to a codemode executor, or to one of another version"
	}
	if started {
		failure.Message = "the executor was lost in the middle of the run: " + failure.Message
	}
	return failure
}
