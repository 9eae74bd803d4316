package sidecar

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// features are the additions to the wire that every executor of this version knows.
var features = []codemodev1.Feature{
	codemodev1.Feature_FEATURE_PARTS, codemodev1.Feature_FEATURE_STREAMING_TOOLS, codemodev1.Feature_FEATURE_CALLBACK,
	codemodev1.Feature_FEATURE_HOLD, codemodev1.Feature_FEATURE_MORE_TOOLS,
}

// partSize bounds what one message or frame carries of a value, in bytes, where the
// client takes values in parts.
const partSize = 64 << 10

// rowsWindow is how much of its rows a streaming tool may send before the program has
// taken some, in bytes.
const rowsWindow = 256 << 10

// An openCall is a tool call that has no result yet.
type openCall struct {
	streaming bool
	question  bool // about the tools, and no call of one
	use       int  // in record.Tools
	begun     time.Time

	// Of the worker's frames; whoever reads those has them to itself.
	asking bool  // the arguments are not all here
	asked  int64 // bytes of arguments

	// Of the client's messages; whoever reads those has them to itself.
	kind byte  // the frame that Parts continue, 0 if there is none
	told int64 // bytes of it
	held bool  // it waits for a person
}

// Bounds on what a program asks about the tools, which is no call of one.
const (
	maxQuestions = 1_000
	maxQuestion  = 64 << 10 // bytes of one
)

// call passes a tool call on, or answers it here if it is one too many. Where as many as
// may are under way, it waits for one of them to end; the worker's next frames wait with
// it, so that what is held of them is bounded.
func (e *execution) call(id uint32, payload []byte, more bool) error {
	e.attend()
	if len(payload) < 2 || id == 0 {
		return protocolError("a short call")
	}
	length := int(binary.LittleEndian.Uint16(payload))
	if length > maxToolName || len(payload) < 2+length {
		return protocolError("a call with a wrong name length")
	}
	name, arguments := string(payload[2:2+length]), payload[2+length:]
	if !utf8.ValidString(name) || int64(len(arguments)) > e.limits.ToolValueSize {
		return protocolError("a call out of its limits")
	}
	streaming := e.streaming[name]
	question := name == ""
	if question && (!e.moreTools || more || len(arguments) > maxQuestion) {
		return protocolError("a question that no one answers")
	}
	e.mu.Lock()
	repeated, over := e.open[id] != nil, ""
	switch {
	case question && e.questions >= maxQuestions:
		over = fmt.Sprintf("the run has asked for tools %d times", maxQuestions)
	case question && !repeated:
		e.open[id] = &openCall{question: true}
		e.questions++
	case e.calls >= e.limits.ToolCalls:
		over = fmt.Sprintf("the run has made its %d tool calls (limits.tool_calls)", e.limits.ToolCalls)
	case streaming && e.streams >= e.limits.ConcurrentToolCalls:
		// To wait would be for ever: they end when the program has read them, or lets go.
		over = fmt.Sprintf("the rows of %d calls have not been read to their end (limits.concurrent_tool_calls); close() those you need no more", e.streams)
	case !repeated:
		e.open[id] = &openCall{
			streaming: streaming, use: e.asked(name), begun: time.Now(), asking: more, asked: int64(len(arguments)),
		}
		e.calls++
		if streaming {
			e.streams++
		}
	}
	e.mu.Unlock()
	if repeated {
		return protocolError("two calls with one id")
	}
	if over != "" {
		return e.answerFailure(id, "limit", over)
	}
	call := &codemodev1.ToolCall{Id: id, Tool: name, Arguments: arguments, More: more}
	if streaming {
		call.Credit = rowsWindow
	} else {
		select {
		case e.places <- struct{}{}:
		case <-e.worker.ended:
			return io.ErrUnexpectedEOF
		}
	}
	// What the program printed before the call is told before the call.
	e.drainAll()
	e.sending.Lock()
	defer e.sending.Unlock()
	if err := e.flushOutput(); err != nil {
		return err
	}
	return e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_ToolCall{ToolCall: call}})
}

// find gives a call that has no result yet, or nil.
func (e *execution) find(id uint32) *openCall {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open[id]
}

// part passes on more of a call's arguments, or of the result.
func (e *execution) part(id uint32, data []byte, more bool) error {
	if !e.parts {
		return protocolError("a value in parts")
	}
	if id == 0 {
		if e.resultSent += int64(len(data)); e.resultSent > e.limits.ResultSize {
			return protocolError("a result out of its limits")
		}
	} else {
		call := e.find(id)
		if call == nil || !call.asking {
			return nil // the call was refused, or has failed
		}
		if call.asked += int64(len(data)); call.asked > e.limits.ToolValueSize {
			return protocolError("a call out of its limits")
		}
		call.asking = more
	}
	return e.send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Part{
		Part: &codemodev1.Part{Id: id, Data: data, More: more},
	}})
}

// credit tells the client that the program has taken rows of a call.
func (e *execution) credit(id uint32, payload []byte) error {
	if len(payload) != 4 {
		return protocolError("credit of a wrong length")
	}
	if call := e.find(id); call == nil || !call.streaming {
		return nil // the rows have ended meanwhile
	}
	return e.send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Credit{
		Credit: &codemodev1.Credit{Id: id, Bytes: binary.LittleEndian.Uint32(payload)},
	}})
}

// stopRows tells the client that the program reads no more rows of a call.
func (e *execution) stopRows(id uint32) error {
	if call := e.find(id); call == nil || !call.streaming {
		return nil // the rows have ended meanwhile
	}
	return e.send(stopMessage(id))
}

func stopMessage(id uint32) *codemodev1.ExecuteResponse {
	return &codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Stop{Stop: &codemodev1.Stop{Id: id}}}
}

func (e *execution) send(m *codemodev1.ExecuteResponse) error {
	e.sending.Lock()
	defer e.sending.Unlock()
	if err := e.sendStarted(); err != nil {
		return err
	}
	return e.stream.Send(m)
}

func (e *execution) answerFailure(id uint32, kind, message string) error {
	text, err := json.Marshal(map[string]string{"kind": kind, "message": message})
	if err != nil {
		return err
	}
	return e.answer(frameFailure, id, text)
}

func (e *execution) answer(kind byte, id uint32, payload []byte) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.hasLeft() {
		return nil
	}
	err := e.worker.writeFrame(kind, id, payload)
	e.torn = e.torn || err != nil
	return err
}

// receive takes the client's messages until the stream ends.
func (e *execution) receive() {
	for {
		request, err := e.stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				// The client has nothing more to say; it may still want to listen, but a
				// program that calls a tool would wait for ever: the deadline sees to that.
				return
			}
			e.stop(codemodev1.Status_STATUS_CANCELLED)
			return
		}
		switch m := request.GetMessage().(type) {
		case *codemodev1.ExecuteRequest_ToolResult:
			err = e.toolResult(m.ToolResult)
		case *codemodev1.ExecuteRequest_Part:
			err = e.resultPart(m.Part)
		case *codemodev1.ExecuteRequest_Hold:
			e.hold(e.find(m.Hold.GetId()), m.Hold.GetHeld())
		default: // Cancel, or something that has no place here
			e.stop(codemodev1.Status_STATUS_CANCELLED)
			return
		}
		if err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, os.ErrClosed) {
			e.stop(codemodev1.Status_STATUS_KILLED)
		}
	}
}

// hold stops the run's clock while a call waits for a person.
func (e *execution) hold(call *openCall, held bool) {
	if call == nil || call.held == held {
		return
	}
	call.held = held
	if held {
		e.deadline.Hold()
	} else {
		e.deadline.Release()
	}
}

func (e *execution) toolResult(r *codemodev1.ToolResult) error {
	call := e.find(r.GetId())
	if call == nil {
		return nil // late, or made up: no one waits for it
	}
	e.hold(call, false)
	call.kind, call.told = 0, 0
	switch outcome := r.GetOutcome().(type) {
	case *codemodev1.ToolResult_Value:
		return e.pass(call, r.GetId(), frameValue, frameValue, outcome.Value, r.GetMore())
	case *codemodev1.ToolResult_Rows:
		if !call.streaming {
			return e.fail(call, r.GetId(), "failed", "the application sent rows of a tool that does not stream")
		}
		return e.pass(call, r.GetId(), frameRows, frameRows, outcome.Rows, r.GetMore())
	case *codemodev1.ToolResult_Failure:
		return e.fail(call, r.GetId(), outcome.Failure.GetKind(), outcome.Failure.GetMessage())
	default:
		return e.fail(call, r.GetId(), "failed", "the application sent no result")
	}
}

func (e *execution) resultPart(p *codemodev1.Part) error {
	call := e.find(p.GetId())
	if call == nil || call.kind == 0 {
		return nil
	}
	return e.pass(call, p.GetId(), call.kind, framePart, p.GetData(), p.GetMore())
}

// pass writes a whole value, or a piece of one: kind is that of the value, frame that of
// the piece.
func (e *execution) pass(call *openCall, id uint32, kind, frame byte, data []byte, more bool) error {
	if call.told += int64(len(data)); call.told > e.limits.ToolValueSize {
		what := "result"
		if kind == frameRows {
			what = "row"
			if err := e.send(stopMessage(id)); err != nil {
				return err
			}
		}
		return e.fail(call, id, "too_large", fmt.Sprintf(
			"a %s of %d bytes or more; the limit is %d (limits.tool_value_size)", what, call.told, e.limits.ToolValueSize))
	}
	if more {
		call.kind = kind
		return e.answer(frame|frameMore, id, data)
	}
	call.kind = 0
	if kind == frameValue {
		e.close(call, id, false)
	}
	return e.answer(frame, id, data)
}

// fail ends a call for the program.
func (e *execution) fail(call *openCall, id uint32, kind, message string) error {
	e.close(call, id, true)
	return e.answerFailure(id, kind, message)
}

// close forgets a call: it has its result.
func (e *execution) close(call *openCall, id uint32, failed bool) {
	e.mu.Lock()
	if e.open[id] == call && !call.question { // it is not, once the record is complete
		e.answered(call, failed)
	}
	delete(e.open, id)
	if call.streaming {
		e.streams--
	}
	e.mu.Unlock()
	if call.streaming {
		return
	}
	select {
	case <-e.places:
	default: // the answer came before its call had a place: only a client not ours does that
	}
}

// use takes from a request what it says about tools and features.
func (e *execution) use(start *codemodev1.Start) {
	e.tools = start.GetTools()
	e.parts = slices.Contains(start.GetFeatures(), codemodev1.Feature_FEATURE_PARTS)
	e.moreTools = start.GetMoreTools()
	e.streaming = map[string]bool{}
	for _, tool := range start.GetTools() {
		if tool.GetStreaming() {
			e.streaming[tool.GetName()] = true
		}
	}
}
