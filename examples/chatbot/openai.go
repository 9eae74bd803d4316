package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
	codemodeopenai "github.com/codemode-sdk/codemode/adapters/openai"
)

// openAI is any endpoint that speaks as OpenAI's chat completions do.
type openAI struct {
	cm     *codemode.Codemode
	client *openai.Client
	model  string
	retry  time.Duration // before the first retry; doubled for the next
}

// maxAttempts is how often one reply is asked for, where the endpoint is busy or out of
// reach. Nothing was said by then, so that asking again repeats nothing.
const maxAttempts = 4

func newOpenAI(cm *codemode.Codemode, retry time.Duration) (*openAI, error) {
	key := os.Getenv("OPENAI_API_KEY")
	if key == "" && os.Getenv("OPENAI_BASE_URL") == "" {
		return nil, errors.New("set OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint that takes no key")
	}
	config := openai.DefaultConfig(key)
	config.BaseURL = cmp.Or(os.Getenv("OPENAI_BASE_URL"), config.BaseURL)
	return &openAI{cm, openai.NewClientWithConfig(config), cmp.Or(os.Getenv("OPENAI_MODEL"), openai.GPT4oMini), retry}, nil
}

func (m *openAI) Name() string { return m.model }

func (m *openAI) Reply(ctx context.Context, messages []Message, say func(Delta)) (Message, error) {
	tool, err := codemodeopenai.Tool(m.cm)
	if err != nil {
		return Message{}, err
	}
	request := openai.ChatCompletionRequest{Model: m.model, Messages: toOpenAI(messages), Tools: []openai.Tool{tool}, Stream: true}
	pause := m.retry
	for attempt := 1; ; attempt++ {
		stream, err := m.client.CreateChatCompletionStream(ctx, request)
		if err == nil {
			reply, err := readReply(stream, say)
			return reply, errors.Join(err, stream.Close())
		}
		if attempt == maxAttempts || ctx.Err() != nil || !worthRetrying(err) {
			return Message{}, err
		}
		say(Delta{Notice: fmt.Sprintf("The model could not be reached (%v). Trying again in %v.", err, pause)})
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Message{}, ctx.Err()
		}
		pause *= 2
	}
}

// worthRetrying is true where the endpoint was busy, broken or out of reach, and false
// where it refused.
func worthRetrying(err error) bool {
	status := 0
	if failed, ok := errors.AsType[*openai.APIError](err); ok {
		status = failed.HTTPStatusCode
	} else if failed, ok := errors.AsType[*openai.RequestError](err); ok {
		status = failed.HTTPStatusCode
	}
	return status == 0 || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// maxReply bounds what is kept of one reply, in bytes.
const maxReply = 1 << 20

// readReply puts the pieces of a message together, and shows it while it grows.
func readReply(stream *openai.ChatCompletionStream, say func(Delta)) (Message, error) {
	message := codemodeopenai.Accumulator{MaxBytes: maxReply, MaxCalls: maxCallsOfReply}
	reply := Message{Role: roleAssistant}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) && message.FinishReason() != "" {
			break
		}
		if err != nil {
			return Message{}, fmt.Errorf("the connection to the model ended in the middle of a message: %w", err)
		}
		if err := message.Add(part); err != nil {
			return Message{}, err
		}
		reply.extend(message.Message(), say)
	}
	reply.CutOff = message.FinishReason() == openai.FinishReasonLength
	if message.FinishReason() == openai.FinishReasonContentFilter {
		say(Delta{Notice: "The model's endpoint left out a part of the answer (content_filter)."})
	}
	if reply.Text == "" && len(reply.Calls) == 0 {
		return Message{}, fmt.Errorf("it said nothing (%s)", message.FinishReason())
	}
	return reply, nil
}

// extend makes the reply what the message is by now, and says what that adds.
func (reply *Message) extend(message openai.ChatCompletionMessage, say func(Delta)) {
	text := cmp.Or(message.Content, message.Refusal)
	if shown := len(reply.Text); len(text) > shown {
		say(Delta{Text: text[shown:]})
	}
	reply.Text = text
	calls := make([]Call, len(message.ToolCalls))
	for i, call := range message.ToolCalls {
		calls[i] = Call{call.ID, call.Function.Name, call.Function.Arguments}
		shown := 0
		if i < len(reply.Calls) {
			shown = len(reply.Calls[i].Arguments)
		}
		if arguments := calls[i].Arguments; len(arguments) > shown {
			say(Delta{Call: i, Arguments: arguments[shown:]})
		}
	}
	reply.Calls = calls
}

// maxCallsOfReply bounds the programs of one reply.
const maxCallsOfReply = 16

func toOpenAI(messages []Message) []openai.ChatCompletionMessage {
	converted := []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleSystem, Content: instructions}}
	for _, m := range messages {
		c := openai.ChatCompletionMessage{Role: m.Role, Content: m.Text, ToolCallID: m.CallID}
		for _, call := range m.Calls {
			c.ToolCalls = append(c.ToolCalls, openai.ToolCall{
				ID: call.ID, Type: openai.ToolTypeFunction,
				Function: openai.FunctionCall{Name: call.Name, Arguments: validArguments(call.Arguments)},
			})
		}
		converted = append(converted, c)
	}
	return converted
}

// validArguments are arguments as an endpoint takes them back: some refuse a history with
// the invalid JSON that their own model wrote.
func validArguments(arguments string) string {
	if json.Valid([]byte(arguments)) {
		return arguments
	}
	code, _ := codemode.Program(arguments) // where there is none, what was sent
	encoded, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		return "{}"
	}
	return string(encoded)
}
