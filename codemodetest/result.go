package codemodetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/value"
)

// A Result is what became of a program, with what a test wants to know of it. Its methods
// report with Errorf and go on.
type Result struct {
	*codemode.Result
	t testing.TB
}

// Want checks that the program came to its end, and to a value: any Go value that a tool
// may give, compared as a program would see it, so that 1 and 1.0 are two things, and a
// struct is what its JSON is.
func (r *Result) Want(want any) {
	r.t.Helper()
	if r.Status != codemode.StatusOK {
		r.t.Errorf("codemodetest: the program did not come to its end:\n%s", r.Text())
		return
	}
	expected, err := value.Encode(want)
	if err != nil {
		r.t.Errorf("codemodetest: the wanted value is none that a program can have: %v", err)
		return
	}
	if got := encoded(r.Value); got != string(expected) {
		r.t.Errorf("codemodetest: the program gave\n\t%s\nwant\n\t%s", got, expected)
	}
}

// WantFailure checks that the program did not come to its end, and that what the model
// would be told has a part.
func (r *Result) WantFailure(part string) {
	r.t.Helper()
	if r.Status == codemode.StatusOK {
		r.t.Errorf("codemodetest: the program came to its end; it was to fail with %q:\n%s", part, r.Text())
	} else if !strings.Contains(r.Text(), part) {
		r.t.Errorf("codemodetest: the program failed, and not with %q:\n%s", part, r.Text())
	}
}

// A Step is one or more calls that a program is to make: a Call, or Together.
type Step interface{ calls() []Call }

// A Call is one call that a program is to make.
type Call struct {
	// Tool is the tool's name.
	Tool string
	// Args are all of its arguments, as the program passes them. If nil, any.
	Args map[string]any
}

func (c Call) calls() []Call { return []Call{c} }

func (c Call) String() string {
	if c.Args == nil {
		return c.Tool + "(...)"
	}
	return c.Tool + encoded(c.Args)
}

type together []Call

func (s together) calls() []Call { return s }

// Together are calls that a program makes in any order, such as those it gathers.
func Together(calls ...Call) Step { return together(calls) }

// Calls checks that the program made exactly these calls, in this order.
func (r *Result) Calls(steps ...Step) {
	r.t.Helper()
	made := make([]Call, len(r.ToolCalls))
	for i, call := range r.ToolCalls {
		args, _ := call.Args.(map[string]any)
		made[i] = Call{Tool: call.Tool, Args: args}
		if args == nil {
			made[i].Args = map[string]any{}
		}
	}
	rest := made
	for _, step := range steps {
		want := step.calls()
		if missing, ok := matchAll(want, rest[:min(len(want), len(rest))]); !ok {
			r.t.Errorf("codemodetest: the program was to call %s as number %d; it called\n%s", missing, len(made)-len(rest)+1, list(made))
			return
		}
		rest = rest[len(want):]
	}
	if len(rest) > 0 {
		r.t.Errorf("codemodetest: the program made %d calls that it was not to make, from number %d on; it called\n%s", len(rest), len(made)-len(rest)+1, list(made))
	}
}

// Called checks that the program made a call, whatever else it did.
func (r *Result) Called(call Call) {
	r.t.Helper()
	for _, made := range r.ToolCalls {
		args, _ := made.Args.(map[string]any)
		if call.matches(Call{Tool: made.Tool, Args: args}) {
			return
		}
	}
	r.t.Errorf("codemodetest: the program did not call %s", call)
}

// matchAll pairs wanted calls with made ones in any order, those with arguments first: one
// without takes what is left.
func matchAll(want, made []Call) (missing Call, ok bool) {
	want, made = slices.Clone(want), slices.Clone(made)
	slices.SortStableFunc(want, func(a, b Call) int {
		switch {
		case (a.Args == nil) == (b.Args == nil):
			return 0
		case a.Args == nil:
			return 1
		}
		return -1
	})
	for _, call := range want {
		i := slices.IndexFunc(made, call.matches)
		if i < 0 {
			return call, false
		}
		made = slices.Delete(made, i, i+1)
	}
	return Call{}, true
}

func (c Call) matches(made Call) bool {
	return c.Tool == made.Tool && (c.Args == nil || encoded(c.Args) == encoded(orEmpty(made.Args)))
}

func orEmpty(args map[string]any) map[string]any {
	if args == nil {
		return map[string]any{}
	}
	return args
}

func list(calls []Call) string {
	if len(calls) == 0 {
		return "\tnothing"
	}
	lines := make([]string, len(calls))
	for i, call := range calls {
		lines[i] = fmt.Sprintf("\t%d. %s", i+1, call)
	}
	return strings.Join(lines, "\n")
}

// encoded is a value as programs and executors exchange it, in which equal values are
// equal texts.
func encoded(v any) string {
	text, err := value.Encode(v)
	if err != nil {
		return "a value that cannot be sent: " + err.Error()
	}
	return string(text)
}
