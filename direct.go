package codemode

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"strings"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/registry"
)

// Tools gives all function tools for the model: the one that runs programs first, the one
// that searches if Options.SearchTool names it, then one for each registered tool whose policy says Direct, sorted by name. A model that has
// a single thing to do calls the latter without a program; middleware, approvals and
// policies hold for both.
//
// A direct tool's name has "_" for what model providers do not accept in one, such as
// the dots between namespaces. Two that come to be the same are an error.
func (c *Codemode) Tools() ([]Tool, error) {
	code, err := c.Tool()
	if err != nil {
		return nil, err
	}
	direct, err := c.direct()
	if err != nil {
		return nil, err
	}
	tools := []Tool{code}
	if c.searchName != "" {
		tools = append(tools, c.searchTool())
	}
	return append(tools, direct...), nil
}

func (c *Codemode) direct() ([]Tool, error) {
	var tools []Tool
	taken := map[string]string{c.toolName: "the tool that runs programs"}
	if c.searchName != "" {
		taken[c.searchName] = "the tool that searches"
	}
	for _, e := range c.registry.Entries() {
		if !e.Policy().Direct {
			continue
		}
		name := directName(e.Name())
		if first, clash := taken[name]; clash {
			return nil, fault.New(fault.Invalid, "the model would know the tool %q from %s as %s, as it does %s", e.Name(), e.Origin(), name, first).
				WithRemedy("rename one of them, or take Direct out of its policy")
		}
		taken[name] = e.Name() + " from " + e.Origin()
		tools = append(tools, Tool{
			Name: name, Description: e.Description(), Parameters: e.Input().JSON(), Policy: e.Policy(),
			Call: func(ctx context.Context, arguments string) (string, error) {
				return c.callDirect(ctx, e, arguments)
			},
		})
	}
	return tools, nil
}

// notInNames is what model providers do not accept in a function's name.
var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]`)

func directName(name string) string {
	name = notInNames.ReplaceAllString(name, "_")
	if !toolNames.MatchString(name[:1]) {
		name = "_" + name
	}
	return name[:min(len(name), 64)]
}

// callDirect gives the text for the model; an error only where ctx has ended, or c is closed.
func (c *Codemode) callDirect(ctx context.Context, e *registry.Entry, arguments string) (string, error) {
	name := e.Name()
	if strings.TrimSpace(arguments) == "" {
		arguments = "{}"
	}
	arguments = withoutNulls(e, arguments)
	// As JSON and not as the value encoding: the model knows nothing of the latter's tags.
	encoded, err := value.Encode(json.RawMessage(arguments))
	if err != nil {
		return "ToolError (" + registry.KindInvalidArguments + "): the arguments are not JSON", nil //nolint:nilerr // it is for the model
	}
	given, more, err := c.client.CallTool(ctx, executorclient.Request{Tools: c.registry, Calls: c.calls, OnEvent: c.observer(ctx)}, name, encoded)
	if ctx.Err() != nil {
		return "", fault.Wrap(fault.Cancelled, context.Cause(ctx), "the call of %s was cancelled", name)
	}
	if failure, ok := errors.AsType[*registry.ToolError](err); ok {
		return "ToolError (" + failure.Kind + "): " + failure.Message, nil
	}
	if err != nil {
		return "", err
	}
	decoded, err := value.Decode(given, len(given))
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the result of %s cannot be read", name)
	}
	result := Result{Status: StatusOK, Value: decoded}
	if more {
		return result.Text() + "\n(further rows are left out; a program can read them all)", nil
	}
	return result.Text(), nil
}

// withoutNulls leaves out what a model sent as null because strict mode, or its habit, has
// it send every argument, where the arguments only fit without.
func withoutNulls(e *registry.Entry, arguments string) string {
	if !strings.Contains(arguments, "null") {
		return arguments
	}
	decoder := json.NewDecoder(strings.NewReader(arguments))
	decoder.UseNumber()
	var given map[string]any
	if decoder.Decode(&given) != nil || decoder.More() || e.Input().Validate(given) == nil {
		return arguments
	}
	dropNulls(given)
	text, err := json.Marshal(given)
	if err != nil || e.Input().Validate(given) != nil {
		return arguments // the error is to be about what was sent
	}
	return string(text)
}

func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, member any) bool { return member == nil })
		for _, member := range v {
			dropNulls(member)
		}
	case []any:
		for _, item := range v {
			dropNulls(item)
		}
	}
}
