package executorclient

import (
	"context"
	"fmt"

	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/registry"
)

// partSize is what one message carries of a value, in bytes, to an executor that takes
// values in parts. Messages of other calls go in between.
const partSize = 64 << 10

// assemble counts size bytes of a value that comes in parts: what the executor can make
// this process hold is bounded.
func (r *run) assemble(size int) error {
	if r.partial += int64(size); r.partial > r.client.valueLimit {
		return fault.New(fault.Unavailable, "the executor sent more than %d bytes of values that are not complete", r.client.valueLimit)
	}
	return nil
}

// takePart takes more of a call's arguments, or of the result.
func (r *run) takePart(ctx context.Context, m *codemodev1.Part) error {
	if err := r.assemble(len(m.GetData())); err != nil {
		return err
	}
	if m.GetId() == 0 {
		r.value = append(r.value, m.GetData()...)
		return nil
	}
	r.mu.Lock()
	c := r.open[m.GetId()]
	r.mu.Unlock()
	if c == nil {
		return fault.New(fault.Unavailable, "the executor sent a part of no call")
	}
	c.arguments = append(c.arguments, m.GetData()...)
	if !m.GetMore() {
		r.partial -= int64(len(c.arguments))
		r.launch(ctx, c)
	}
	return nil
}

// checkSize refuses what the executor would not take.
func (r *run) checkSize(what string, size int) error {
	if r.limits.GetToolValueBytes() == 0 || int64(size) <= r.limits.GetToolValueBytes() {
		return nil // or an executor that does not tell, and checks itself
	}
	return &registry.ToolError{Kind: registry.KindTooLarge, Message: fmt.Sprintf(
		"the %s takes %d bytes; the limit is %d (limits.tool_value_size)", what, size, r.limits.GetToolValueBytes())}
}

// sendResult sends a result or rows, in parts where they are large.
func (r *run) sendResult(m *codemodev1.ToolResult) error {
	var rest []byte
	cut := func(data *[]byte) {
		if r.parts && len(*data) > partSize {
			*data, rest, m.More = (*data)[:partSize], (*data)[partSize:], true
		}
	}
	switch outcome := m.GetOutcome().(type) {
	case *codemodev1.ToolResult_Value:
		cut(&outcome.Value)
	case *codemodev1.ToolResult_Rows:
		cut(&outcome.Rows)
	}
	err := r.send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_ToolResult{ToolResult: m}})
	for len(rest) > 0 && err == nil {
		part := &codemodev1.Part{Id: m.GetId(), Data: rest[:min(len(rest), partSize)]}
		rest = rest[len(part.GetData()):]
		part.More = len(rest) > 0
		err = r.send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Part{Part: part}})
	}
	return err
}
