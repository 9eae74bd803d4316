package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
	codemodeopenai "github.com/codemode-sdk/codemode/adapters/openai"
)

func call(id, name, arguments string) openai.ToolCall {
	return openai.ToolCall{
		ID: id, Type: openai.ToolTypeFunction,
		Function: openai.FunctionCall{Name: name, Arguments: arguments},
	}
}

func message(calls ...openai.ToolCall) openai.ChatCompletionMessage {
	return openai.ChatCompletionMessage{Role: openai.ChatMessageRoleAssistant, ToolCalls: calls}
}

func TestToolIsWhatStrictModeAsksFor(t *testing.T) {
	tool, err := codemodeopenai.Tool(cm)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(tool)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Type     string
		Function struct {
			Name, Description string
			Parameters        struct {
				Type                 string
				Properties           map[string]struct{ Type string }
				Required             []string
				AdditionalProperties *bool
			}
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Type != "function" || got.Function.Name != "codemode" || !strings.Contains(got.Function.Description, "def square(") {
		t.Errorf("the tool is %s", text)
	}
	// Strict mode: every property required, nothing else allowed.
	p := got.Function.Parameters
	if p.Type != "object" || len(p.Properties) != 1 || p.Properties["code"].Type != "string" ||
		!cmp.Equal(p.Required, []string{"code"}) || p.AdditionalProperties == nil || *p.AdditionalProperties {
		t.Errorf("the parameters are %+v", p)
	}
}

func TestDispatchAnswersEveryCallInOrder(t *testing.T) {
	replies, err := codemodeopenai.Dispatch(t.Context(), cm, message(
		call("slow", "codemode", `{"code":"import time; time.sleep(0.2); tools.square(n=7)"}`),
		call("failing", "codemode", `{"code":"x = 1\ntools.square(n=-x)"}`),
		call("unknown", "run_python", `{"code":"1"}`),
		call("silent", "codemode", `{"code":"pass"}`),
		call("bare", "codemode", "tools.square(n=3)"),
		call("empty", "codemode", ""),
	))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	texts := map[string]string{}
	for _, reply := range replies {
		if reply.Role != openai.ChatMessageRoleTool {
			t.Errorf("a reply of role %q", reply.Role)
		}
		if reply.Content == "" {
			t.Errorf("%s was answered with nothing, which some servers refuse", reply.ToolCallID)
		}
		ids = append(ids, reply.ToolCallID)
		texts[reply.ToolCallID] = reply.Content
	}
	if diff := cmp.Diff([]string{"slow", "failing", "unknown", "silent", "bare", "empty"}, ids); diff != "" {
		t.Errorf("the replies (-want +got):\n%s", diff)
	}
	for id, part := range map[string]string{
		"slow":    "49",
		"failing": "line 2, in <module>\n    tools.square(n=-x)",
		"unknown": `There is no function "run_python", and nothing was run. Call codemode,`,
		"silent":  "without a result",
		"bare":    "9",
		"empty":   "without a result",
	} {
		if !strings.Contains(texts[id], part) {
			t.Errorf("%s was answered with %q, not %q", id, texts[id], part)
		}
	}
}

func TestDispatchRunsTheCallsOfAMessageInParallel(t *testing.T) {
	// Each call of meet waits for another.
	calls := []openai.ToolCall{call("a", "codemode", `{"code":"tools.meet()"}`), call("b", "codemode", `{"code":"tools.meet()"}`)}
	replies, err := codemodeopenai.Dispatch(t.Context(), cm, message(calls...))
	if err != nil {
		t.Fatal(err)
	}
	for _, reply := range replies {
		if reply.Content != "met" {
			t.Errorf("a program that waits for another was answered with %q", reply.Content)
		}
	}
}

func TestDispatchOfAnAnswerIsNothingToSend(t *testing.T) {
	replies, err := codemodeopenai.Dispatch(t.Context(), cm, openai.ChatCompletionMessage{Role: "assistant", Content: "42"})
	if err != nil || len(replies) != 0 {
		t.Errorf("Dispatch gave %v, %v", replies, err)
	}
}

func TestDispatchAnswersTheOldFormOfACall(t *testing.T) {
	replies, err := codemodeopenai.Dispatch(t.Context(), cm, openai.ChatCompletionMessage{
		Role: "assistant", FunctionCall: &openai.FunctionCall{Name: "codemode", Arguments: `{"code":"6*7"}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []openai.ChatCompletionMessage{{Role: "function", Name: "codemode", Content: "42"}}
	if diff := cmp.Diff(want, replies); diff != "" {
		t.Errorf("the replies (-want +got):\n%s", diff)
	}
}

func TestDispatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	replies, err := codemodeopenai.Dispatch(ctx, cm, message(
		call("a", "codemode", `{"code":"tools.wait()"}`), call("b", "codemode", `{"code":"while True: pass"}`)))
	if codemode.CodeOf(err) != codemode.CodeCancelled || !errors.Is(err, context.DeadlineExceeded) || replies != nil {
		t.Errorf("Dispatch gave %v and the error %v", replies, err)
	}
}

func TestDispatchOnAClosedCodemodeIsAnError(t *testing.T) {
	closed, err := codemode.New(codemode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = codemodeopenai.Dispatch(t.Context(), closed, message(call("a", "codemode", `{"code":"1"}`)))
	if err == nil {
		t.Error("the model would be told of a lost executor")
	}
}
