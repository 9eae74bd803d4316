// Openai lets a model answer a question with programs, through any endpoint that speaks
// as OpenAI's does:
//
//	OPENAI_API_KEY=... [OPENAI_BASE_URL=...] [OPENAI_MODEL=...] go run ./examples/openai [question]
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
	codemodeopenai "github.com/codemode-sdk/codemode/adapters/openai"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

type item struct {
	SKU string `json:"sku" jsonschema:"enum=lamp,enum=bulb,enum=desk,enum=chair"`
}

var stock = map[string]int{"lamp": 12, "bulb": 340, "desk": 3}

func inStock(_ context.Context, i item) (int, error) {
	if count, ok := stock[i.SKU]; ok {
		return count, nil
	}
	return 0, fmt.Errorf("the warehouse has no %s", i.SKU)
}

func main() {
	question := cmp.Or(strings.Join(os.Args[1:], " "), "Of which things are fewer than 20 in stock?")
	answer, err := ask(context.Background(), question)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
}

func ask(ctx context.Context, question string) (answer string, err error) {
	cm, err := codemode.New(codemode.Options{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()
	if err := registry.Func(cm.Registry(), "in_stock", "Counts what the warehouse has of an item.", inStock); err != nil {
		return "", err
	}
	tool, err := codemodeopenai.Tool(cm)
	if err != nil {
		return "", err
	}
	config := openai.DefaultConfig(os.Getenv("OPENAI_API_KEY"))
	config.BaseURL = cmp.Or(os.Getenv("OPENAI_BASE_URL"), config.BaseURL)
	client := openai.NewClientWithConfig(config)

	messages := []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: question}}
	for range 10 { // programs, at most, before there has to be an answer
		response, err := client.CreateChatCompletion(ctx, openai.ChatCompletionRequest{
			Model: cmp.Or(os.Getenv("OPENAI_MODEL"), openai.GPT4oMini), Messages: messages, Tools: []openai.Tool{tool},
		})
		if err != nil || len(response.Choices) == 0 {
			return "", errors.Join(errors.New("the endpoint gave no message"), err)
		}
		message := response.Choices[0].Message
		replies, err := codemodeopenai.Dispatch(ctx, cm, message)
		if err != nil || len(replies) == 0 {
			return message.Content, err
		}
		messages = append(append(messages, message), replies...)
	}
	return "", errors.New("the model wrote ten programs and no answer")
}
