package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/scriptedmodel"
)

// agentCode is a call of the schema that OpenAIFunctionsAgent gives every tool.
func agentCode(t *testing.T, id, program string) scriptedmodel.Turn {
	t.Helper()
	arguments, err := json.Marshal(map[string]string{"__arg1": program})
	if err != nil {
		t.Fatal(err)
	}
	return scriptedmodel.Turn{Calls: []scriptedmodel.Call{{ID: id, Name: "codemode", Arguments: string(arguments)}}}
}

func TestAskGoesFromTheQuestionThroughProgramsToTheAnswer(t *testing.T) {
	model := scriptedmodel.Start(t,
		agentCode(t, "call_1", "count = tools.in_stock(sku='chair')\ncount < 20"),
		// The description shows the name of the one parameter; a model may go by that.
		scriptedmodel.Code("call_2", `low = []
for sku in ("lamp", "bulb", "desk", "chair"):
    try:
        if tools.in_stock(sku=sku) < 20:
            low.append(sku)
    except ToolError as error:
        print(error)
low`),
		scriptedmodel.Turn{Content: "Lamps and desks."},
	)
	t.Setenv("OPENAI_API_KEY", "key-of-the-test")
	t.Setenv("OPENAI_BASE_URL", model.URL)
	t.Setenv("OPENAI_MODEL", "model-of-the-test")

	answer, err := ask(t.Context(), "What is running out?")
	if err != nil || answer != "Lamps and desks." {
		t.Fatalf("ask gave %q, %v", answer, err)
	}

	requests := model.Requests()
	if len(requests) != 3 {
		t.Fatalf("the model was asked %d times", len(requests))
	}
	first := requests[0]
	if first.Model != "model-of-the-test" || first.Authorization != "Bearer key-of-the-test" {
		t.Errorf("the endpoint got model %q and authorization %q", first.Model, first.Authorization)
	}
	if got := first.Messages[len(first.Messages)-1]; got.Role != "user" || got.Text() != "What is running out?" {
		t.Errorf("the question was %s: %s", got.Role, got.Content)
	}
	if len(first.Tools) != 1 || first.Tools[0].Function.Name != "codemode" {
		t.Fatalf("the tools were %+v", first.Tools)
	}
	if !strings.Contains(first.Tools[0].Function.Description, "def in_stock(") {
		t.Errorf("no stub of the tool in its description:\n%s", first.Tools[0].Function.Description)
	}
	properties, _ := first.Tools[0].Function.Parameters["properties"].(map[string]any)
	if diff := cmp.Diff(map[string]any{"__arg1": map[string]any{"title": "__arg1", "type": "string"}}, properties); diff != "" {
		t.Errorf("the agent's parameters are others than this test knows (-want +got):\n%s", diff)
	}

	failed := requests[1].Messages
	reply := failed[len(failed)-1]
	if reply.Role != "tool" || reply.ToolCallID != "call_1" {
		t.Errorf("the reply was %+v", reply)
	}
	for _, part := range []string{
		"The run failed (error): ToolError [line 1]", "ToolError: the warehouse has no chair",
		`File "program.py", line 1`, "count = tools.in_stock(sku='chair')", "in_stock({\"sku\":\"chair\"}): failed",
	} {
		if !strings.Contains(reply.Text(), part) {
			t.Errorf("the model was not told %q, but:\n%s", part, reply.Text())
		}
	}

	worked := requests[2].Messages
	want := "stdout: the warehouse has no chair\nresult: [\"lamp\",\"desk\"]"
	if got := worked[len(worked)-1]; got.ToolCallID != "call_2" || got.Text() != want {
		t.Errorf("the model was told, for %s:\n%s\nwant:\n%s", got.ToolCallID, got.Text(), want)
	}
}
