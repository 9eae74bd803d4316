package langchain_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/langchain"
	"github.com/codemode-sdk/codemode/registry"
)

func TestToolTakesWhatAgentsPassOn(t *testing.T) {
	tool := langchain.Tool(cm)
	if tool.Name() != "codemode" || !strings.Contains(tool.Description(), "def square(") {
		t.Errorf("the tool is %s: %s", tool.Name(), tool.Description())
	}
	for name, input := range map[string]string{
		"bare, from __arg1":           "tools.square(n=3)",
		"the schema of agents":        `{"__arg1":"tools.square(n=3)"}`,
		"the schema of LLMTool":       `{"code":"tools.square(n=3)"}`,
		"fenced":                      "```python\ntools.square(n=3)\n```",
		"fenced inside the schema":    "{\"__arg1\":\"```python\\ntools.square(n=3)\\n```\"}",
		"the call in a fence":         "```json\n{\"code\": \"tools.square(n=3)\"}\n```",
		"in backticks":                "`tools.square(n=3)`",
		"with its label":              "Action Input: tools.square(n=3)",
		"and a made up observation":   "tools.square(n=3)\nObservation: the tool said 9\nThought: done",
		"JSON and an observation":     "{\"code\":\"tools.square(n=3)\"}\nObservation: it is 9",
		"an observation in a string":  "x = 'Observation: '\ntools.square(n=3)",
		"fenced, and what was beyond": "```python\ntools.square(n=3)\n```\nObservation: 9",
	} {
		text, err := tool.Call(t.Context(), input)
		if err != nil || text != "9" {
			t.Errorf("%s: %q gave %q, %v", name, input, text, err)
		}
	}
}

// recorder is a handler that keeps what is said about tools.
type recorder struct {
	callbacks.SimpleHandler
	said []string
}

func (r *recorder) HandleToolStart(_ context.Context, input string) {
	r.said = append(r.said, "start "+input)
}
func (r *recorder) HandleToolEnd(_ context.Context, output string) {
	r.said = append(r.said, "end "+output)
}
func (r *recorder) HandleToolError(_ context.Context, err error) {
	r.said = append(r.said, "error "+err.Error())
}

func TestToolTellsItsCallbacksHandler(t *testing.T) {
	tool, heard := langchain.Tool(cm), &recorder{}
	tool.CallbacksHandler = heard
	if _, err := tool.Call(t.Context(), "6 * 7"); err != nil {
		t.Fatal(err)
	}
	// A failure is text: a Go error would end the whole agent.
	text, err := tool.Call(t.Context(), "tools.square(n=-1)")
	if err != nil || !strings.Contains(text, "negative numbers are not allowed here") {
		t.Fatalf("a failing program gave %q, %v", text, err)
	}
	if _, err := tool.Call(cancelledInTheTool(t), "tools.wait()"); codemode.CodeOf(err) != codemode.CodeCancelled {
		t.Fatalf("a cancelled call gave the error %v", err)
	}
	for i, want := range []string{
		"start 6 * 7", "end 42", "start tools.square(n=-1)", "end The run failed (error): ToolError [line 1]",
		"start tools.wait()", "error the run was cancelled",
	} {
		if i >= len(heard.said) || !strings.HasPrefix(heard.said[i], want) {
			t.Fatalf("the handler heard %q, and not %q as number %d", heard.said, want, i)
		}
	}
}

func TestLLMToolHasTheParametersThatEveryProviderTakes(t *testing.T) {
	tool, err := langchain.LLMTool(cm)
	if err != nil {
		t.Fatal(err)
	}
	// The Google provider takes exactly these Go types.
	want := any(map[string]any{
		"type":                 "object",
		"properties":           map[string]any{"code": map[string]any{"type": "string", "description": "The Python program."}},
		"required":             []any{"code"},
		"additionalProperties": false,
	})
	if diff := cmp.Diff(want, tool.Function.Parameters); diff != "" {
		t.Errorf("the parameters (-want +got):\n%s", diff)
	}
	if tool.Type != "function" || tool.Function.Name != "codemode" || !strings.Contains(tool.Function.Description, "def square(") {
		t.Errorf("the tool is %+v", tool.Function)
	}
}

func toolCall(id, name, arguments string) llms.ToolCall {
	return llms.ToolCall{ID: id, Type: "function", FunctionCall: &llms.FunctionCall{Name: name, Arguments: arguments}}
}

func TestDispatchGivesTheTurnToAppend(t *testing.T) {
	untyped := toolCall("d", "codemode", `{"code":"1"}`)
	untyped.Type = ""
	// Anthropic's provider makes a choice of each part of one message.
	turn, err := langchain.Dispatch(t.Context(), cm, &llms.ContentResponse{Choices: []*llms.ContentChoice{
		{Content: "Let me see."},
		{ToolCalls: []llms.ToolCall{toolCall("a", "codemode", `{"code":"tools.square(n=4)"}`)}},
		{ToolCalls: []llms.ToolCall{
			toolCall("b", "python", `{"code":"1"}`), toolCall("c", "codemode", "pass"), untyped, {ID: "no function"},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	reply := func(id, name, text string) llms.MessageContent {
		return llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: id, Name: name, Content: text},
		}}
	}
	said := func(part llms.ContentPart) llms.MessageContent {
		return llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{part}}
	}
	want := []llms.MessageContent{
		said(llms.TextContent{Text: "Let me see."}),
		said(toolCall("a", "codemode", `{"code":"tools.square(n=4)"}`)), reply("a", "codemode", "16"),
		said(toolCall("b", "python", `{"code":"1"}`)),
		reply("b", "python", `There is no function "python", and nothing was run. Call codemode, whose argument is a Python program.`),
		said(toolCall("c", "codemode", `{"code":"pass"}`)), // the history has to be JSON
		reply("c", "codemode", "The program ended without output and without a result. End it with an expression, or print something."),
		said(toolCall("d", "codemode", `{"code":"1"}`)), reply("d", "codemode", "1"),
	}
	if diff := cmp.Diff(want, turn); diff != "" {
		t.Errorf("the turn (-want +got):\n%s", diff)
	}
}

func TestDispatchOfAnAnswerIsNothingToAppend(t *testing.T) {
	for _, response := range []*llms.ContentResponse{
		nil, {}, {Choices: []*llms.ContentChoice{nil, {Content: "42"}}},
	} {
		turn, err := langchain.Dispatch(t.Context(), cm, response)
		if err != nil || len(turn) != 0 {
			t.Errorf("Dispatch gave %v, %v", turn, err)
		}
	}
}

func TestDispatchEndsWithItsContext(t *testing.T) {
	turn, err := langchain.Dispatch(cancelledInTheTool(t), cm, &llms.ContentResponse{Choices: []*llms.ContentChoice{
		{ToolCalls: []llms.ToolCall{toolCall("a", "codemode", `{"code":"tools.wait()"}`)}},
	}})
	if codemode.CodeOf(err) != codemode.CodeCancelled || !errors.Is(err, context.Canceled) || turn != nil {
		t.Errorf("Dispatch gave %v and the error %v", turn, err)
	}
}

func TestAgentsAreGivenDirectToolsAndTheSearch(t *testing.T) {
	reg := registry.New()
	registry.Func(reg, "math.half", "Halves.", func(_ context.Context, in struct {
		N int `json:"n"`
	}) (int, error) {
		return in.N / 2, nil
	}, registry.Policy{Direct: true})
	own, err := codemode.New(codemode.Options{Registry: reg, SearchTool: "search_tools"})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	tools, err := langchain.Tools(own)
	if err != nil || len(tools) != 3 {
		t.Fatalf("got %v, %v", tools, err)
	}
	llm, err := langchain.LLMTools(own)
	if err != nil || len(llm) != len(tools) {
		t.Fatalf("got %v, %v", llm, err)
	}
	for i, name := range []string{"codemode", "search_tools", "math_half"} {
		if tools[i].Name() != name || llm[i].Function.Name != name {
			t.Errorf("tool %d is %s to an agent and %s to a model", i, tools[i].Name(), llm[i].Function.Name)
		}
	}
	half, heard := tools[2].(*langchain.FunctionTool), &recorder{}
	if !strings.Contains(half.Description(), "Halves.") || !strings.Contains(half.Description(), `"n"`) {
		t.Errorf("the model is not told of the arguments: %s", half.Description())
	}
	half.CallbacksHandler = heard
	for _, input := range []string{
		`{"n":42}`, `{"__arg1":"{\"n\":42}"}`, "```json\n{\"n\": 42}\n```", "Action Input: {\"n\":42}\nObservation: 20",
	} {
		if got, err := half.Call(t.Context(), input); err != nil || got != "21" {
			t.Errorf("%s gave %q, %v", input, got, err)
		}
	}
	if got, err := half.Call(t.Context(), "forty"); err != nil || !strings.HasPrefix(got, "ToolError (invalid_arguments)") {
		t.Errorf("what is no JSON gave %q, %v", got, err)
	}
	if len(heard.said) != 10 || heard.said[1] != "end 21" {
		t.Errorf("the handler heard %q", heard.said)
	}
	if got, err := tools[1].Call(t.Context(), "halves"); err != nil || !strings.HasPrefix(got, "tools.math.half(n: int)") {
		t.Errorf("a search gave %q, %v", got, err)
	}
}
