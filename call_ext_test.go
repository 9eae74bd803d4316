package codemode_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

func TestCallTakesWhatModelsSend(t *testing.T) {
	const lines = "x = tools.add(a=20, b=1)\nx * 2"
	for name, arguments := range map[string]string{
		"the schema":                        `{"code":"x = tools.add(a=20, b=1)\nx * 2"}`,
		"spaces around it":                  "\n  {\"code\": \"x = tools.add(a=20, b=1)\\nx * 2\"}\n",
		"langchaingo's name":                `{"__arg1":"x = tools.add(a=20, b=1)\nx * 2"}`,
		"another name":                      `{"python":"x = tools.add(a=20, b=1)\nx * 2"}`,
		"a name of one's own beside it":     `{"code":"x = tools.add(a=20, b=1)\nx * 2","explanation":"adds"}`,
		"line breaks that are not escaped":  "{\"code\":\"x = tools.add(a=20, b=1)\nx * 2\"}",
		"tabs that are not escaped":         "{\"code\":\"if 1:\n\tx = tools.add(a=20, b=1)\nx * 2\"}",
		"its lines in a list":               `{"code":["x = tools.add(a=20, b=1)","x * 2"]}`,
		"encoded twice":                     `"{\"code\":\"x = tools.add(a=20, b=1)\\nx * 2\"}"`,
		"the schema inside another's":       `{"__arg1":"{\"code\":\"x = tools.add(a=20, b=1)\\nx * 2\"}"}`,
		"a JSON string":                     `"x = tools.add(a=20, b=1)\nx * 2"`,
		"bare":                              lines,
		"fenced":                            "```python\n" + lines + "\n```",
		"fenced, without a language":        "```\n" + lines + "\n```",
		"fenced inside the schema":          "{\"code\":\"```python\\nx = tools.add(a=20, b=1)\\nx * 2\\n```\"}",
		"fenced, after a sentence":          "Here is the program:\n```python\n" + lines + "\n```",
		"two fenced parts":                  "```python\nx = tools.add(a=20, b=1)\n```\n```python\nx * 2\n```",
		"fenced, and with a sentence after": "```python\n" + lines + "\n```\nThis adds.",
		"CRLF":                              "{\"code\":\"x = tools.add(a=20, b=1)\\r\\nx * 2\"}",
	} {
		t.Run(name, func(t *testing.T) {
			text, err := shared.Call(t.Context(), arguments)
			if err != nil || text != "42" {
				t.Errorf("%q gave %q, %v", arguments, text, err)
			}
		})
	}
}

func TestCallLeavesProgramsThatLookLikeArgumentsAlone(t *testing.T) {
	for name, test := range map[string]struct{ code, want string }{
		"a dict":                 {`{"code": 1, "n": tools.add(a=1)}`, `{"code":1,"n":1}`},
		"a dict of JSON":         {`{"code":"{\"a\": 1}"}`, `{"a":1}`},
		"a set":                  {`{1}`, `[1]`},
		"a string that is added": {`"a" + "b"`, "ab"},
		"a fence in a string":    {"md = '''\n```python\n1/0\n```\n'''\nlen(md)", "19"},
		"JSON with a program":    {"{\"code\":\"'''\\n```\\n1/0\\n```\\n'''.count('`')\"}", "6"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := shared.Call(t.Context(), test.code)
			if err != nil || text != test.want {
				t.Errorf("%q gave %q, %v; want %q", test.code, text, err, test.want)
			}
		})
	}
}

func TestCallAnswersWhatIsNoProgram(t *testing.T) {
	for name, arguments := range map[string]string{
		"nothing": "", "null": "null", "an empty program": `{"code":""}`,
		"a cut object": `{"code":"pri`, "a sentence": "I would like to add numbers.",
		"NUL": "\x00", "not UTF-8": "print('\xff')", "half a pair": `{"code":"'\ud800'"}`,
	} {
		t.Run(name, func(t *testing.T) {
			text, err := shared.Call(t.Context(), arguments)
			if err != nil || strings.TrimSpace(text) == "" {
				t.Errorf("%q gave %q, %v; a model needs words", arguments, text, err)
			}
		})
	}
}

func TestAModelThatLeftTheProgramOutIsToldWhichArgumentIsMissing(t *testing.T) {
	const missing, wrong = `"code" is missing`, `"code" is not a string`
	for arguments, want := range map[string]string{
		`{}`: missing, " { }\n": missing, `{"cod":"1+1"}`: missing, `{"a": 1}`: missing, `"{}"`: missing, `{"__arg1":"{}"}`: missing,
		`{"code":null}`: wrong, `{"code":7}`: wrong, `{"code":[]}`: wrong, `{"code":[1,"a"],"input":[]}`: wrong, `{"code":{"code":"1"}}`: wrong,
	} {
		replies, err := shared.Dispatch(t.Context(), []codemode.FunctionCall{{ID: "1", Name: shared.ToolName(), Arguments: arguments}})
		if err != nil {
			t.Fatal(err)
		}
		if text := replies[0].Text; !strings.HasPrefix(text, "ToolError (invalid_arguments): ") || !strings.Contains(text, want) ||
			!strings.Contains(text, "nothing was run") || !strings.Contains(text, `{"code": "..."}`) {
			t.Errorf("%s was answered with %q, which is to say %s", arguments, text, want)
		}
	}
}

func TestTextTellsTheModelHowARunEnded(t *testing.T) {
	for name, test := range map[string]struct {
		code   string
		limits codemode.Limits
		status codemode.Status
		holds  []string
	}{
		"ok": {
			code: "print('one')\nprint('two')\n{'n': 1}", status: codemode.StatusOK,
			holds: []string{"stdout:\none\ntwo\n", `result: {"n":1}`},
		},
		"ok, without anything to show": {
			code: "x = 1", status: codemode.StatusOK, holds: []string{"without output and without a result"},
		},
		"ok, an HTML page":  {code: "['<b>1 & 2</b>']", status: codemode.StatusOK, holds: []string{`["<b>1 & 2</b>"]`}},
		"ok, an empty text": {code: "''", status: codemode.StatusOK, holds: []string{`""`}},
		"error": {
			code: "def f(n):\n    return 1 / n\nprint('before')\ntools.add(a=1)\nf(0)", status: codemode.StatusError,
			holds: []string{
				"The run failed (error): ZeroDivisionError [line 2]\n", "stdout: before", "ZeroDivisionError: division by zero\n",
				"line 5, in <module>\n    f(0)", "line 2, in f\n    return 1 / n",
				`Already done; do not do it again if it changes something: add({"a":1}) gave 1`,
			},
		},
		"error of a tool": {
			code: "tools.fail(kind='denied')", status: codemode.StatusError,
			holds: []string{"ToolError [line 1]", "ToolError: it did not work\n", "Changed nothing: fail (denied)"},
		},
		"error before it runs": {
			code: "print('not reached')\nif True\n    pass", status: codemode.StatusError,
			holds: []string{"SyntaxError", "[line 2]", "if True"},
		},
		"exit": {
			code: "import sys\nsys.exit(3)", status: codemode.StatusError, holds: []string{"exit code 3"},
		},
		"timeout": {
			code: "tools.add(a=1)\nwhile True:\n    pass", limits: codemode.Limits{Timeout: 300 * time.Millisecond},
			status: codemode.StatusTimeout, holds: []string{"The run failed (timeout)", "longer than", "if it changes something: add(", "do less in one run"},
		},
		"memory limit": {
			code: "x = []\nwhile True:\n    x.append(bytearray(1 << 20))", limits: codemode.Limits{MemoryBytes: 64 << 20},
			status: codemode.StatusMemoryLimit, holds: []string{"The run failed (memory_limit)"},
		},
		"output limit": {
			code: "while True:\n    print('spam')", limits: codemode.Limits{OutputBytes: 10_000},
			status: codemode.StatusOutputLimit, holds: []string{"The run failed (output_limit)", "10000 bytes", "spam"},
		},
		"killed": {
			code: "import os\nos.kill(os.getpid(), 9)", status: codemode.StatusKilled,
			holds: []string{"The run failed (killed)", "SIGKILL"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			try := func(limits codemode.Limits) error {
				result, err := shared.ExecuteRequest(t.Context(), codemode.Request{Code: test.code, Limits: limits})
				if err != nil {
					t.Fatal(err)
				}
				text := result.Text()
				if result.Status != test.status {
					return fmt.Errorf("status %s, want %s", result.Status, test.status)
				}
				if text == "" || len(text) > 64<<10 {
					return fmt.Errorf("a text of %d bytes", len(text))
				}
				for _, part := range test.holds {
					if !strings.Contains(text, part) {
						return fmt.Errorf("the text lacks %q:\n%s", part, text)
					}
				}
				return nil
			}
			if test.limits.Timeout > 0 {
				waittest.Longer(t, test.limits.Timeout, func(limit time.Duration) error {
					return try(codemode.Limits{Timeout: limit})
				})
			} else if err := try(test.limits); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTextOfWhatDidNotRun(t *testing.T) {
	// Rejected: the model can do something about it.
	code := "#" + strings.Repeat("x", 200_000)
	result, err := shared.Execute(t.Context(), code)
	if codemode.CodeOf(err) != codemode.CodeRejected || result.Status != codemode.StatusRejected {
		t.Fatalf("a program that is too long: %s, %v", result.Status, err)
	}
	text, err := shared.Call(t.Context(), code)
	if err != nil || !strings.Contains(text, "The run failed (rejected)") || !strings.Contains(text, "100000") {
		t.Errorf("the model is told %q, %v", text, err)
	}

	// Cancelled: nobody is there to be told, but the text is for logs.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result, err = shared.Execute(ctx, "1")
	if codemode.CodeOf(err) != codemode.CodeCancelled || !strings.Contains(result.Text(), "(cancelled)") {
		t.Errorf("%q, %v", result.Text(), err)
	}
	if text, err := shared.Call(ctx, "1"); text != "" || codemode.CodeOf(err) != codemode.CodeCancelled {
		t.Errorf("Call gave %q, %v", text, err)
	}
}

func TestTextIsBounded(t *testing.T) {
	result := run(t, shared, "print('o' * 500_000)\nimport sys\nprint('e' * 400_000, file=sys.stderr)\n'r' * 1_000_000")
	text := result.Text()
	if len(text) > 40<<10 || !strings.Contains(text, "bytes left out") {
		t.Errorf("the text takes %d bytes", len(text))
	}
	if len(result.Stdout) != 500_001 {
		t.Errorf("the application gets %d bytes of output", len(result.Stdout))
	}
}

func TestDescriptionIsTheSameBytesForTheSameTools(t *testing.T) {
	names := []string{"zeta", "alpha", "git.log", "git.add", "mid"}
	describe := func(order []string) string {
		cm, err := codemode.FromClientConfig(clientWithoutExecutor)
		if err != nil {
			t.Fatal(err)
		}
		defer cm.Close()
		for _, name := range order {
			registry.Func(cm.Registry(), name, "Does "+name+".", func(context.Context, pair) (map[string]int, error) { return nil, nil })
		}
		text, err := cm.Description()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := describe(names)
	for range 5 {
		names = append(names[1:], names[0])
		if got := describe(names); got != first {
			t.Fatalf("another description:\n%s\n---\n%s", first, got)
		}
	}
	for _, part := range []string{"def alpha(", "class git", "Does git.log."} {
		if !strings.Contains(first, part) {
			t.Errorf("the description lacks %q:\n%s", part, first)
		}
	}
}
