package openai

import (
	"context"
	"encoding/json"

	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
)

// DispatchResponse answers the calls in the output of the Responses API, of function tools
// and of custom ones: one item for each, in their order, to be sent as the next request's
// Input with the response's ID as PreviousResponseID, or behind the output itself. Where
// the output has no calls, there are none: the model has answered. Errors are as those of
// Dispatch.
//
// A streamed response has its output in the event response.completed.
func DispatchResponse(ctx context.Context, cm *codemode.Codemode, output []any, own ...codemode.Tool) ([]openai.ResponseFunctionCallOutput, error) {
	var calls []codemode.FunctionCall
	var kinds []string
	for _, item := range output {
		call, ok := readItem(item)
		if !ok {
			continue
		}
		arguments := call.Arguments
		if call.Type == "custom_tool_call" {
			arguments = call.Input
		}
		calls = append(calls, codemode.FunctionCall{ID: call.CallID, Name: call.Name, Arguments: arguments})
		kinds = append(kinds, call.Type+"_output")
	}
	if len(calls) == 0 {
		return nil, nil
	}
	answers, err := cm.Dispatch(ctx, calls, own...)
	if err != nil {
		return nil, err
	}
	replies := make([]openai.ResponseFunctionCallOutput, len(answers))
	for i, answer := range answers {
		replies[i] = openai.ResponseFunctionCallOutput{Type: kinds[i], CallID: answer.ID, Output: answer.Text}
	}
	return replies, nil
}

// A callItem is what an output item of a call has.
type callItem struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
	Input     string `json:"input"`
}

// readItem reads an item in any of the Go types that it may have.
func readItem(item any) (call callItem, ok bool) {
	text, err := json.Marshal(item)
	if err != nil || json.Unmarshal(text, &call) != nil {
		return callItem{}, false // other kinds of items have fields of other types
	}
	return call, call.Type == "function_call" || call.Type == "custom_tool_call"
}
