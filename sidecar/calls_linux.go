package sidecar

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// call passes a tool call on, or answers it here if it is one too many. Where as many as
// may are under way, it waits for one of them to end; the worker's next frames wait with
// it, so that what is held of them is bounded.
func (e *execution) call(id uint32, payload []byte) error {
	if len(payload) < 2 {
		return protocolError("a short call")
	}
	length := int(binary.LittleEndian.Uint16(payload))
	if length == 0 || length > maxToolName || len(payload) < 2+length {
		return protocolError("a call with a wrong name length")
	}
	name, arguments := string(payload[2:2+length]), payload[2+length:]
	if !utf8.ValidString(name) || int64(len(arguments)) > e.limits.ToolValueSize {
		return protocolError("a call out of its limits")
	}
	e.mu.Lock()
	repeated, over := e.open[id], ""
	switch {
	case e.calls >= e.limits.ToolCalls:
		over = fmt.Sprintf("the run has made its %d tool calls (limits.tool_calls)", e.limits.ToolCalls)
	case !repeated:
		e.open[id] = true
		e.calls++
	}
	e.mu.Unlock()
	if repeated {
		return protocolError("two calls with one id")
	}
	if over != "" {
		return e.answerFailure(id, "limit", over)
	}
	select {
	case e.places <- struct{}{}:
	case <-e.worker.ended:
		return io.ErrUnexpectedEOF
	}
	// What the program printed before the call is told before the call.
	e.drain(e.worker.stdout, 0)
	e.drain(e.worker.stderr, 1)
	e.sending.Lock()
	defer e.sending.Unlock()
	if err := e.flushOutput(); err != nil {
		return err
	}
	return e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_ToolCall{
		ToolCall: &codemodev1.ToolCall{Id: id, Tool: name, Arguments: arguments},
	}})
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
	return e.worker.writeFrame(kind, id, payload)
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
			e.toolResult(m.ToolResult)
		default: // Cancel, or something that has no place here
			e.stop(codemodev1.Status_STATUS_CANCELLED)
			return
		}
	}
}

func (e *execution) toolResult(r *codemodev1.ToolResult) {
	e.mu.Lock()
	known := e.open[r.GetId()]
	delete(e.open, r.GetId())
	e.mu.Unlock()
	if !known {
		return // late, or made up: no one waits for it
	}
	select {
	case <-e.places:
	default: // the answer came before its call had a place: only a client not ours does that
	}
	var err error
	switch outcome := r.GetOutcome().(type) {
	case *codemodev1.ToolResult_Value:
		if size := int64(len(outcome.Value)); size > e.limits.ToolValueSize {
			err = e.answerFailure(r.GetId(), "too_large", fmt.Sprintf(
				"the result takes %d bytes; the limit is %d (limits.tool_value_size)", size, e.limits.ToolValueSize))
		} else {
			err = e.answer(frameValue, r.GetId(), outcome.Value)
		}
	case *codemodev1.ToolResult_Failure:
		err = e.answerFailure(r.GetId(), outcome.Failure.GetKind(), outcome.Failure.GetMessage())
	default:
		err = e.answerFailure(r.GetId(), "failed", "the application sent no result")
	}
	if err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, os.ErrClosed) {
		e.stop(codemodev1.Status_STATUS_KILLED)
	}
}
