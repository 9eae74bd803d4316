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

// show writes what programs do while they do it.
func show(event codemode.Event) {
	switch {
	case event.ToolStart != nil:
		fmt.Fprintf(os.Stderr, "-> %s %v\n", event.ToolStart.Tool, event.ToolStart.Args)
	case event.Stdout != "":
		fmt.Fprint(os.Stderr, event.Stdout)
	}
}

func ask(ctx context.Context, question string) (answer string, err error) {
	if os.Getenv("OPENAI_API_KEY") == "" && os.Getenv("OPENAI_BASE_URL") == "" {
		return "", errors.New("set OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint that takes no key")
	}
	cm, err := codemode.New(codemode.Options{OnEvent: show})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()
	if err := registry.Func(cm.Registry(), "in_stock", "Counts what the warehouse has of an item.", inStock); err != nil {
		return "", err
	}
	config := openai.DefaultConfig(os.Getenv("OPENAI_API_KEY"))
	config.BaseURL = cmp.Or(os.Getenv("OPENAI_BASE_URL"), config.BaseURL)
	agent := agent{
		cm: cm, client: openai.NewClientWithConfig(config), model: cmp.Or(os.Getenv("OPENAI_MODEL"), openai.GPT4oMini),
	}
	return agent.answer(ctx, question)
}
