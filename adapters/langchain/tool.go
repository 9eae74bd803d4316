package langchain

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/tools"

	"github.com/codemode-sdk/codemode"
)

// A CodeTool is the function tool as langchaingo's agents take it. Get one from Tool.
type CodeTool struct {
	// CallbacksHandler is told when a program starts, and how it ends: HandleToolEnd
	// with the text for the model, also where the program failed; HandleToolError if
	// there is none. Programs that run at once call it at once. If nil, nobody is told.
	CallbacksHandler callbacks.Handler

	cm *codemode.Codemode
}

var _ tools.Tool = (*CodeTool)(nil)

// Tool is the function tool for an agent. It describes the tools that are registered
// when the agent asks.
func Tool(cm *codemode.Codemode) *CodeTool { return &CodeTool{cm: cm} }

// Name is what the model calls the tool.
func (t *CodeTool) Name() string { return t.cm.ToolName() }

// Description is Codemode.Description.
func (t *CodeTool) Description() string {
	description, err := t.cm.Description()
	if err != nil {
		// Registration has described each tool once, so only a bug gets here.
		return "Run a Python program. The tools it may call cannot be described: " + err.Error()
	}
	return description
}

// Call runs what the model sent, in any of the forms that agents pass on; see
// Codemode.Call. A program that fails is text for the model. An error means that ctx
// ended, or that the executor cannot be used.
func (t *CodeTool) Call(ctx context.Context, input string) (string, error) {
	return heard(ctx, t.CallbacksHandler, input, func() (string, error) { return t.cm.Call(ctx, programIn(input)) })
}

// heard makes a call of which the handler, which may be nil, is told.
func heard(ctx context.Context, handler callbacks.Handler, input string, call func() (string, error)) (string, error) {
	if handler == nil {
		return call()
	}
	handler.HandleToolStart(ctx, input)
	text, err := call()
	if err != nil {
		handler.HandleToolError(ctx, err)
		return "", err
	}
	handler.HandleToolEnd(ctx, text)
	return text, nil
}

// A FunctionTool is any other of Codemode.Tools as langchaingo's agents take it: one that is
// direct, or the one that searches. Get them from Tools.
type FunctionTool struct {
	// CallbacksHandler is told as that of a CodeTool.
	CallbacksHandler callbacks.Handler

	tool codemode.Tool
}

var _ tools.Tool = (*FunctionTool)(nil)

// Tools are the function tools for an agent: the one that runs programs, and after it the
// others of Codemode.Tools as they are now.
func Tools(cm *codemode.Codemode) ([]tools.Tool, error) {
	all, err := cm.Tools()
	if err != nil {
		return nil, err
	}
	given := []tools.Tool{Tool(cm)}
	for _, tool := range all[1:] {
		given = append(given, &FunctionTool{tool: tool})
	}
	return given, nil
}

// Name is what the model calls the tool.
func (t *FunctionTool) Name() string { return t.tool.Name }

// Description ends with the JSON Schema of the arguments, which agents pass on to no model.
func (t *FunctionTool) Description() string {
	return strings.TrimSpace(t.tool.Description + "\nThe input is a JSON object that fits the schema " + string(t.tool.Parameters))
}

// Call takes the arguments as a JSON object, in any of the forms that agents pass on. A call
// that fails is text for the model. An error means that ctx ended.
func (t *FunctionTool) Call(ctx context.Context, input string) (string, error) {
	return heard(ctx, t.CallbacksHandler, input, func() (string, error) { return t.tool.Call(ctx, argumentsIn(input)) })
}

// LLMTool is the function tool for llms.WithTools, with the tools that are registered
// now. Its Parameters are a map[string]any all the way down, the one form that every
// provider of langchaingo takes. An error is one of Codemode.Tool.
func LLMTool(cm *codemode.Codemode) (llms.Tool, error) {
	tool, err := cm.Tool()
	if err != nil {
		return llms.Tool{}, err
	}
	return llmTool(tool)
}

// LLMTools are the function tools for llms.WithTools: all of Codemode.Tools, and Dispatch
// answers them.
func LLMTools(cm *codemode.Codemode) ([]llms.Tool, error) {
	all, err := cm.Tools()
	if err != nil {
		return nil, err
	}
	tools := make([]llms.Tool, len(all))
	for i, tool := range all {
		if tools[i], err = llmTool(tool); err != nil {
			return nil, err
		}
	}
	return tools, nil
}

func llmTool(tool codemode.Tool) (llms.Tool, error) {
	var parameters map[string]any
	if err := json.Unmarshal(tool.Parameters, &parameters); err != nil {
		return llms.Tool{}, fmt.Errorf("the parameters of the tool %s: %w", tool.Name, err)
	}
	return llms.Tool{
		Type: "function",
		Function: &llms.FunctionDefinition{
			Name: tool.Name, Description: tool.Description, Parameters: parameters,
		},
	}, nil
}
