package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

// serve makes a server of c and a client of it, until the test ends.
func serve(t *testing.T, c *codemode.Codemode, options *sdk.ClientOptions) *sdk.ClientSession {
	t.Helper()
	server, err := mcp.NewServer(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	here, there := sdk.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	client, err := sdk.NewClient(implementation, options).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func code(program string) *sdk.CallToolParams {
	return &sdk.CallToolParams{Name: "codemode", Arguments: map[string]any{"code": program}}
}

func textOf(result *sdk.CallToolResult) string {
	var b strings.Builder
	for _, content := range result.Content {
		if text, ok := content.(*sdk.TextContent); ok {
			b.WriteString(text.Text)
		}
	}
	return b.String()
}

func TestAClientSeesOneToolThatTeachesItsModel(t *testing.T) {
	tools, err := serve(t, cm, nil).ListTools(t.Context(), nil)
	if err != nil || len(tools.Tools) != 1 {
		t.Fatalf("the tools are %+v, %v", tools, err)
	}
	tool := tools.Tools[0]
	if tool.Name != "codemode" || !strings.Contains(tool.Description, "square(") {
		t.Errorf("the tool is %s: %s", tool.Name, tool.Description)
	}
	schema, err := json.Marshal(tool.InputSchema)
	if err != nil || !strings.Contains(string(schema), `"required":["code"]`) || tool.OutputSchema == nil {
		t.Errorf("the schemas are %s and %v", schema, tool.OutputSchema)
	}
}

func TestAResultIsTextForTheModelAndStructureForTheClient(t *testing.T) {
	client := serve(t, cm, nil)
	result, err := client.CallTool(t.Context(), code("print('seen')\n[tools.square(n=n) for n in (2, 3)]"))
	if err != nil || result.IsError {
		t.Fatalf("%+v, %v", result, err)
	}
	if got, want := textOf(result), "stdout: seen\nresult: [4,9]"; got != want {
		t.Errorf("the text is %q, want %q", got, want)
	}
	structured, err := json.Marshal(result.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"status":"ok"`, `"result":[4,9]`, `"stdout":"seen\n"`, `"tool":"square"`} {
		if !strings.Contains(string(structured), part) {
			t.Errorf("the structured content lacks %s: %s", part, structured)
		}
	}
}

func TestAFailedProgramIsAnErrorWithItsTraceback(t *testing.T) {
	client := serve(t, cm, nil)
	result, err := client.CallTool(t.Context(), code("x = 1\ntools.square(n=-x)"))
	if err != nil {
		t.Fatal(err)
	}
	if text := textOf(result); !result.IsError || !strings.Contains(text, "line 2") || !strings.Contains(text, "negative numbers") {
		t.Errorf("IsError %v, text %s", result.IsError, text)
	}
	// What models send in place of the schema's form.
	result, err = client.CallTool(t.Context(), &sdk.CallToolParams{Name: "codemode", Arguments: map[string]any{"script": "6 * 7"}})
	if err != nil || textOf(result) != "42" {
		t.Errorf("%v, %v", result, err)
	}
	// What holds no program.
	for _, arguments := range []any{nil, map[string]any{}, map[string]any{"cod": "1"}} {
		result, err = client.CallTool(t.Context(), &sdk.CallToolParams{Name: "codemode", Arguments: arguments})
		if err != nil || !result.IsError || !strings.Contains(textOf(result), `the argument "code" is missing, and nothing was run`) {
			t.Errorf("%v was answered with %v, %v", arguments, textOf(result), err)
		}
	}
	if _, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "square"}); err == nil {
		t.Error("a tool that is not offered was called")
	}
}

func TestALargeResultIsBoundedInBothForms(t *testing.T) {
	result, err := serve(t, cm, nil).CallTool(t.Context(), code("print('y' * 500_000)\n'x' * 1_000_000"))
	if err != nil || result.IsError {
		t.Fatalf("%v: %s", err, textOf(result))
	}
	structured, err := json.Marshal(result.StructuredContent)
	if err != nil || len(structured) > 200_000 || !strings.Contains(string(structured), `"omitted":["result","stdout"]`) {
		t.Errorf("the structured content has %d bytes: %.200s", len(structured), structured)
	}
	if n := len(textOf(result)); n > 50_000 {
		t.Errorf("the text has %d bytes", n)
	}
}

func TestCallsInsideTheProgramAreProgressOfTheRequest(t *testing.T) {
	told := make(chan string, 100)
	client := serve(t, cm, &sdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) {
			told <- r.Params.Message
		},
		LoggingMessageHandler: func(_ context.Context, r *sdk.LoggingMessageRequest) {
			told <- r.Params.Logger + ": " + r.Params.Data.(string)
		},
	})
	params := code("tools.square(n=2)\nprint('hi')\ntools.square(n=-2)")
	params.Meta = sdk.Meta{"progressToken": "t"}
	if _, err := client.CallTool(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"square started", "square done after ", "square started", "square failed (failed) after "} {
		if got := within(t, want, told); !strings.HasPrefix(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	// Without a token there is none, and output comes to those who asked for logs.
	params = code("tools.square(n=2)\nprint('hi')")
	params.Meta = sdk.Meta{sdk.MetaKeyLogLevel: "info"}
	if _, err := client.CallTool(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	if got := within(t, "output", told); got != "stdout: hi" {
		t.Errorf("told %q", got)
	}
}

func TestACancelledRequestEndsTheRun(t *testing.T) {
	client := serve(t, cm, nil)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := client.CallTool(ctx, code("tools.wait()"))
		failed <- err
	}()
	if got := within(t, "the call", waiting); got != "begun" {
		t.Fatal(got)
	}
	cancel()
	if err := within(t, "the answer", failed); err == nil {
		t.Error("a cancelled request succeeded")
	}
	if got := within(t, "the end of the tool's context", waiting); got != "ended" {
		t.Error(got)
	}
}

func TestDirectToolsAreOfferedBesideTheCodeTool(t *testing.T) {
	reg := registry.New()
	registry.Func(reg, "math.half", "Halves.", func(_ context.Context, in struct {
		N int `json:"n"`
	}) (int, error) {
		return in.N / 2, nil
	}, registry.Policy{Direct: true})
	reg.Add(registry.Tool{Name: "bare", Handler: func(context.Context, registry.Args) (any, error) { return "bare", nil }, Policy: registry.Policy{Direct: true}})
	own, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	client := serve(t, own, nil)
	for name, want := range map[string]string{"math_half": "21", "bare": "bare"} {
		arguments := map[string]any{}
		if name == "math_half" {
			arguments["n"] = 42
		}
		result, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: arguments})
		if err != nil || result.IsError || textOf(result) != want {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
	result, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "math_half", Arguments: map[string]any{"n": "x"}})
	if err != nil || !result.IsError || !strings.Contains(textOf(result), "invalid_arguments") {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestClientsAreToldWhenTheToolsChange(t *testing.T) {
	reg := registry.New()
	own, err := codemode.New(codemode.Options{Registry: reg, ToolName: "python"})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	told := make(chan bool, 10_000)
	client := serve(t, own, &sdk.ClientOptions{
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { told <- true },
	})
	i := 0
	waittest.Until(t, "nobody was told", func() bool { // until the client's subscription has arrived
		i++
		registry.Func(reg, fmt.Sprintf("later_%d", i), "Came later.", func(context.Context, struct{}) (int, error) { return 1, nil })
		select {
		case <-told:
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	tools, err := client.ListTools(t.Context(), nil)
	if err != nil || len(tools.Tools) != 1 || tools.Tools[0].Name != "python" || !strings.Contains(tools.Tools[0].Description, "later") {
		t.Errorf("%+v, %v", tools, err)
	}
}

func TestADirectToolTellsTheClientOfItsProgress(t *testing.T) {
	reg := registry.New()
	registry.Func(reg, "copy", "Copies.", func(ctx context.Context, _ struct{}) (int, error) {
		registry.ReportProgress(ctx, registry.Progress{Done: 3, Total: 4, Message: "nearly"})
		return 1, nil
	}, registry.Policy{Direct: true, Destructive: true})
	own, err := codemode.New(codemode.Options{Registry: reg, SearchTool: "search_tools"})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	told := make(chan string, 100)
	client := serve(t, own, &sdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { told <- r.Params.Message },
	})
	if _, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "copy", Meta: sdk.Meta{"progressToken": "t"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"copy started", "copy at 3 of 4: nearly", "copy done after "} {
		if got := within(t, want, told); !strings.HasPrefix(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	listed, err := client.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range listed.Tools {
		hints := tool.Annotations
		switch tool.Name {
		case "copy":
			if hints.ReadOnlyHint || hints.DestructiveHint == nil || !*hints.DestructiveHint {
				t.Errorf("a client is told of what copies: %+v", hints)
			}
		case "search_tools":
			if !hints.ReadOnlyHint {
				t.Errorf("a client is told of the search: %+v", hints)
			}
		}
	}
	found, err := client.CallTool(t.Context(), &sdk.CallToolParams{Name: "search_tools", Arguments: map[string]any{"query": "copies"}})
	if err != nil || found.IsError || !strings.HasPrefix(textOf(found), "tools.copy()") {
		t.Errorf("a search gave %q, %v", textOf(found), err)
	}
}
