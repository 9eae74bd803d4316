package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
	codemodeopenai "github.com/codemode-sdk/codemode/adapters/openai"
)

func TestStreamedCallsComeTogetherWhateverTheEndpointMakesOfThem(t *testing.T) {
	for name, test := range map[string]struct{ parts, want string }{
		"in fragments": {
			`[{"id":"a","index":0,"function":{"name":"codemode","arguments":""}}] [{"index":0,"function":{"arguments":"{\"co"}}] [{"index":0,"function":{"arguments":"de\":\"1\"}"}}]`,
			`a codemode {"code":"1"}`,
		},
		"several at once, the parts mixed": {
			`[{"id":"a","index":0,"function":{"name":"codemode"}},{"id":"b","index":1,"function":{"name":"other"}}] [{"index":1,"function":{"arguments":"y1"}}] [{"index":0,"function":{"arguments":"x1"}},{"index":1,"function":{"arguments":"y2"}}] [{"index":0,"function":{"arguments":"x2"}}]`,
			"a codemode x1x2\nb other y1y2",
		},
		"indexes in another order": {
			`[{"id":"c","index":2,"function":{"name":"f","arguments":"3"}}] [{"id":"a","index":0,"function":{"name":"f","arguments":"1"}}] [{"id":"b","index":1,"function":{"name":"f","arguments":"2"}}]`,
			"a f 1\nb f 2\nc f 3",
		},
		"no index": {
			`[{"id":"a","function":{"name":"f","arguments":"1"}}] [{"function":{"arguments":"2"}}] [{"id":"b","function":{"name":"f","arguments":"3"}}]`,
			"a f 12\nb f 3",
		},
		"one index for all": {
			`[{"id":"a","index":0,"function":{"name":"f","arguments":"1"}}] [{"id":"b","index":0,"function":{"name":"f","arguments":"2"}}] [{"index":0,"function":{"arguments":"3"}}]`,
			"a f 1\nb f 23",
		},
		"no IDs": {
			`[{"index":0,"function":{"name":"f","arguments":"1"}}] [{"index":0,"function":{"arguments":"2"}}] [{"index":1,"function":{"name":"f","arguments":"3"}}]`,
			"call_1 f 12\ncall_2 f 3",
		},
		"no IDs and no indexes": {
			`[{"function":{"name":"f","arguments":"1"}}] [{"function":{"name":"f","arguments":"2"}}]`,
			"call_1 f 1\ncall_2 f 2",
		},
		"ID and name in every part": {
			`[{"id":"a","index":0,"function":{"name":"f","arguments":"1"}}] [{"id":"a","index":0,"function":{"name":"f","arguments":"2"}}]`,
			"a f 12",
		},
		"the name in fragments": {
			`[{"id":"a","index":0,"function":{"name":"code"}}] [{"index":0,"function":{"name":"mode"}}]`, "a codemode ",
		},
		"a part before its ID": {
			`[{"index":0,"function":{"name":"f"}}] [{"id":"a","index":0,"function":{"arguments":"1"}}]`, "a f 1",
		},
	} {
		var message codemodeopenai.Accumulator
		for part := range strings.SplitSeq(test.parts, "] [") {
			part = "[" + strings.Trim(part, "[]") + "]"
			var calls []openai.ToolCall
			if err := json.Unmarshal([]byte(part), &calls); err != nil {
				t.Fatal(err)
			}
			if err := message.Add(openai.ChatCompletionStreamResponse{Choices: []openai.ChatCompletionStreamChoice{
				{Index: 1, Delta: openai.ChatCompletionStreamChoiceDelta{Content: "of another choice"}},
				{Delta: openai.ChatCompletionStreamChoiceDelta{Content: "+", ToolCalls: calls}},
			}}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, call := range message.Message().ToolCalls {
			got = append(got, call.ID+" "+call.Function.Name+" "+call.Function.Arguments)
			if call.Index != nil || call.Type != openai.ToolTypeFunction {
				t.Errorf("%s: a call that an endpoint may refuse in the history: %+v", name, call)
			}
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := message.Message(); strings.Trim(got.Content, "+") != "" || got.Role != "assistant" {
			t.Errorf("%s: the message is %+v", name, got)
		}
	}
}

func TestAStreamWithoutEndIsRefused(t *testing.T) {
	part := func(content string, calls int) openai.ChatCompletionStreamResponse {
		return openai.ChatCompletionStreamResponse{Choices: []openai.ChatCompletionStreamChoice{{
			Delta: openai.ChatCompletionStreamChoiceDelta{Content: content, ToolCalls: make([]openai.ToolCall, calls)},
		}}}
	}
	for _, limit := range []struct {
		set          int // what the Accumulator says of both
		bytes, calls int
	}{
		{0, codemodeopenai.MaxMessageBytes, codemodeopenai.MaxMessageCalls},
		{10, 10, 10},
	} {
		long := codemodeopenai.Accumulator{MaxBytes: limit.set}
		many := codemodeopenai.Accumulator{MaxCalls: limit.set}
		if err := long.Add(part(strings.Repeat("x", limit.bytes), 0)); err != nil {
			t.Errorf("a message of %d bytes gave %v", limit.bytes, err)
		}
		if err := long.Add(part("x", 0)); codemode.CodeOf(err) != codemode.CodeUnavailable {
			t.Errorf("a message of more than %d bytes gave %v", limit.bytes, err)
		}
		for i := range limit.calls + 1 {
			p := part("", 1)
			p.Choices[0].Delta.ToolCalls[0].Index = &i
			if err := many.Add(p); (codemode.CodeOf(err) == codemode.CodeUnavailable) != (i == limit.calls) {
				t.Fatalf("of %d calls, number %d gave %v", limit.calls, i+1, err)
			}
		}
	}
}

// A message costs what it is long, however small its parts are, also for one who shows it
// while it grows: were it copied for each part, this would copy 60 GB.
func TestALongMessageInSmallPartsIsNotCopiedForEach(t *testing.T) {
	const parts = 200_000
	var message codemodeopenai.Accumulator
	part := openai.ChatCompletionStreamResponse{Choices: []openai.ChatCompletionStreamChoice{{
		Delta: openai.ChatCompletionStreamChoiceDelta{Content: "abc", ToolCalls: []openai.ToolCall{{Function: openai.FunctionCall{Arguments: "def"}}}},
	}}}
	copied := testing.AllocsPerRun(1, func() {
		message = codemodeopenai.Accumulator{}
		for range parts {
			if err := message.Add(part); err != nil {
				t.Fatal(err)
			}
		}
	})
	if copied > 1000 {
		t.Errorf("%v allocations for %d parts", copied, parts)
	}
	if got := message.Message(); len(got.Content) != 3*parts || len(got.ToolCalls[0].Function.Arguments) != 3*parts {
		t.Errorf("the message has %d and %d bytes", len(got.Content), len(got.ToolCalls[0].Function.Arguments))
	}
}
