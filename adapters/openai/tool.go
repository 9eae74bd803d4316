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
	return openai.Tool{
		Type: openai.ToolTypeFunction,
		Function: &openai.FunctionDefinition{
			Name: tool.Name, Description: tool.Description, Parameters: tool.Parameters,
		},
	}, nil
}
