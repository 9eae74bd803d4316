package executorclient

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
	"github.com/codemode-sdk/codemode/internal/value"
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
	// Limits lower those of the executor.
	Limits Limits
	// OnEvent is told what happens while it happens, one event at a time, in order. It
	// must not block for long: the run's output waits for it. If nil, nobody is.
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

// An Event is something that happened during a run. One of the fields is set.
type Event struct {
	// Stdout and Stderr are pieces of output, as they appear.
	Stdout, Stderr string
	// ToolStart is a call that begins; ToolEnd the same call with its outcome.
	ToolStart, ToolEnd *ToolCall
}

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
	// Without ctx's deadline, which the executor would keep by a clock of its own: the
	// stream would then end before ctx, and nobody could tell why.
	streamCtx, cancel := context.WithCancel(context.WithoutCancel(c.outgoing(ctx)))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err := r.converse(ctx, streamCtx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for i := range r.result.ToolCalls {
		if call := &r.result.ToolCalls[i]; r.pending[i] {
			call.Duration = time.Since(r.begun) - call.Start
			call.Error = &ToolCallError{Kind: kindCancelled, Message: endedBefore}
		}
	}
	r.result.Stdout = strings.ToValidUTF8(string(r.output[0]), "\uFFFD")
	r.result.Stderr = strings.ToValidUTF8(string(r.output[1]), "\uFFFD")
	result := r.result
	if err != nil {
		r.failed(ctx, &result, err)
	}
	return &result, err
}

// A run is one execution, from the client's side.
type run struct {
	client  *Client
	request Request
	calls   *registry.Run // nil if there are no tools
	begun   time.Time
	stream  grpc.BidiStreamingClient[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse]
	sending sync.Mutex
	telling sync.Mutex // one event at a time

	mu      sync.Mutex
	result  Result
	output  [2][]byte
	pending map[int]bool // by index in result.ToolCalls
	over    bool
	started bool

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
	start, err := r.start()
	if err != nil {
		return err
	}
	if r.stream, err = r.client.service.Execute(streamCtx); err != nil {
		return r.lost(ctx, err)
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
			r.result.ExecutionID, r.result.Sandbox = m.Started.GetExecutionId(), m.Started.GetSandbox()
		case *codemodev1.ExecuteResponse_Output:
			err = r.takeOutput(m.Output)
		case *codemodev1.ExecuteResponse_ToolCall:
			r.takeCall(toolCtx, m.ToolCall)
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

func (r *run) start() (*codemodev1.Start, error) {
	if !utf8.ValidString(r.request.Code) {
		return nil, fault.New(fault.Rejected, "the program is not UTF-8")
	}
	l := r.request.Limits
	start := &codemodev1.Start{
		ExecutionId: r.request.ExecutionID, Code: r.request.Code,
		Limits: &codemodev1.Limits{
			MemoryBytes: l.MemoryBytes, OutputBytes: l.OutputBytes, ResultBytes: l.ResultBytes, ToolCalls: int32(l.ToolCalls),
		},
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
	start.Tools = toolsOf(r.request.Tools, r.request.Code)
	return start, nil
}

func (r *run) send(m *codemodev1.ExecuteRequest) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	return r.stream.Send(m)
}

func (r *run) tell(e Event) {
	if r.request.OnEvent == nil {
		return
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.request.OnEvent(e)
}

func (r *run) takeOutput(o *codemodev1.Output) error {
	which := 0
	if o.GetStream() == codemodev1.Output_STREAM_STDERR {
		which = 1
	}
	if len(r.output[which])+len(o.GetData()) > outputLimit {
		return fault.New(fault.Unavailable, "the executor sent more than %d bytes of output", outputLimit)
	}
	r.output[which] = append(r.output[which], o.GetData()...)
	text := strings.ToValidUTF8(string(o.GetData()), "\uFFFD")
	if which == 0 {
		r.tell(Event{Stdout: text})
	} else {
		r.tell(Event{Stderr: text})
	}
	return nil
}

// takeCall runs a tool, at the same time as others.
func (r *run) takeCall(ctx context.Context, call *codemodev1.ToolCall) {
	record := ToolCall{Tool: call.GetTool(), Start: time.Since(r.begun)}
	args, err := value.Decode(call.GetArguments(), len(call.GetArguments()))
	record.Args = args
	r.mu.Lock()
	index := len(r.result.ToolCalls)
	r.result.ToolCalls = append(r.result.ToolCalls, record)
	if r.pending == nil {
		r.pending = map[int]bool{}
	}
	r.pending[index] = true
	r.mu.Unlock()
	if !r.client.begin() {
		return // closed: the stream is about to end
	}
	r.tell(Event{ToolStart: &record}) // here, so that calls start in their order
	go func() {
		defer r.client.calls.Done()
		var result []byte
		if err == nil {
			result, err = r.dispatch(ctx, call)
		} else {
			err = &registry.ToolError{Tool: call.GetTool(), Kind: registry.KindInvalidArguments, Message: err.Error(), Err: err}
		}
		r.answer(ctx, index, call, result, err)
	}()
}

func (r *run) dispatch(ctx context.Context, call *codemodev1.ToolCall) ([]byte, error) {
	if r.calls == nil {
		return nil, &registry.ToolError{Tool: call.GetTool(), Kind: registry.KindUnknownTool, Message: "there are no tools"}
	}
	return r.calls.Call(ctx, call.GetTool(), call.GetArguments(), nil)
}

func (r *run) answer(ctx context.Context, index int, call *codemodev1.ToolCall, result []byte, err error) {
	reply := &codemodev1.ToolResult{Id: call.GetId()}
	r.mu.Lock()
	record := r.result.ToolCalls[index]
	r.mu.Unlock()
	record.Duration = time.Since(r.begun) - record.Start
	if err == nil {
		reply.Outcome = &codemodev1.ToolResult_Value{Value: result}
		if record.Result, err = value.Decode(result, len(result)); err != nil {
			err = &registry.ToolError{Tool: call.GetTool(), Kind: registry.KindFailed, Message: "the tool's result cannot be read: " + err.Error()}
		}
	}
	if err != nil {
		failure := asFailure(err)
		if ctx.Err() != nil {
			failure.Kind, failure.Message = kindCancelled, endedBefore
		}
		reply.Outcome = &codemodev1.ToolResult_Failure{Failure: failure}
		record.Error = &ToolCallError{Kind: failure.GetKind(), Message: failure.GetMessage()}
	}
	r.mu.Lock()
	over := r.over
	if !over {
		r.result.ToolCalls[index] = record
		delete(r.pending, index)
	}
	r.mu.Unlock()
	if over {
		return
	}
	r.tell(Event{ToolEnd: &record})
	// An error means that the stream has ended, which Recv reports.
	_ = r.send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_ToolResult{ToolResult: reply}})
}

// What is recorded of a call that the run did not wait for, whether or not the tool still
// said something when its context ended.
const (
	kindCancelled = "cancelled"
	endedBefore   = "the run ended before the tool returned"
)

// failureLimit bounds what a program is told about a failed call, in bytes.
const failureLimit = 16 << 10

func asFailure(err error) *codemodev1.ToolFailure {
	failure := &codemodev1.ToolFailure{Kind: registry.KindFailed, Message: err.Error()}
	if toolError, ok := errors.AsType[*registry.ToolError](err); ok {
		failure.Kind, failure.Message = toolError.Kind, toolError.Message
	}
	failure.Message = strings.ToValidUTF8(failure.Message, "\uFFFD")
	if len(failure.Message) > failureLimit {
		failure.Message = strings.ToValidUTF8(failure.Message[:failureLimit], "") + "..."
	}
	return failure
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
	result.Usage = Usage{m.GetUsage().GetWall().AsDuration(), m.GetUsage().GetCpu().AsDuration(), m.GetUsage().GetMaxRssBytes()}
	if e := m.GetError(); e != nil {
		result.Error = &ProgramError{e.GetType(), e.GetMessage(), e.GetTraceback(), int(e.GetLine())}
	}
	if known != OK || len(m.GetValue()) == 0 {
		return nil
	}
	decoded, err := value.Decode(m.GetValue(), len(m.GetValue()))
	if err != nil {
		// Only a program that writes to its control socket itself gets here.
		result.Status, result.ExitCode = Failed, 1
		result.Error = &ProgramError{Type: "ValueError", Message: "the result cannot be read: " + err.Error()}
		return nil
	}
	result.Value, result.raw = decoded, m.GetValue()
	return nil
}

// lost makes an error of what ended the stream.
func (r *run) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		failure := fault.Wrap(fault.Cancelled, context.Cause(ctx), "the run was cancelled")
		failure.Started = r.started
		return failure
	}
	return fromStatus(err, r.started)
}

// fromStatus makes an Error of what gRPC says.
func fromStatus(err error, started bool) error {
	said := status.Convert(err)
	failure := &fault.Error{Code: fault.Unavailable, Message: said.Message(), Started: started, Err: nil}
	switch said.Code() {
	case codes.InvalidArgument, codes.ResourceExhausted:
		failure.Code = fault.Rejected
	case codes.Unauthenticated, codes.PermissionDenied:
		failure.Code, failure.Remedy = fault.Unauthenticated, "set executor.api_key or CODEMODE_EXECUTOR_API_KEY to a key of the executor"
	case codes.Canceled, codes.DeadlineExceeded:
		failure.Code = fault.Cancelled
	case codes.Unavailable:
		failure.Remedy = "is the executor running, and is its address right?"
		if refusal, known := tlsfiles.Explain(said.Message()); known {
			failure.Code, failure.Remedy = fault.Unauthenticated, refusal.Remedy
			failure.Message = refusal.Message + ": " + said.Message()
		}
	case codes.Unimplemented:
		failure.Remedy = "the address does not belong to a codemode executor, or to one of another version"
	}
	if started {
		failure.Message = "the executor was lost in the middle of the run: " + failure.Message
	}
	return failure
}

// toolsOf describes tools to the executor: names and signatures only, and the stubs
// for a program that looks at them.
func toolsOf(reg *registry.Registry, code string) []*codemodev1.Tool {
	withStubs := strings.Contains(code, "help(") || strings.Contains(code, "__doc__")
	entries := reg.Entries()
	tools := make([]*codemodev1.Tool, len(entries))
	for i, entry := range entries {
		tool := &codemodev1.Tool{Name: entry.Name(), Path: entry.PythonPath(), ExtraArguments: entry.Input().ExtraArguments()}
		for _, parameter := range entry.Parameters() {
			tool.Parameters = append(tool.Parameters, &codemodev1.Parameter{
				Name: parameter.Name, PythonName: parameter.PythonName, Required: parameter.Required,
			})
		}
		if withStubs {
			tool.Stub = entry.Stub()
		}
		tools[i] = tool
	}
	return tools
}
