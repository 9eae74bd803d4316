package executorclient

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/registry"
)

func TestTextSaysWhyARunFailedOnceAndWhatItDid(t *testing.T) {
	trace := "Traceback (most recent call last):\n  File \"program.py\", line 2, in <module>\n    f(0)\nZeroDivisionError: division by zero\n"
	for name, test := range map[string]struct {
		result Result
		want   string
	}{
		"nothing at all": {Result{}, "The run ended with status ."},
		"no traceback":   {Result{Status: Killed, Error: &ProgramError{Type: "Killed", Message: "by SIGKILL"}}, "The run failed (killed): Killed: by SIGKILL"},
		"a traceback that has the message": {
			Result{Status: Failed, Error: &ProgramError{Type: "ZeroDivisionError", Message: "division by zero", Traceback: trace, Line: 2}},
			"The run failed (error): ZeroDivisionError [line 2]\n" + strings.TrimSpace(trace),
		},
		"a traceback that has another": {
			Result{Status: Timeout, Error: &ProgramError{Type: "Timeout", Message: "longer than 5s", Traceback: trace, Line: 2}},
			"The run failed (timeout): Timeout: longer than 5s [line 2]\n" + strings.TrimSpace(trace),
		},
		"problems, which a report lists": {
			Result{Status: Failed, Error: &ProgramError{Type: "ProgramProblems", Message: "line 1, column 1: one; line 2, column 1: two", Traceback: "  line 1, column 1: one\n  line 2, column 1: two\n", Line: 1}},
			"The run failed (error): ProgramProblems [line 1]\n  line 1, column 1: one\n  line 2, column 1: two",
		},
		"calls of every kind": {
			Result{Status: Cancelled, ToolCalls: []ToolCall{
				{Tool: "read", Policy: registry.Policy{ReadOnly: true}, Result: "much"},
				{Tool: "write", Args: map[string]any{"a": int64(1)}, Result: int64(5)},
				{Tool: "drop", Policy: registry.Policy{Destructive: true, Idempotent: true}},
				{Tool: "write", Error: &ToolCallError{Kind: registry.KindDenied}},
				{Tool: "pay", Error: &ToolCallError{Kind: kindCancelled}},
				{Tool: "feed", Streaming: true, Rows: 3},
				{Tool: "huge", Omitted: true},
				{Tool: "read", Policy: registry.Policy{ReadOnly: true}},
			}},
			"The run ended with status cancelled.\n" +
				"Already done, and cannot be undone; do not do it again: drop(null) gave null\n" +
				"Already done; do not do it again if it changes something: write({\"a\":1}) gave 5; feed(null), 3 rows; huge(...)\n" +
				"Failed, but may have changed something: pay(null): cancelled\n" +
				"Changed nothing: read, 2 times; write (denied)",
		},
		"equal calls": {
			Result{Status: Failed, ToolCalls: slices.Concat(
				slices.Repeat([]ToolCall{{Tool: "echo", Args: map[string]any{"x": int64(1)}, Result: int64(1)}}, 900),
				[]ToolCall{{Tool: "echo", Args: map[string]any{"x": int64(2)}, Result: int64(2)}},
				slices.Repeat([]ToolCall{{Tool: "pay", Error: &ToolCallError{Kind: registry.KindTimeout}}}, 3),
				slices.Repeat([]ToolCall{{Tool: "echo", Args: map[string]any{"x": int64(1)}, Result: int64(1)}}, 100),
			)},
			"The run ended with status error.\n" +
				"Already done; do not do it again if it changes something: echo({\"x\":1}) gave 1, 1000 times; echo({\"x\":2}) gave 2\n" +
				"Failed, but may have changed something: pay(null): timeout, 3 times",
		},
		"more different calls than are told": {
			Result{Status: Failed, ToolCalls: differentCalls(25)},
			"The run ended with status error.\n" +
				"Already done; do not do it again if it changes something: " + strings.Join(namesOf(differentCalls(20)), "; ") + "\n" +
				"And 5 more calls that may have changed something: even, 3 times; odd, 2 times.",
		},
		"no calls and a hint":      {Result{Status: Failed, hint: "do better"}, "The run ended with status error.\nHint: do better"},
		"output and no result":     {Result{Status: OK, Stdout: "done\n"}, "stdout: done"},
		"neither output nor value": {Result{Status: OK}, "The program ended without output and without a result. End it with an expression, or print something."},
	} {
		if got := test.result.Text(); got != test.want {
			t.Errorf("%s:\n%s\nand not\n%s", name, got, test.want)
		}
	}
}

func differentCalls(n int) (calls []ToolCall) {
	for i := range n {
		calls = append(calls, ToolCall{Tool: []string{"even", "odd"}[i%2], Args: int64(i)})
	}
	return calls
}

func namesOf(calls []ToolCall) (names []string) {
	for _, call := range calls {
		names = append(names, fmt.Sprintf("%s(%d) gave null", call.Tool, call.Args))
	}
	return names
}

// Whatever a program did, the text stays readable, and is the same each time.
func TestTextOfAHugeFailureIsBounded(t *testing.T) {
	huge := strings.Repeat("é\"\n", 200_000)
	keys := map[string]any{}
	for i := range 200 {
		keys[fmt.Sprint("key", i, strings.Repeat("é", i))] = []any{map[string]any{huge[:3000]: int64(i)}}
	}
	result := Result{
		Status: Failed, Stdout: huge, Stderr: huge, Truncated: true,
		Error: &ProgramError{Type: "KeyError", Message: "'" + huge + "'", Traceback: "KeyError: 'x'\n" + huge},
	}
	for i := range 200 {
		call := ToolCall{Tool: fmt.Sprint("tool", i), Args: huge[:2000], Result: keys}
		switch i % 3 {
		case 1:
			call.Policy.ReadOnly = true
		case 2:
			call.Error = &ToolCallError{Kind: registry.KindFailed, Message: huge}
		}
		result.ToolCalls = append(result.ToolCalls, call)
	}
	result.hint = hintFor(&result, nil)
	text := result.Text()
	if len(text) > 64<<10 || !utf8.ValidString(text) || !strings.Contains(text, "more calls that may have changed something") || result.hint == "" {
		t.Errorf("%d bytes: %.3000s", len(text), text)
	}
	if again := result.Text(); again != text || hintFor(&result, nil) != result.hint {
		t.Error("the same result gives another text")
	}
}

func TestAHintNeedsAReason(t *testing.T) {
	failed := func(kind, message string) Result {
		return Result{Status: Failed, Error: &ProgramError{Type: kind, Message: message}}
	}
	for name, result := range map[string]Result{
		"no error": {Status: Failed}, "ok": {Status: OK}, "killed": {Status: Killed, Error: &ProgramError{Type: "KeyError", Message: "'x'"}},
		"a key that is no str": failed("KeyError", "5"), "half a key": failed("KeyError", "'"), "no key": failed("KeyError", ""),
		"a name, and no tools": failed("NameError", "name 'x' is not defined"), "arguments, and no tools": failed("ToolArgumentError", "f() takes 1"),
		"None that no tool gave": failed("TypeError", "'NoneType' object is not iterable"), "an error of one's own": failed("shop.Error", "closed"),
	} {
		if hint := hintFor(&result, nil); hint != "" {
			t.Errorf("%s: %s", name, hint)
		}
	}
}

func TestTheHintOfATimeoutSaysWhatTookIt(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	call := func(start, duration int) ToolCall {
		return ToolCall{Tool: "t", Start: ms(start), Duration: ms(duration)}
	}
	waiting := func(start, duration int) ToolCall {
		c := call(start, duration)
		c.Error = &ToolCallError{Kind: kindCancelled}
		return c
	}
	for name, test := range map[string]struct {
		calls []ToolCall
		want  string
	}{
		"none":                    {nil, "own work"},
		"short ones":              {[]ToolCall{call(0, 10), call(20, 10)}, "own work"},
		"one after another":       {[]ToolCall{call(0, 400), call(400, 400), waiting(800, 200)}, "one call after another"},
		"at once, and still long": {[]ToolCall{call(0, 900), call(1, 950), call(2, 990)}, "fewer calls"},
		"one that hangs":          {[]ToolCall{call(0, 10), waiting(10, 990)}, "waiting for t"},
		"several that hang":       {[]ToolCall{waiting(0, 1000), waiting(0, 1000)}, "waiting for t"},
	} {
		result := Result{Status: Timeout, Error: &ProgramError{Type: "Timeout"}, ToolCalls: test.calls, Usage: Usage{Wall: ms(1000)}}
		if hint := hintFor(&result, nil); !strings.Contains(hint, test.want) {
			t.Errorf("%s: %q", name, hint)
		}
	}
}
