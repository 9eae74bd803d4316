package openai

import (
	"context"

	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/internal/dispatch"
)

// Dispatch answers an assistant's message: it runs the programs of all its tool calls,
// in parallel, and gives one reply for each, in their order. Where the message has no
// tool calls, there are no replies: the model has answered.
//
// Every call gets a reply with text in it. A program that fails is answered with its
// traceback, a call of another function with the name of the right one. If the
// application has functions of its own, it answers those calls itself, and passes the
// message with the rest of ToolCalls.
//
// An error means that there is nothing to tell the model: ctx ended (CodeCancelled), or
// the executor cannot be used. The programs have ended by then, and what they did has
// been done.
func Dispatch(ctx context.Context, cm *codemode.Codemode, message openai.ChatCompletionMessage) ([]openai.ChatCompletionMessage, error) {
	if len(message.ToolCalls) == 0 {
		return dispatchFunctionCall(ctx, cm, message.FunctionCall)
	}
	calls := make([]dispatch.Call, len(message.ToolCalls))
	for i, call := range message.ToolCalls {
		calls[i] = dispatch.Call{Name: call.Function.Name, Arguments: call.Function.Arguments}
	}
	texts, err := dispatch.All(ctx, cm, calls)
	if err != nil {
		return nil, err
	}
	replies := make([]openai.ChatCompletionMessage, len(texts))
	for i, text := range texts {
		replies[i] = openai.ChatCompletionMessage{
			Role: openai.ChatMessageRoleTool, ToolCallID: message.ToolCalls[i].ID, Content: text,
		}
	}
	return replies, nil
}

// dispatchFunctionCall answers the form that came before tool calls, which some
// endpoints still use.
func dispatchFunctionCall(ctx context.Context, cm *codemode.Codemode, call *openai.FunctionCall) ([]openai.ChatCompletionMessage, error) {
	if call == nil {
		return nil, nil
	}
	texts, err := dispatch.All(ctx, cm, []dispatch.Call{{Name: call.Name, Arguments: call.Arguments}})
	if err != nil {
		return nil, err
	}
	return []openai.ChatCompletionMessage{{
		Role: openai.ChatMessageRoleFunction, Name: call.Name, Content: texts[0],
	}}, nil
}
