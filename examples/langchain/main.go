// Langchain lets a langchaingo agent answer a question with programs, through any
// endpoint that speaks as OpenAI's does:
//
//	OPENAI_API_KEY=... [OPENAI_BASE_URL=...] [OPENAI_MODEL=...] go run ./examples/langchain [question]
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms/openai"
	"github.com/tmc/langchaingo/tools"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/langchain"
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
	llm, err := openai.New( // OPENAI_API_KEY is read by the library
		openai.WithBaseURL(cmp.Or(os.Getenv("OPENAI_BASE_URL"), "https://api.openai.com/v1")),
		openai.WithModel(cmp.Or(os.Getenv("OPENAI_MODEL"), "gpt-4o-mini")),
	)
	if err != nil {
		return "", err
	}
	agent := agents.NewOpenAIFunctionsAgent(llm, []tools.Tool{langchain.Tool(cm)})
	return chains.Run(ctx, agents.NewExecutor(agent, agents.WithMaxIterations(10)), question)
}
