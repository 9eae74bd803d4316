package main

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/langchain"
)

// langchainModel is any model of langchaingo; put another provider's in the place of
// openai.New. Replies come whole: what langchaingo streams does not tell text from the
// arguments of calls.
type langchainModel struct {
	cm   *codemode.Codemode
	llm  llms.Model
	name string
}

func newLangchain(cm *codemode.Codemode) (*langchainModel, error) {
	name := cmp.Or(os.Getenv("OPENAI_MODEL"), "gpt-4o-mini")
	llm, err := openai.New( // OPENAI_API_KEY is read by the library
		openai.WithBaseURL(cmp.Or(os.Getenv("OPENAI_BASE_URL"), "https://api.openai.com/v1")),
		openai.WithModel(name),
	)
	if err != nil {
		return nil, err
	}
	return &langchainModel{cm, llm, name}, nil
}

func (m *langchainModel) Name() string { return m.name + " by langchaingo" }

func (m *langchainModel) Reply(ctx context.Context, messages []Message, say func(Delta)) (Message, error) {
	tool, err := langchain.LLMTool(m.cm)
	if err != nil {
		return Message{}, err
	}
	response, err := m.llm.GenerateContent(ctx, toLangchain(messages), llms.WithTools([]llms.Tool{tool}))
	if err != nil {
		return Message{}, err
	}
	reply := Message{Role: roleAssistant}
	for _, choice := range response.Choices { // some providers spread one message over several
		reply.Text += choice.Content
		reply.CutOff = reply.CutOff || choice.StopReason == "length"
		for _, call := range choice.ToolCalls {
			if call.FunctionCall != nil && len(reply.Calls) < maxCallsOfReply {
				reply.Calls = append(reply.Calls, Call{call.ID, call.FunctionCall.Name, call.FunctionCall.Arguments})
			}
		}
	}
	if reply.Text == "" && len(reply.Calls) == 0 {
		return Message{}, errors.New("it said nothing")
	}
	if reply.Text != "" {
		say(Delta{Text: reply.Text})
	}
	return reply, nil
}

// toLangchain makes messages with one part each, which is what every provider reads.
func toLangchain(messages []Message) []llms.MessageContent {
	converted := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeSystem, instructions)}
	for _, m := range messages {
		switch {
		case m.Role == roleUser:
			converted = append(converted, llms.TextParts(llms.ChatMessageTypeHuman, m.Text))
		case m.Role == roleTool:
			converted = append(converted, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: m.CallID, Name: m.CallName, Content: m.Text},
			}})
		case len(m.Calls) == 0:
			converted = append(converted, llms.TextParts(llms.ChatMessageTypeAI, m.Text))
		default:
			parts := make([]llms.ContentPart, len(m.Calls))
			for i, call := range m.Calls {
				parts[i] = llms.ToolCall{ID: call.ID, Type: "function", FunctionCall: &llms.FunctionCall{
					Name: call.Name, Arguments: validArguments(call.Arguments),
				}}
			}
			converted = append(converted, llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: parts})
		}
	}
	return converted
}
