package langchain_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/tools"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/langchain"
	"github.com/codemode-sdk/codemode/registry"
)

// oracle is a tool such as others write them.
type oracle struct{ handler callbacks.Handler }

func (o *oracle) Name() string        { return "Ask the Oracle" }
func (o *oracle) Description() string { return "Answers.\n\"\"\" import os" }
func (o *oracle) Call(ctx context.Context, input string) (string, error) {
	o.handler.HandleToolStart(ctx, input)
	if input == "?" {
		return "", errors.New("no answer to that")
	}
	return "yes, " + input + "\xff", nil
}

func TestLangchaingosToolsAreCalledByPrograms(t *testing.T) {
	heard, reg := &recorder{}, registry.New()
	if err := langchain.AddTools(reg, tools.Calculator{}, &oracle{heard}); err != nil {
		t.Fatal(err)
	}
	own, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	text, err := own.Call(t.Context(), `
try:
    tools["Ask the Oracle"].run(input="?")
except ToolError as error:
    failed = error.message
[tools.calculator("2 ** 10") if False else tools.calculator("2 * 512"), tools.Ask_the_Oracle(input="a"), failed]`)
	if want := "[\"1024\",\"yes, a\uFFFD\",\"no answer to that\"]"; err != nil || text != "result: "+want && text != want {
		t.Errorf("the program gave %s, %v", text, err)
	}
	if len(heard.said) != 2 {
		t.Errorf("the tool's own callbacks heard %q", heard.said)
	}
	err = langchain.AddTools(reg, nil, tools.Calculator{})
	if err == nil || !strings.Contains(err.Error(), "nil") || !strings.Contains(err.Error(), "langchaingo's tool calculator") {
		t.Errorf("a nil tool and one of a name that is taken gave %v", err)
	}
}
