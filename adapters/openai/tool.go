package openai

import (
	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
)

// Tool is the function tool for ChatCompletionRequest.Tools, with the tools that are
// registered now. Its parameters fit strict mode: set Function.Strict where the endpoint
// has it. An error is one of Codemode.Tool.
func Tool(cm *codemode.Codemode) (openai.Tool, error) {
	tool, err := cm.Tool()
	if err != nil {
		return openai.Tool{}, err
	}
	function := define(tool, nil)
	return openai.Tool{Type: openai.ToolTypeFunction, Function: &function}, nil
}

// Options say how tools are described. Nil is the zero Options.
type Options struct {
	// Strict has the endpoint hold the model's arguments to the schema. A direct tool's
	// schema is put into the form that strict mode asks for, with optional arguments that
	// may be null, and Dispatch takes the nulls out again. One that has no such form, with
	// free keys or a value of any type, stays as it is, and is not strict.
	Strict bool
	// Custom makes the tool that runs programs one that takes them as raw text, and not
	// as JSON. It is for ResponseTools: in chat completions, go-openai does not read the
	// calls of such tools.
	Custom bool
}

// Tools are the function tools for ChatCompletionRequest.Tools: all of Codemode.Tools, and
// Dispatch answers them. An error is one of Codemode.Tools.
func Tools(cm *codemode.Codemode, options *Options) ([]openai.Tool, error) {
	all, err := cm.Tools()
	if err != nil {
		return nil, err
	}
	tools := make([]openai.Tool, len(all))
	for i, tool := range all {
		function := define(tool, options)
		tools[i] = openai.Tool{Type: openai.ToolTypeFunction, Function: &function}
	}
	return tools, nil
}

// ResponseTools are the same for CreateResponseRequest.Tools.
func ResponseTools(cm *codemode.Codemode, options *Options) ([]openai.ResponseTool, error) {
	all, err := cm.Tools()
	if err != nil {
		return nil, err
	}
	tools := make([]openai.ResponseTool, len(all))
	for i, tool := range all {
		if i == 0 && options != nil && options.Custom {
			tools[i] = openai.ResponseTool{Type: openai.ToolTypeCustom, Parameters: map[string]any{
				"name": tool.Name, "description": tool.Description, "format": map[string]string{"type": "text"},
			}}
			continue
		}
		tools[i] = openai.NewResponseFunctionTool(define(tool, options))
	}
	return tools, nil
}

func define(tool codemode.Tool, options *Options) openai.FunctionDefinition {
	function := openai.FunctionDefinition{Name: tool.Name, Description: tool.Description, Parameters: tool.Parameters}
	if options != nil && options.Strict {
		if strict, ok := strictSchema(tool.Parameters); ok {
			function.Parameters, function.Strict = strict, true
		}
	}
	return function
}
