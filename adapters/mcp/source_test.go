package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

var implementation = &sdk.Implementation{Name: "test", Version: "1"}

// inMemory is a Source whose connections are sessions of server.
func inMemory(name string, server *sdk.Server) *mcp.Source {
	return &mcp.Source{Name: name, Transport: func(context.Context) (sdk.Transport, error) {
		here, there := sdk.NewInMemoryTransports()
		_, err := server.Connect(context.Background(), there, nil)
		return here, err
	}}
}

// start attaches sources to a new registry until the test ends.
func start(t *testing.T, sources ...*mcp.Source) *registry.Registry {
	t.Helper()
	reg := registry.New()
	for _, source := range sources {
		if err := reg.Attach(source); err != nil {
			t.Fatal(err)
		}
	}
	if err := reg.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	})
	return reg
}

func newServer() *sdk.Server {
	return sdk.NewServer(implementation, &sdk.ServerOptions{PageSize: 3})
}

// add gives a server a tool with a fixed result.
func add(server *sdk.Server, name, outputSchema string, result *sdk.CallToolResult) {
	tool := &sdk.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}
	if outputSchema != "" {
		tool.OutputSchema = json.RawMessage(outputSchema)
	}
	server.AddTool(tool, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) { return result, nil })
}

func text(texts ...string) []sdk.Content {
	content := []sdk.Content{}
	for _, t := range texts {
		content = append(content, &sdk.TextContent{Text: t})
	}
	return content
}

// wantKind checks the ToolError that a program would see.
func wantKind(t *testing.T, err error, kind, message string) {
	t.Helper()
	toolError, ok := errors.AsType[*registry.ToolError](err)
	if !ok || toolError.Kind != kind || !strings.Contains(toolError.Message, message) {
		t.Errorf("the error is %#v, want kind %s with %q", err, kind, message)
	}
}

func TestResultsArriveAsPythonValues(t *testing.T) {
	size := int64(5)
	object := `{"type":"object"}`
	for name, test := range map[string]struct {
		schema string
		result sdk.CallToolResult
		want   string // in the value encoding
	}{
		"structured": {object, sdk.CallToolResult{StructuredContent: json.RawMessage(`{"z":1,"a":[1.0,null]}`), Content: text(`{"z":1}`)}, `{"z":1,"a":[1.0,null]}`},
		"long integers keep their digits": {object, sdk.CallToolResult{StructuredContent: json.RawMessage(`{"id":12345678901234567890123}`)},
			`{"id":12345678901234567890123}`},
		"a dollar is no tag":                 {object, sdk.CallToolResult{StructuredContent: json.RawMessage(`{"$":["bytes","eA=="]}`)}, `{"$":["dict",[["$",["bytes","eA=="]]]]}`},
		"structured without a schema":        {"", sdk.CallToolResult{StructuredContent: json.RawMessage(`[1]`), Content: text("[1]")}, `[1]`},
		"text":                               {"", sdk.CallToolResult{Content: text("hello")}, `"hello"`},
		"text that happens to be JSON":       {"", sdk.CallToolResult{Content: text(`{"a":1}`)}, `"{\"a\":1}"`},
		"JSON text where the schema says so": {object, sdk.CallToolResult{Content: text(`{"a":1}`)}, `{"a":1}`},
		"several texts":                      {"", sdk.CallToolResult{Content: text("a", "b")}, `["a","b"]`},
		"nothing":                            {"", sdk.CallToolResult{}, `null`},
		"image": {"", sdk.CallToolResult{Content: []sdk.Content{&sdk.ImageContent{Data: []byte("png"), MIMEType: "image/png"}}},
			`{"data":{"$":["bytes","cG5n"]},"mimeType":"image/png","type":"image"}`},
		"empty audio": {"", sdk.CallToolResult{Content: []sdk.Content{&sdk.AudioContent{MIMEType: "audio/wav"}}},
			`{"data":{"$":["bytes",""]},"mimeType":"audio/wav","type":"audio"}`},
		"blob": {"", sdk.CallToolResult{Content: []sdk.Content{&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "x:1", MIMEType: "a/b", Blob: []byte("x")}}}},
			`{"blob":{"$":["bytes","eA=="]},"mimeType":"a/b","type":"resource","uri":"x:1"}`},
		"embedded text": {"", sdk.CallToolResult{Content: []sdk.Content{&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "x:1", Text: "t"}}}},
			`{"text":"t","type":"resource","uri":"x:1"}`},
		"link": {"", sdk.CallToolResult{Content: []sdk.Content{&sdk.ResourceLink{URI: "x:1", Name: "n", Size: &size}}},
			`{"name":"n","size":5,"type":"resource_link","uri":"x:1"}`},
		"structured beside an image": {"", sdk.CallToolResult{StructuredContent: json.RawMessage(`{"a":1}`), Content: append(text(`{"a":1}`), &sdk.ImageContent{Data: []byte("x")})},
			`[{"a":1},{"data":{"$":["bytes","eA=="]},"type":"image"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer()
			add(server, "tool", test.schema, &test.result)
			got, err := start(t, inMemory("s", server)).Call(t.Context(), "s.tool", nil)
			if err != nil || string(got) != test.want {
				t.Errorf("the value is %s, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestAFailingToolIsAnExceptionWithItsText(t *testing.T) {
	server := newServer()
	add(server, "says_why", "", &sdk.CallToolResult{IsError: true, Content: text("no such issue", "number 7")})
	add(server, "structured", `{"type":"object"}`, &sdk.CallToolResult{IsError: true, StructuredContent: json.RawMessage(`{"code":7}`)})
	add(server, "silent", "", &sdk.CallToolResult{IsError: true})
	add(server, "lies", `{"type":"object"}`, &sdk.CallToolResult{Content: text("not JSON")})
	reg := start(t, inMemory("s", server))
	for name, message := range map[string]string{
		"says_why": "no such issue\nnumber 7", "structured": `{"code":7}`, "silent": "without saying why",
		"lies": "declares a structured result for this tool and gave none; it said: not JSON",
	} {
		_, err := reg.Call(t.Context(), "s."+name, nil)
		wantKind(t, err, registry.KindFailed, message)
	}
}

func TestParametersKeepTheServersOrderAndArgumentsTheirValues(t *testing.T) {
	server, got := newServer(), make(chan string, 1)
	server.AddTool(&sdk.Tool{Name: "t", InputSchema: json.RawMessage(`{"type":"object","properties":{"zeta":{"type":"integer"},"alpha":{"type":"string"},"mid":{}},"required":["zeta","alpha","mid"]}`)},
		func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			got <- string(r.Params.Arguments)
			return &sdk.CallToolResult{}, nil
		})
	reg := start(t, inMemory("s", server))
	entry, ok := reg.Lookup("s.t")
	if !ok {
		t.Fatal("no tool")
	}
	var names []string
	for _, p := range entry.Parameters() {
		names = append(names, p.Name)
	}
	if strings.Join(names, " ") != "zeta alpha mid" {
		t.Errorf("the parameters are %v", names)
	}
	if _, err := reg.Call(t.Context(), "s.t", []byte(`{"zeta":123456789012345678901,"alpha":"x","mid":null}`)); err != nil {
		t.Fatal(err)
	}
	if arguments := within(t, "arguments", got); !strings.Contains(arguments, `"zeta":123456789012345678901`) || !strings.Contains(arguments, `"mid":null`) {
		t.Errorf("the server got %s", arguments)
	}
}

func TestEveryPageOfAListIsTakenUnderANamespaceForEachServer(t *testing.T) {
	one, two := newServer(), newServer() // pages of three
	for i := range 8 {
		add(one, fmt.Sprintf("tool-%d", i), "", &sdk.CallToolResult{Content: text("one")})
		add(two, fmt.Sprintf("tool-%d", i), "", &sdk.CallToolResult{Content: text("two")})
	}
	reg := start(t, inMemory("one", one), inMemory("two", two))
	if n := len(reg.Entries()); n != 16 {
		t.Errorf("%d tools are registered", n)
	}
	got, err := reg.Call(t.Context(), "two.tool-7", nil)
	if err != nil || string(got) != `"two"` {
		t.Errorf("two.tool-7 gave %s, %v", got, err)
	}
	entry, _ := reg.Lookup("one.tool-0")
	if path := strings.Join(entry.PythonPath(), "."); path != "one.tool_0" || entry.Origin() != "the MCP server one" {
		t.Errorf("a program spells it %s, and it comes from %s", path, entry.Origin())
	}
}

func TestAClashNamesBothOrigins(t *testing.T) {
	server := newServer()
	add(server, "search", "", &sdk.CallToolResult{})
	reg := registry.New()
	registry.Func(reg, "s.search", "", func(context.Context, struct{}) (int, error) { return 0, nil })
	if err := reg.Attach(inMemory("s", server)); err != nil {
		t.Fatal(err)
	}
	err := reg.Start(t.Context())
	if codemode.CodeOf(err) != codemode.CodeInvalid || !strings.Contains(err.Error(), "from the MCP server s") || !strings.Contains(err.Error(), "source_test.go:") {
		t.Errorf("Start gave %v", err)
	}
}

func TestToolsThatChangeWhileProgramsRunAreTakenOver(t *testing.T) {
	server := newServer()
	add(server, "old", "", &sdk.CallToolResult{})
	reg := start(t, inMemory("s", server))
	changed := reg.Changed()
	add(server, "new", "", &sdk.CallToolResult{Content: text("new")})
	within(t, "the new tool", changed)
	got, err := reg.Call(t.Context(), "s.new", nil)
	if err != nil || string(got) != `"new"` {
		t.Errorf("the new tool gave %s, %v", got, err)
	}
	changed = reg.Changed()
	server.RemoveTools("old")
	within(t, "the end of the old tool", changed)
	_, err = reg.Call(t.Context(), "s.old", nil)
	wantKind(t, err, registry.KindUnknownTool, "")
}

func TestProgressOfACallReachesWhoAskedForIt(t *testing.T) {
	server, told := newServer(), make(chan mcp.Progress, 10)
	arrived := make(chan bool, 1)
	server.AddTool(&sdk.Tool{Name: "slow", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			err := r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{
				ProgressToken: r.Params.GetProgressToken(), Progress: 1, Total: 2, Message: "half",
			})
			// One that nobody asked for must not disturb.
			err = errors.Join(err, r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: "other"}))
			<-arrived
			return &sdk.CallToolResult{}, err
		})
	source := inMemory("s", server)
	source.OnProgress = func(p mcp.Progress) {
		told <- p
		arrived <- true
	}
	if _, err := start(t, source).Call(t.Context(), "s.slow", nil); err != nil {
		t.Fatal(err)
	}
	if got, want := within(t, "progress", told), (mcp.Progress{Tool: "s.slow", Progress: 1, Total: 2, Message: "half"}); got != want {
		t.Errorf("the progress is %+v", got)
	}
}

// waits is a server whose tool waits until it is cancelled, and then says so.
func waits() (server *sdk.Server, begun, ended chan bool) {
	server, begun, ended = newServer(), make(chan bool, 10), make(chan bool, 10)
	server.AddTool(&sdk.Tool{Name: "wait", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, _ *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			begun <- true
			<-ctx.Done()
			ended <- true
			return nil, ctx.Err()
		})
	return server, begun, ended
}

func TestACancelledCallIsCancelledOnTheServer(t *testing.T) {
	server, begun, ended := waits()
	reg := start(t, inMemory("s", server))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := reg.Call(ctx, "s.wait", nil)
		failed <- err
	}()
	within(t, "the call", begun)
	cancel()
	if err := within(t, "the end of the call", failed); !errors.Is(err, context.Canceled) {
		t.Errorf("the call gave %v", err)
	}
	within(t, "the end on the server", ended)
}

func TestACallTimeoutSaysWhoDidNotAnswer(t *testing.T) {
	server, begun, ended := waits()
	waittest.Longer(t, 20*time.Millisecond, func(limit time.Duration) error {
		source := inMemory("s", server)
		source.CallTimeout = limit
		_, err := start(t, source).Call(t.Context(), "s.wait", nil)
		wantKind(t, err, registry.KindTimeout, "the MCP server s did not answer within "+limit.String())
		select {
		case <-begun:
		case <-time.After(limit):
			return errors.New("the server had not got the call by then")
		}
		within(t, "the end on the server", ended)
		return nil
	})
}

func TestCloseEndsCallsThatAreUnderWay(t *testing.T) {
	server, begun, _ := waits()
	source := inMemory("s", server)
	reg := registry.New()
	if err := source.Start(t.Context(), reg); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := reg.Call(t.Context(), "s.wait", nil)
		failed <- err
	}()
	within(t, "the call", begun)
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	wantKind(t, within(t, "the end of the call", failed), registry.KindUnavailable, "there is no usable answer")
	_, err := reg.Call(t.Context(), "s.wait", nil)
	wantKind(t, err, registry.KindUnavailable, "has been closed")
}

func TestAServerThatDiesIsConnectedAgainByTheNextCall(t *testing.T) {
	server := newServer()
	var once sync.Once
	server.AddTool(&sdk.Tool{Name: "die_once", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			die := false
			once.Do(func() { die = true })
			if die {
				go r.Session.Close()
				<-ctx.Done()
			}
			return &sdk.CallToolResult{Content: text("alive")}, nil
		})
	reg := start(t, inMemory("s", server))
	_, err := reg.Call(t.Context(), "s.die_once", nil)
	wantKind(t, err, registry.KindUnavailable, "there is no usable answer")
	got, err := reg.Call(t.Context(), "s.die_once", nil)
	if err != nil || string(got) != `"alive"` {
		t.Errorf("after the server came back, the call gave %s, %v", got, err)
	}
	if err := reg.Ready(); err != nil {
		t.Error(err)
	}
}

func TestAToolThatCannotBeUsedCostsOnlyItself(t *testing.T) {
	server := newServer()
	add(server, "fine", "", &sdk.CallToolResult{})
	add(server, "a-b", "", &sdk.CallToolResult{})
	add(server, "a_b", "", &sdk.CallToolResult{})
	server.AddTool(&sdk.Tool{Name: "broken", InputSchema: json.RawMessage(`{"type":"object","properties":{"x":{"type":17}}}`)}, nil)
	source := inMemory("s", server)
	var log bytes.Buffer
	source.Logger = slog.New(slog.NewTextHandler(&log, nil))
	source.Use = func(tool string) bool { return tool != "unwanted" }
	add(server, "unwanted", "", &sdk.CallToolResult{})
	reg := start(t, source)
	var names []string
	for _, entry := range reg.Entries() {
		names = append(names, entry.Name())
	}
	if strings.Join(names, " ") != "s.a-b s.fine" {
		t.Errorf("the tools are %v", names)
	}
	for _, name := range []string{"tool=broken", "tool=a_b"} {
		if !strings.Contains(log.String(), name) {
			t.Errorf("the log does not name %s:\n%s", name, log.String())
		}
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, source := range map[string]*mcp.Source{
		"no way":       {Name: "x"},
		"two ways":     {Name: "x", Command: "a", URL: "http://b"},
		"no URL":       {Name: "x", URL: "ftp://b"},
		"a negative":   {Name: "x", Command: "a", CallTimeout: -1},
		"nil from fun": {Name: "x", Transport: func(context.Context) (sdk.Transport, error) { return nil, nil }},
	} {
		if err := source.Start(t.Context(), registry.New()); err == nil {
			t.Errorf("%s: it started", name)
		}
		if err := source.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHintsOfTheServerAreTheToolsPolicy(t *testing.T) {
	no, server := false, newServer()
	for name, hints := range map[string]*sdk.ToolAnnotations{
		"silent": nil, "reads": {ReadOnlyHint: true}, "adds": {DestructiveHint: &no, IdempotentHint: true},
	} {
		server.AddTool(&sdk.Tool{Name: name, Annotations: hints, InputSchema: json.RawMessage(`{"type":"object"}`)}, nil)
	}
	reg := start(t, inMemory("s", server))
	for name, want := range map[string]registry.Policy{
		"silent": {Destructive: true}, "reads": {ReadOnly: true}, "adds": {Idempotent: true},
	} {
		if entry, ok := reg.Lookup("s." + name); !ok || entry.Policy() != want {
			t.Errorf("%s: %+v", name, entry.Policy())
		}
	}
}

func TestAProgramUsesAServer(t *testing.T) {
	server := newServer()
	add(server, "picture", "", &sdk.CallToolResult{Content: []sdk.Content{&sdk.ImageContent{Data: []byte{0, 1, 255}, MIMEType: "image/png"}}})
	add(server, "fails", "", &sdk.CallToolResult{IsError: true, Content: text("out of order")})
	reg := registry.New()
	if err := reg.Attach(inMemory("s", server)); err != nil {
		t.Fatal(err)
	}
	own, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	result, err := own.Execute(t.Context(), `
picture = tools.s.picture()
assert picture["data"] == bytes([0, 1, 255]) and picture["mimeType"] == "image/png", picture
try:
    tools.s.fails()
except ToolError as error:
    answer = f"{error.kind}: {error.message}"
answer`)
	if err != nil || result.Value != "failed: out of order" {
		t.Errorf("the program gave %v, %v: %s", result.Value, err, result.Text())
	}
}

func TestProgressOfAServerIsAnEventOfTheRun(t *testing.T) {
	server, told := newServer(), make(chan struct{})
	server.AddTool(&sdk.Tool{Name: "slow", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			err := r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{
				ProgressToken: r.Params.GetProgressToken(), Progress: 1, Total: 2, Message: "half",
			})
			select {
			case <-told:
			case <-ctx.Done():
			}
			return &sdk.CallToolResult{}, err
		})
	reg := registry.New()
	if err := reg.Attach(inMemory("s", server)); err != nil {
		t.Fatal(err)
	}
	var got []registry.Progress
	own, err := codemode.New(codemode.Options{Registry: reg, OnEvent: func(e codemode.Event) {
		if p := e.ToolProgress; p != nil && p.Tool == "s.slow" && p.Progress != nil {
			got = append(got, *p.Progress)
			close(told)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if result, err := own.Execute(t.Context(), `tools.s.slow()`); err != nil || result.Status != codemode.StatusOK || result.ToolCalls[0].Progress != nil {
		t.Errorf("%v: %+v", err, result)
	}
	if len(got) != 1 || got[0] != (registry.Progress{Done: 1, Total: 2, Message: "half"}) {
		t.Errorf("the events told %v", got)
	}
}
