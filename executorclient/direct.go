package executorclient

import (
	"context"
	"time"

	"github.com/codemode-sdk/codemode/internal/deadline"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// directRows bounds what CallTool takes of a tool that gives rows, in bytes of the value
// encoding: it is more than a model is shown.
const directRows = 64 << 10

// CallTool makes one call of a tool without a program, and so without the executor. Of the
// request, Tools, Calls and OnEvent count, which is told the call's beginning, progress and
// end. Arguments and result are in the value encoding. A tool that gives rows is left after
// 64 KiB of them; its result is their list, and more says that there were others.
//
// The error is a *registry.ToolError, or one of code fault.Unavailable if c is closed.
func (c *Client) CallTool(ctx context.Context, request Request, name string, arguments []byte) (result []byte, more bool, err error) {
	if !c.begin() {
		return nil, false, fault.New(fault.Unavailable, "the client of the executor is closed")
	}
	defer c.calls.Done()
	r := &run{client: c, request: request, begun: time.Now(), calls: request.Tools.NewRun(request.Calls)}
	made := &call{tool: name, arguments: arguments, pending: true}
	if e, ok := request.Tools.Lookup(name); ok {
		made.policy, made.streaming = e.Policy(), e.Streaming()
	}
	r.deadline = deadline.New(forever, forever, func() {})
	defer r.deadline.Stop()
	r.events = events{run: r, tell: request.OnEvent}
	told := r.events.begin(ctx)
	defer told()
	r.events.start(made)
	result, err = traced(ctx, made, func(ctx context.Context) ([]byte, error) {
		if !made.streaming {
			return r.dispatch(ctx, made)
		}
		var rows []byte
		rows, more, err = r.gather(ctx, made)
		return rows, err
	})
	r.conclude(ctx, made, result, err)
	return result, more, err
}

// gather takes the first rows of a tool.
func (r *run) gather(ctx context.Context, c *call) (list []byte, more bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	list = []byte{'['}
	for row, err := range r.calls.Rows(ctx, c.tool, c.arguments, r.observer(c)) {
		if err != nil {
			return nil, false, err
		}
		if len(list)+len(row) > directRows {
			more = true
			break
		}
		if len(list) > 1 {
			list = append(list, ',')
		}
		list = append(list, row...)
		r.progress(c, 1)
	}
	return append(list, ']'), more, nil
}
