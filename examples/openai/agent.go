package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
	codemodeopenai "github.com/codemode-sdk/codemode/adapters/openai"
)

// An agent takes a question to its answer through the programs that a model writes.
type agent struct {
	cm     *codemode.Codemode
	client *openai.Client
	model  string
}

func (a agent) answer(ctx context.Context, question string) (string, error) {
	tools, err := codemodeopenai.Tools(a.cm, nil)
	if err != nil {
		return "", err
	}
	messages := []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: question}}
	for range 10 { // rounds, at most, before there has to be an answer
		message, err := a.listen(ctx, openai.ChatCompletionRequest{Model: a.model, Messages: messages, Tools: tools})
		if err != nil {
			return "", err
		}
		replies, err := codemodeopenai.Dispatch(ctx, a.cm, message)
		if err != nil || len(replies) == 0 {
			return message.Content, err
		}
		messages = append(append(messages, message), replies...)
	}
	return "", errors.New("the model wrote ten programs and no answer")
}

// listen shows a message while the model writes it, programs included.
func (a agent) listen(ctx context.Context, request openai.ChatCompletionRequest) (openai.ChatCompletionMessage, error) {
	var message codemodeopenai.Accumulator
	stream, err := a.client.CreateChatCompletionStream(ctx, request)
	if err != nil {
		return openai.ChatCompletionMessage{}, err
	}
	defer func() { _ = stream.Close() }() // it has been read
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = message.Add(part)
		}
		if err != nil {
			return openai.ChatCompletionMessage{}, err
		}
		for _, choice := range part.Choices {
			for _, call := range choice.Delta.ToolCalls {
				fmt.Fprint(os.Stderr, call.Function.Arguments)
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	if message.FinishReason() == "" {
		return openai.ChatCompletionMessage{}, errors.New("the endpoint's message broke off")
	}
	return message.Message(), nil
}
