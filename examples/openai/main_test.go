package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/scriptedmodel"
)

func TestAskGoesFromTheQuestionThroughProgramsToTheAnswer(t *testing.T) {
	model := scriptedmodel.Start(t,
		scriptedmodel.Code("call_1", "count = tools.in_stock(sku='chair')\ncount < 20"),
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
	if got := first.Messages[0]; got.Role != "user" || got.Text() != "What is running out?" {
		t.Errorf("the first message was %s: %s", got.Role, got.Content)
	}
	if len(first.Tools) != 1 || first.Tools[0].Type != "function" || first.Tools[0].Function.Name != "codemode" {
		t.Fatalf("the tools were %+v", first.Tools)
	}
	var schema map[string]any
	if err := json.Unmarshal([]byte(`{"type":"object","required":["code"],"additionalProperties":false,
		"properties":{"code":{"type":"string","description":"The Python program."}}}`), &schema); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(schema, first.Tools[0].Function.Parameters); diff != "" {
		t.Errorf("the tool's parameters (-want +got):\n%s", diff)
	}
	if !strings.Contains(first.Tools[0].Function.Description, "def in_stock(") {
		t.Errorf("no stub of the tool in its description:\n%s", first.Tools[0].Function.Description)
	}

	failed := requests[1].Messages
	if call := failed[1]; call.Role != "assistant" || len(call.ToolCalls) != 1 || call.ToolCalls[0].ID != "call_1" {
		t.Errorf("the model's own call came back as %+v", call)
	}
	reply := failed[2]
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

func TestAskReportsAnEndpointThatRefuses(t *testing.T) {
	model := scriptedmodel.Start(t) // without a script
	t.Setenv("OPENAI_API_KEY", "key")
	t.Setenv("OPENAI_BASE_URL", model.URL)
	if _, err := ask(t.Context(), "Anyone there?"); err == nil || !strings.Contains(err.Error(), "the script is over") {
		t.Errorf("ask gave the error %v", err)
	}
}

func TestAskDoesNotTakeHalfAMessageForTheAnswer(t *testing.T) {
	model := scriptedmodel.Start(t, scriptedmodel.Turn{Content: "Lamps, and I am not sure about the desks.", DropAfter: 1})
	t.Setenv("OPENAI_API_KEY", "key")
	t.Setenv("OPENAI_BASE_URL", model.URL)
	if answer, err := ask(t.Context(), "What is running out?"); err == nil {
		t.Errorf("a stream that broke off gave the answer %q", answer)
	}
}

func TestAskSaysThatAKeyIsMissing(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "")
	t.Setenv("OPENAI_BASE_URL", "")
	if answer, err := ask(t.Context(), "Anyone there?"); err == nil || !strings.Contains(err.Error(), "set OPENAI_API_KEY") {
		t.Errorf("without a key it gave %q, %v", answer, err)
	}
}
