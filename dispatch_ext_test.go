package codemode_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

func dispatching(t *testing.T, reg *registry.Registry) *codemode.Codemode {
	t.Helper()
	return open(t, codemode.Options{Registry: reg, ToolName: "python"})
}

func TestAModelInALoopCannotFillTheExecutor(t *testing.T) {
	var now, most atomic.Int32
	two := make(chan struct{})
	together := sync.OnceFunc(func() { close(two) })
	reg := registry.New()
	registry.Func(reg, "enter", "Stays a moment.", func(_ context.Context, in struct {
		N int `json:"n"`
	}) (int, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		if n >= 2 {
			together()
		}
		select {
		case <-two:
			time.Sleep(30 * time.Millisecond) // so that any more come too
		case <-time.After(waittest.Patience):
		}
		return in.N, nil
	})
	cm := dispatching(t, reg)
	calls := make([]codemode.FunctionCall, 5*codemode.MaxParallelCalls)
	for i := range calls {
		calls[i] = codemode.FunctionCall{Name: "python", Arguments: fmt.Sprintf("tools.enter(n=%d)", i)}
	}
	replies, err := cm.Dispatch(t.Context(), calls)
	if err != nil {
		t.Fatal(err)
	}
	for i, reply := range replies {
		if reply.Text != fmt.Sprint(i) {
			t.Errorf("call %d was answered with %q", i, reply.Text)
		}
	}
	if n := most.Load(); n < 2 || n > codemode.MaxParallelCalls {
		t.Errorf("at most %d programs ran at once; it has to be 2 to %d", n, codemode.MaxParallelCalls)
	}
}

func TestDispatchAnswersProgramsDirectToolsAndTheApplicationsOwn(t *testing.T) {
	var mu sync.Mutex
	var written []string
	reg := registry.New()
	type in struct {
		Text  string  `json:"text"`
		Note  string  `json:"note,omitempty"`
		Maybe *string `json:"maybe,omitempty"`
	}
	registry.Func(reg, "notes.write", "Writes a note.", func(_ context.Context, n in) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		written = append(written, n.Text)
		return len(written), nil
	}, registry.Policy{Direct: true})
	registry.Func(reg, "notes.read", "Reads.", func(context.Context, struct{}) (string, error) { return "read", nil },
		registry.Policy{Direct: true, ReadOnly: true})
	registry.Func(reg, "notes.count", "Counts.", func(context.Context, struct{}) (int, error) { return 7, nil })
	cm := dispatching(t, reg)
	own := codemode.Tool{Name: "clock", Call: func(_ context.Context, arguments string) (string, error) {
		switch arguments {
		case "crash":
			panic("no clock")
		case "nothing":
			return "", nil
		}
		return "noon", nil
	}}
	replies, err := cm.Dispatch(t.Context(), []codemode.FunctionCall{
		{ID: "1", Name: "notes_write", Arguments: `{"text":"first","note":null}`},
		{ID: "2", Name: "python", Arguments: "tools.notes.count() * 6"},
		{ID: "3", Name: "notes_write", Arguments: `{"text":"second"}`},
		{ID: "3", Name: "notes_read"},
		{Name: "clock"},
		{ID: "5", Name: "clock", Arguments: "crash"},
		{ID: "6", Name: "clock", Arguments: "nothing"},
		{ID: "7", Name: "notes_count", Arguments: "{}"},
		{ID: "8", Name: strings.Repeat("x", 5000)},
		{ID: "9", Name: "notes_write", Arguments: `{"text":null}`},
		{ID: "10", Name: "notes_write", Arguments: `[`},
	}, own)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(replies))
	for i, reply := range replies {
		texts[i] = reply.ID + " " + reply.Text
	}
	want := []string{
		"1 1", "2 42", "3 2", "3 read", " noon", "5 The function crashed: no clock", "6 The function ended without a result.",
		`7 There is no function "notes_count", and nothing was run. Call python, whose argument is a Python program: tools.notes.count(...) is called in it.`,
		`8 There is no function "` + strings.Repeat("x", 100) + `...", and nothing was run. Call python, whose argument is a Python program.`,
		"9 ToolError (invalid_arguments): text: expected str, got None", "10 ToolError (invalid_arguments): the arguments are not JSON",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("the replies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"first", "second"}, written); diff != "" {
		t.Errorf("what changes something ran in another order (-want +got):\n%s", diff)
	}
	if _, err := cm.Dispatch(t.Context(), nil, codemode.Tool{Name: "python", Call: own.Call}); codemode.CodeOf(err) != codemode.CodeInvalid {
		t.Errorf("a function of a name that is taken gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if replies, err := cm.Dispatch(ctx, []codemode.FunctionCall{{Name: "clock"}}, own); codemode.CodeOf(err) != codemode.CodeCancelled || replies != nil {
		t.Errorf("a context that has ended gave %v, %v", replies, err)
	}
}
