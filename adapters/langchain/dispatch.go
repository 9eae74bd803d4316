package langchain

import (
	"context"
	"encoding/json"

	"github.com/tmc/langchaingo/llms"

	"github.com/codemode-sdk/codemode"
)

// Dispatch answers a model's response: it runs the programs of all its tool calls, in
// parallel, the direct tools, and the application's own functions (see Codemode.Dispatch), and gives the messages to append to the history: what the model said, and
// each of its calls with the reply behind it. Where the response has no tool calls, there are none: the
// model has answered. The response must hold one alternative, which is the default
// (llms.WithN): some providers spread one message over several Choices, so that the
// calls of all of them count.
//
// Text and calls are messages of their own because some providers read no more than the
// first part of a message with a call in it.
//
// Every call gets a reply with text in it. A program that fails is answered with its
// traceback, a call of another function with the name of the right one. An error means
// that there is nothing to tell the model: ctx ended (codemode.CodeCancelled), or the
// executor cannot be used.
func Dispatch(ctx context.Context, cm *codemode.Codemode, response *llms.ContentResponse, own ...codemode.Tool) ([]llms.MessageContent, error) {
	said, calls := read(response)
	if len(calls) == 0 {
		return nil, nil
	}
	asked := make([]codemode.FunctionCall, len(calls))
	for i, call := range calls {
		asked[i] = codemode.FunctionCall{ID: call.ID, Name: call.FunctionCall.Name, Arguments: call.FunctionCall.Arguments}
	}
	replies, err := cm.Dispatch(ctx, asked, own...)
	if err != nil {
		return nil, err
	}
	var turn []llms.MessageContent
	if said != "" {
		turn = append(turn, llms.TextParts(llms.ChatMessageTypeAI, said))
	}
	for i, call := range calls {
		turn = append(turn,
			llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{repeatable(call)}},
			llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{
				ToolCallID: call.ID, Name: call.FunctionCall.Name, Content: replies[i].Text,
			}}},
		)
	}
	return turn, nil
}

// read takes the text and the calls out of a response. A call without a function cannot
// be answered, nor repeated to a provider.
func read(response *llms.ContentResponse) (said string, calls []llms.ToolCall) {
	if response == nil {
		return "", nil
	}
	for _, choice := range response.Choices {
		if choice == nil {
			continue
		}
		if said == "" {
			said = choice.Content
		}
		for _, call := range choice.ToolCalls {
			if call.FunctionCall != nil {
				calls = append(calls, call)
			}
		}
	}
	return said, calls
}

// repeatable is a call as a provider accepts it in the history.
func repeatable(call llms.ToolCall) llms.ToolCall {
	if call.Type == "" { // as some providers leave it, and others refuse it
		call.Type = "function"
	}
	if function := *call.FunctionCall; !json.Valid([]byte(function.Arguments)) {
		// The program was found in it all the same, but endpoints parse the history.
		if arguments, err := json.Marshal(map[string]string{"code": function.Arguments}); err == nil {
			function.Arguments = string(arguments)
			call.FunctionCall = &function
		}
	}
	return call
}
