package codemode

import (
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// DefaultToolName is what the model knows the function tool as, unless Options says
// otherwise.
const DefaultToolName = "codemode"

// toolNames is what every model provider accepts as a function's name.
var toolNames = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

func checkToolName(name string) error {
	if toolNames.MatchString(name) {
		return nil
	}
	return fault.New(fault.Invalid, "the tool name %q is not one that model providers accept", name).
		WithRemedy("use 1 to 64 of A-Z a-z 0-9 _ -, and begin with a letter or _")
}

// A Tool is a function tool that the model is given, in no framework's terms; the
// packages below adapters put it into those of a framework. What its fields say is about
// the one that runs programs; Codemode.Tools has others.
type Tool struct {
	// Name is what the model calls it.
	Name string
	// Description tells the model how to write the program, and shows a Python stub for
	// each registered tool.
	Description string
	// Parameters is the JSON Schema of the arguments: one string, "code".
	Parameters json.RawMessage
	// Policy says what calls may do, for frameworks that ask; the zero Policy for the tool
	// that runs programs, which may do anything.
	Policy registry.Policy
	// Call runs what the model sent; see Codemode.Call.
	Call func(ctx context.Context, arguments string) (string, error)
}

// toolParameters is plain enough for every provider, and strict for those that know it.
const toolParameters = `{"type":"object","properties":{"code":{"type":"string","description":"The Python program."}},"required":["code"],"additionalProperties":false}`

// ToolName is what the model knows the function tool as.
func (c *Codemode) ToolName() string { return c.toolName }

// Tool describes the function tool, with the tools that are registered now.
func (c *Codemode) Tool() (Tool, error) {
	tool, err := describe(c.registry, c.toolName, c.searchName)
	if err != nil {
		return Tool{}, err
	}
	tool.Call = c.Call
	return tool, nil
}

// Call runs what a model sent as the function's arguments, and gives the text to send
// back to it: never empty, bounded, with the traceback where the program failed. It
// takes the arguments of the schema, {"code": "..."}, and what models send instead:
// other names for the one argument, a bare string, a bare program, a fenced one. Arguments
// that hold no program are answered with what is missing.
//
// What the program did wrong is text for the model. An error means that there is
// nothing to tell it: ctx ended, or the executor cannot be used.
func (c *Codemode) Call(ctx context.Context, arguments string) (string, error) {
	code, err := Program(arguments)
	if err != nil {
		return err.Error(), nil //nolint:nilerr // it is for the model
	}
	result, err := c.Execute(ctx, code)
	if err != nil && CodeOf(err) != CodeRejected {
		return "", err
	}
	if (result.Status == StatusTimeout || result.Status == StatusRejected) && endsNow(ctx) {
		// The executor was told ctx's deadline, and was the first to notice it.
		return "", fault.Wrap(fault.Cancelled, context.Cause(ctx), "the run was cancelled")
	}
	return result.Text(), nil
}

// endsNow says whether ctx has ended, or does so in the next moment, for which it waits.
func endsNow(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < 200*time.Millisecond {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}
