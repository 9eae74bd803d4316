// Package dispatch answers the tool calls of one message of a model. What it takes and
// gives is in no framework's terms.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/codemode-sdk/codemode"
)

// MaxParallel bounds the programs of one message that run at once; further ones wait.
// A message with more calls than that is a model in a loop, and must not fill the
// executor's queue.
const MaxParallel = 8

// A Call is one tool call as the model made it.
type Call struct {
	// Name is the function that the model named.
	Name string
	// Arguments is what it sent, whatever that is.
	Arguments string
}

// All answers every call, in parallel, with the texts in the order of the calls. No text
// is empty. A call of another function is answered with the name of the right one.
//
// An error means that some call has no answer: ctx ended, or the executor cannot be
// used. All has waited for every call by then.
func All(ctx context.Context, cm *codemode.Codemode, calls []Call) ([]string, error) {
	texts, errs := make([]string, len(calls)), make([]error, len(calls))
	free := make(chan struct{}, MaxParallel)
	var running sync.WaitGroup
	for i, call := range calls {
		if name := cm.ToolName(); call.Name != name {
			texts[i] = fmt.Sprintf("There is no function %q, and nothing was run. Call %s, whose argument is a Python program.", call.Name, name)
			continue
		}
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			texts[i], errs[i] = cm.Call(ctx, call.Arguments)
		})
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return texts, nil
}
