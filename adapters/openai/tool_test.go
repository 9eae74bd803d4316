package openai_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
	codemodeopenai "github.com/codemode-sdk/codemode/adapters/openai"
	"github.com/codemode-sdk/codemode/registry"
)

// withDirect has direct tools that strict mode can and cannot hold.
func withDirect(t *testing.T) *codemode.Codemode {
	t.Helper()
	reg := registry.New()
	type address struct {
		City string `json:"city"`
		Zip  *int   `json:"zip,omitempty"`
	}
	registry.Func(reg, "mail.send", "Sends a letter.", func(_ context.Context, in struct {
		To     address  `json:"to"`
		Copies int      `json:"copies,omitempty" jsonschema:"description=How many.,minimum=1"`
		Tags   []string `json:"tags,omitempty"`
	}) (map[string]any, error) {
		return map[string]any{"city": in.To.City, "copies": in.Copies, "tags": len(in.Tags)}, nil
	}, registry.Policy{Direct: true})
	registry.Func(reg, "store", "Stores anything.", func(_ context.Context, in map[string]any) (int, error) { return len(in), nil },
		registry.Policy{Direct: true})
	other, err := codemode.New(codemode.Options{Registry: reg, SearchTool: "search_tools"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return other
}

func TestStrictToolsAreInTheFormThatStrictModeAsksFor(t *testing.T) {
	other := withDirect(t)
	tools, err := codemodeopenai.Tools(other, &codemodeopenai.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, tool := range tools {
		got[tool.Function.Name] = tool.Function.Strict
		if !tool.Function.Strict {
			continue
		}
		text, err := json.Marshal(tool.Function.Parameters)
		if err != nil {
			t.Fatal(err)
		}
		checkStrict(t, tool.Function.Name, text)
	}
	if diff := cmp.Diff(map[string]bool{"codemode": true, "search_tools": true, "mail_send": true, "store": false}, got); diff != "" {
		t.Errorf("strict (-want +got):\n%s", diff)
	}
	// What strict mode makes of what was left out.
	replies, err := codemodeopenai.Dispatch(t.Context(), other, message(
		call("a", "mail_send", `{"to":{"city":"Oslo","zip":null},"copies":null,"tags":null}`),
		call("b", "search_tools", `{"query":"letter","limit":null,"detail":null}`)))
	if err != nil || len(replies) != 2 || !strings.HasPrefix(replies[1].Content, "tools.mail.send(") || replies[0].Content != `{"city":"Oslo","copies":0,"tags":0}` {
		t.Errorf("nulls in place of what is optional gave %v, %v", replies, err)
	}
}

// checkStrict says what strict mode would refuse.
func checkStrict(t *testing.T, name string, text json.RawMessage) {
	t.Helper()
	var schema struct {
		Type                 any
		Properties           map[string]json.RawMessage
		Required             []string
		AdditionalProperties any
		AnyOf                []json.RawMessage
		Items                json.RawMessage
		Defs                 map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if schema.Type == "object" && (schema.AdditionalProperties != false || len(schema.Required) != len(schema.Properties)) {
		t.Errorf("%s: not every property is required, or more are allowed: %s", name, text)
	}
	for property, inner := range schema.Properties {
		checkStrict(t, name+"."+property, inner)
	}
	for definition, inner := range schema.Defs {
		checkStrict(t, name+"."+definition, inner)
	}
	for _, choice := range schema.AnyOf {
		checkStrict(t, name, choice)
	}
	if len(schema.Items) > 0 {
		checkStrict(t, name+"[]", schema.Items)
	}
}

func TestTheResponsesAPIGetsToolsAndRepliesInItsOwnForm(t *testing.T) {
	tools, err := codemodeopenai.ResponseTools(cm, &codemodeopenai.Options{Custom: true})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(openai.CreateResponseRequest{Tools: tools})
	if err != nil {
		t.Fatal(err)
	}
	var request struct {
		Tools []struct {
			Type, Name, Description string
			Format                  struct{ Type string }
			Parameters              map[string]any
		}
	}
	if err := json.Unmarshal(text, &request); err != nil {
		t.Fatal(err)
	}
	if got := request.Tools[0]; got.Type != "custom" || got.Name != "codemode" || got.Format.Type != "text" || !strings.Contains(got.Description, "def square(") || got.Parameters != nil {
		t.Errorf("the custom tool is %+v", got)
	}
	tools, err = codemodeopenai.ResponseTools(cm, nil)
	if err != nil || tools[0].Type != "function" || tools[0].Parameters["name"] != "codemode" {
		t.Errorf("the function tool is %+v, %v", tools, err)
	}
	// As the endpoint sends it; go-openai leaves it as JSON has it.
	var response openai.CreateResponseResponse
	if err := json.Unmarshal([]byte(`{"id":"r","output":[
		{"type":"reasoning","id":"x","summary":[{"type":"summary_text","text":"hm"}]},
		{"type":"custom_tool_call","call_id":"a","name":"codemode","input":"tools.square(n=3)\n"},
		{"type":"function_call","call_id":"b","name":"codemode","arguments":"{\"code\":\"1/0\"}"},
		{"type":"function_call","call_id":"c","name":"nobody","arguments":"{}"},
		{"type":"web_search_call","arguments":{"query":"?"}},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Let me see."}]}]}`), &response); err != nil {
		t.Fatal(err)
	}
	replies, err := codemodeopenai.DispatchResponse(t.Context(), cm, response.Output)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ kind, id, part string }{
		{"custom_tool_call_output", "a", "9"}, {"function_call_output", "b", "ZeroDivisionError"}, {"function_call_output", "c", `no function "nobody"`},
	} {
		if got := replies[i]; got.Type != want.kind || got.CallID != want.id || !strings.Contains(got.Output.(string), want.part) {
			t.Errorf("reply %d is %+v", i, got)
		}
	}
	if replies, err := codemodeopenai.DispatchResponse(t.Context(), cm, response.Output[5:]); err != nil || replies != nil {
		t.Errorf("an answer gave %v, %v", replies, err)
	}
}
