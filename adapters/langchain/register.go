package langchain

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/tmc/langchaingo/tools"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

const (
	textIn  = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`
	textOut = `{"type":"string"}`
)

// AddTools registers tools of langchaingo, which programs then call:
//
//	langchain.AddTools(reg, tools.Calculator{}, wikipedia)
//
// Each takes one argument, input, and gives a str: tools.calculator(input="2 * 3"), or
// tools.calculator("2 * 3"). What langchaingo's tools say in their text of their own
// failures stays text; an error is a ToolError. Their callbacks are theirs. Nothing is
// known of what a tool does: Registry.SetPolicies says it.
//
// It fails as Registry.Add does, for all tools together; those without an error are
// registered.
func AddTools(reg *registry.Registry, list ...tools.Tool) error {
	var errs []error
	for i, tool := range list {
		if tool == nil {
			errs = append(errs, fault.New(fault.Invalid, "tool %d is nil", i+1))
			continue
		}
		errs = append(errs, reg.Add(registry.Tool{
			Name: tool.Name(), Description: strings.ToValidUTF8(strings.TrimSpace(tool.Description()), "\uFFFD"),
			InputSchema: json.RawMessage(textIn), OutputSchema: json.RawMessage(textOut),
			Origin: "langchaingo's tool " + tool.Name(),
			Handler: func(ctx context.Context, args registry.Args) (any, error) {
				var in struct {
					Input string `json:"input"`
				}
				if err := args.Decode(&in); err != nil {
					return nil, err
				}
				text, err := tool.Call(ctx, in.Input)
				if err != nil {
					return nil, err
				}
				return strings.ToValidUTF8(text, "\uFFFD"), nil
			},
		}))
	}
	return errors.Join(errs...)
}
