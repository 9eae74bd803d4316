package executorclient

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/tracing"
	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/registry"
)

// A call is one that the program has made; run.mu guards what changes.
type call struct {
	id        uint32
	tool      string
	policy    registry.Policy
	arguments []byte // in the value encoding; of the goroutine that reads the stream until all is here
	approval  *registry.Approval
	given     []byte // the program's arguments, where an approval has put others in their place
	reported  *registry.Progress
	streaming bool
	rows      *rows // where they go one after another to a program; else nil

	start, duration time.Duration
	result          []byte // in the value encoding
	failure         *ToolCallError
	pending         bool
	sent            int // rows
	omitted         bool
}

// recordLimit bounds what is kept of the arguments and results of one run's calls, in
// bytes of the value encoding.
const recordLimit = 64 << 20

// takeCall takes a call, or the beginning of one.
func (r *run) takeCall(ctx context.Context, m *codemodev1.ToolCall) error {
	if m.GetTool() == "" {
		return r.takeQuestion(ctx, m)
	}
	c := &call{id: m.GetId(), tool: m.GetTool(), arguments: m.GetArguments(), pending: true}
	if r.request.Tools != nil {
		if e, ok := r.request.Tools.Lookup(c.tool); ok {
			c.policy = e.Policy()
		}
	}
	if m.GetCredit() > 0 {
		c.streaming, c.rows = true, newRows(r, c, int64(m.GetCredit()))
	}
	if m.GetMore() {
		if err := r.assemble(len(c.arguments)); err != nil {
			return err
		}
	}
	r.mu.Lock()
	c.start = time.Since(r.begun)
	taken := r.open[c.id] != nil
	if !taken {
		r.open[c.id] = c
		r.made = append(r.made, c)
	}
	r.mu.Unlock()
	if taken {
		return fault.New(fault.Unavailable, "the executor sent two calls with the id %d", c.id)
	}
	if !m.GetMore() {
		r.launch(ctx, c)
	}
	return nil
}

// launch runs a tool, at the same time as others.
func (r *run) launch(ctx context.Context, c *call) {
	if !r.client.begin() {
		return // closed: the stream is about to end
	}
	r.keep(c, len(c.arguments))
	r.events.start(c) // here, so that calls start in their order
	go func() {
		defer r.client.calls.Done()
		result, err := traced(ctx, c, func(ctx context.Context) ([]byte, error) {
			if c.rows != nil {
				return nil, c.rows.give(ctx)
			}
			return r.dispatch(ctx, c)
		})
		r.answer(ctx, c, result, err) // after the span's end: the run may be over then
	}()
}

// traced makes a call within a span of its own.
func traced(ctx context.Context, c *call, do func(context.Context) ([]byte, error)) ([]byte, error) {
	ctx, span := tracing.Start(ctx, "codemode.tool", trace.SpanKindInternal)
	defer span.End()
	span.Text("gen_ai.operation.name", "execute_tool")
	span.Text("gen_ai.tool.name", c.tool)
	result, err := do(ctx)
	if failed, ok := errors.AsType[*registry.ToolError](err); ok {
		span.Fail(failed.Kind)
	} else if err != nil {
		span.Fail(registry.KindFailed)
	}
	return result, err
}

// keep counts what the record of a call takes, and leaves out what is too much.
func (r *run) keep(c *call, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.recorded += size; r.recorded > recordLimit {
		r.recorded -= size
		c.omitted = true
	}
}

func (r *run) dispatch(ctx context.Context, c *call) ([]byte, error) {
	if r.calls == nil {
		return nil, noTools(c)
	}
	return r.calls.Call(ctx, c.tool, c.arguments, r.observer(c))
}

func (r *run) observer(c *call) *registry.Observer {
	return &registry.Observer{
		Held:     func(held bool) { r.hold(c, held) },
		Approval: func(a registry.Approval) { r.approved(c, a) },
		Progress: func(p registry.Progress) { r.reported(c, p) },
	}
}

// hold tells the executor, and this end's own clock, while a call waits for a person.
func (r *run) hold(c *call, held bool) {
	if held {
		r.deadline.Hold()
	} else {
		r.deadline.Release()
	}
	if !r.holds {
		return // an older executor: the wait counts there
	}
	// An error means that the stream has ended, which Recv reports.
	_ = r.send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Hold{Hold: &codemodev1.Hold{Id: c.id, Held: held}}})
}

// approved records a decision, and the arguments in force after it.
func (r *run) approved(c *call, a registry.Approval) {
	r.keep(c, len(a.Args))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || !c.pending {
		return
	}
	c.approval = &registry.Approval{Decision: a.Decision, Reason: a.Reason}
	if a.Decision == registry.Edited {
		c.given, c.arguments = c.arguments, a.Args
	}
}

// reported tells how far a call says that it has come.
func (r *run) reported(c *call, p registry.Progress) {
	r.mu.Lock()
	over := r.over || !c.pending
	if !over {
		c.reported = &p
	}
	r.mu.Unlock()
	if !over {
		r.events.progress(c)
	}
}

func noTools(c *call) error {
	return &registry.ToolError{Tool: c.tool, Kind: registry.KindUnknownTool, Message: "there are no tools"}
}

// answer ends a call: what became of it is recorded and sent.
func (r *run) answer(ctx context.Context, c *call, result []byte, err error) {
	if err == nil {
		err = r.checkSize("result", len(result))
	}
	failure, over := r.conclude(ctx, c, result, err)
	// A program that is about to be ended must not see its call fail: it could end first.
	if over || ctx.Err() != nil {
		return
	}
	reply := &codemodev1.ToolResult{Id: c.id, Outcome: &codemodev1.ToolResult_Value{Value: result}}
	if failure != nil {
		reply.Outcome = &codemodev1.ToolResult_Failure{Failure: failure}
	}
	// An error means that the stream has ended, which Recv reports.
	_ = r.sendResult(reply)
}

// conclude records and tells what became of a call, unless the run is over.
func (r *run) conclude(ctx context.Context, c *call, result []byte, err error) (failure *codemodev1.ToolFailure, over bool) {
	if err == nil {
		r.keep(c, len(result))
	} else {
		failure = asFailure(err)
		if ctx.Err() != nil {
			failure.Kind, failure.Message = kindCancelled, endedBefore
		}
	}
	r.mu.Lock()
	over = r.over
	if c.pending && !over {
		c.settle(time.Since(r.begun), result, failure)
	}
	delete(r.open, c.id)
	if c.omitted {
		c.arguments, c.given, c.result = nil, nil, nil
	}
	r.mu.Unlock()
	if !over {
		r.events.end(c)
	}
	return failure, over
}

// settle records the end of a call, at a time of the run. The caller holds run.mu.
func (c *call) settle(at time.Duration, result []byte, failure *codemodev1.ToolFailure) {
	c.pending = false
	c.duration = at - c.start
	c.result = result
	if failure != nil {
		c.failure = &ToolCallError{Kind: failure.GetKind(), Message: failure.GetMessage()}
	}
}

// record is what a call's record says now. The caller holds run.mu, or
// has a copy.
func (c *call) record() ToolCall {
	record := ToolCall{
		Tool: c.tool, Start: c.start, Duration: c.duration, Error: c.failure,
		Streaming: c.streaming, Rows: c.sent, Omitted: c.omitted, Policy: c.policy,
	}
	var err error
	if len(c.arguments) > 0 {
		// The registry has refused what cannot be read: that is the call's error.
		record.Args, _ = value.Decode(c.arguments, len(c.arguments))
	}
	if c.approval != nil {
		record.Approval = &Approval{Decision: c.approval.Decision, Reason: c.approval.Reason}
		if len(c.given) > 0 {
			record.Approval.Args, _ = value.Decode(c.given, len(c.given)) // the registry has read them
		}
	}
	if len(c.result) > 0 {
		if record.Result, err = value.Decode(c.result, len(c.result)); err != nil {
			record.Error = &ToolCallError{Kind: registry.KindFailed, Message: "the tool's result cannot be read: " + err.Error()}
		}
	}
	return record
}

// records are those of all calls when the run is over.
func (r *run) records() []ToolCall {
	records := make([]ToolCall, len(r.made))
	for i, c := range r.made {
		if c.pending {
			c.settle(time.Since(r.begun), nil, &codemodev1.ToolFailure{Kind: kindCancelled, Message: endedBefore})
		}
		records[i] = c.record()
	}
	return records
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
