package openai

import (
	"context"

	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
)

// Dispatch answers an assistant's message: it runs the programs of all its tool calls,
// in parallel, the direct tools, and the application's own functions, and gives one reply
// for each call, in their order; see Codemode.Dispatch. Where the message has no tool
// calls, there are no replies: the model has answered.
//
// Every call gets a reply with text in it. A program that fails is answered with its
// traceback, a call of another function with the name of the right one. If the
// application has functions of its own, it passes them as own, or answers those calls
// itself and passes the message with the rest of ToolCalls.
//
// An error means that there is nothing to tell the model: ctx ended (CodeCancelled), or
// the executor cannot be used. The programs have ended by then, and what they did has
// been done.
func Dispatch(ctx context.Context, cm *codemode.Codemode, message openai.ChatCompletionMessage, own ...codemode.Tool) ([]openai.ChatCompletionMessage, error) {
	var calls []codemode.FunctionCall
	for _, call := range message.ToolCalls {
		calls = append(calls, codemode.FunctionCall{ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments})
	}
	role := openai.ChatMessageRoleTool
	if old := message.FunctionCall; len(calls) == 0 && old != nil {
		// The form that came before tool calls, which some endpoints still use.
		calls = []codemode.FunctionCall{{Name: old.Name, Arguments: old.Arguments}}
		role = openai.ChatMessageRoleFunction
	}
	if len(calls) == 0 {
		return nil, nil
	}
	answers, err := cm.Dispatch(ctx, calls, own...)
	if err != nil {
		return nil, err
	}
	replies := make([]openai.ChatCompletionMessage, len(answers))
	for i, answer := range answers {
		replies[i] = openai.ChatCompletionMessage{Role: role, Content: answer.Text}
		if role == openai.ChatMessageRoleTool {
			replies[i].ToolCallID = answer.ID
		} else {
			replies[i].Name = answer.Name
		}
	}
	return replies, nil
}
