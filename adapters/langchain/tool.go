package langchain

import (
	"context"
	"encoding/json"
	"fmt"

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
	if t.CallbacksHandler == nil {
		return t.cm.Call(ctx, programIn(input))
	}
	t.CallbacksHandler.HandleToolStart(ctx, input)
	text, err := t.cm.Call(ctx, programIn(input))
	if err != nil {
		t.CallbacksHandler.HandleToolError(ctx, err)
		return "", err
	}
	t.CallbacksHandler.HandleToolEnd(ctx, text)
	return text, nil
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

// LLMTools are the function tools for llms.WithTools: the one that runs programs, and the
// direct ones, all of which Dispatch answers.
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
