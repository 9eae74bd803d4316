package codemode

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// MaxParallelCalls bounds the calls of one message that run at once; further ones wait. A
// message with more than that is a model in a loop, and must not fill the executor's queue.
const MaxParallelCalls = 8

// A FunctionCall is one call in a model's message.
type FunctionCall struct {
	// ID is the provider's; it is given back in the reply, whatever it is.
	ID string
	// Name is the function that the model named.
	Name string
	// Arguments is what it sent, whatever that is; see Codemode.Call.
	Arguments string
}

// A FunctionReply is what to send back for one call.
type FunctionReply struct {
	// ID and Name are those of the call.
	ID, Name string
	// Text is for the model; never empty.
	Text string
}

// Dispatch answers all calls of one message of a model, of the functions that Tools gives
// and of own, which are the application's: one reply for each, in their order.
//
// Programs run in parallel, and so do tools with the policies Direct and ReadOnly. Direct
// tools that may change something, and own functions, run one after another as the model
// wrote them, beside the others.
//
// Every call gets a reply. A program that fails is answered with its traceback, a call of
// an unknown function with what to call instead; nothing was run for it. An error means
// that some call has no answer: ctx ended, the executor cannot be used, or an own function
// failed with an error. All calls have ended by then, and what they did has been done.
func (c *Codemode) Dispatch(ctx context.Context, calls []FunctionCall, own ...Tool) ([]FunctionReply, error) {
	functions, err := c.functions(own)
	if err != nil {
		return nil, err
	}
	replies, errs := make([]FunctionReply, len(calls)), make([]error, len(calls))
	answer := func(i int, f function) {
		replies[i].Text, errs[i] = f.answer(ctx, calls[i].Arguments)
	}
	var inOrder []func()
	var running sync.WaitGroup
	free := make(chan struct{}, MaxParallelCalls)
	for i, call := range calls {
		replies[i] = FunctionReply{ID: call.ID, Name: call.Name}
		f, ok := functions[call.Name]
		switch {
		case !ok:
			replies[i].Text = c.unknownFunction(call.Name)
		case f.parallel:
			running.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				answer(i, f)
			})
		default:
			inOrder = append(inOrder, func() { answer(i, f) })
		}
	}
	for _, next := range inOrder {
		next()
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return replies, nil
}

// A function is what a call can name.
type function struct {
	call     func(ctx context.Context, arguments string) (string, error)
	parallel bool
}

func (f function) answer(ctx context.Context, arguments string) (text string, err error) {
	defer func() {
		if v := recover(); v != nil { // an own function's: the others' answers matter too
			text, err = fmt.Sprintf("The function crashed: %v", v), nil
		}
	}()
	if err := ctx.Err(); err != nil {
		return "", fault.Wrap(fault.Cancelled, context.Cause(ctx), "the call was cancelled")
	}
	text, err = f.call(ctx, arguments)
	if err == nil && strings.TrimSpace(text) == "" {
		text = "The function ended without a result."
	}
	return text, err
}

func (c *Codemode) functions(own []Tool) (map[string]function, error) {
	functions := map[string]function{c.toolName: {call: c.Call, parallel: true}}
	if c.searchName != "" {
		functions[c.searchName] = function{call: c.search, parallel: true}
	}
	direct, err := c.direct()
	if err != nil {
		return nil, err
	}
	for _, d := range direct {
		functions[d.Name] = function{call: d.Call, parallel: d.Policy.ReadOnly}
	}
	for _, tool := range own {
		if _, taken := functions[tool.Name]; taken || tool.Call == nil {
			return nil, fault.New(fault.Invalid, "the application's function %q has no Call, or the name of another function", tool.Name)
		}
		functions[tool.Name] = function{call: tool.Call}
	}
	return functions, nil
}

// unknownFunction tells the model what to call in place of what is not there.
func (c *Codemode) unknownFunction(name string) string {
	if len(name) > 100 {
		name = strings.ToValidUTF8(name[:100], "") + "..."
	}
	text := fmt.Sprintf("There is no function %q, and nothing was run. Call %s, whose argument is a Python program", name, c.toolName)
	// Models take what they have read in the description for functions of their own.
	bare := strings.TrimPrefix(name, "tools.")
	for _, e := range c.registry.Entries() {
		spelling := strings.Join(e.PythonPath(), ".")
		if slices.Contains([]string{e.Name(), spelling, directName(e.Name())}, bare) && !e.Policy().Hidden {
			return text + fmt.Sprintf(": tools.%s(...) is called in it.", spelling)
		}
	}
	return text + "."
}
