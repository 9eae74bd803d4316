package codemodetest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/codemodetest"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

func TestMain(m *testing.M) { waittest.VerifyMain(m) }

// A judge is a test that keeps what would fail it.
type judge struct {
	testing.TB
	mu       sync.Mutex
	said     []string
	cleanups []func()
}

func (j *judge) Helper() {}
func (j *judge) Errorf(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.said = append(j.said, fmt.Sprintf(format, args...))
}
func (j *judge) Fatalf(format string, args ...any) { j.Errorf(format, args...); runtime.Goexit() }
func (j *judge) Cleanup(f func())                  { j.cleanups = append(j.cleanups, f) }
func (j *judge) Failed() bool                      { return len(j.said) > 0 }

// judged runs a test of a user's, and gives what failed it.
func judged(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	j, done := &judge{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		test(j)
	}()
	<-done
	for i := len(j.cleanups) - 1; i >= 0; i-- {
		j.cleanups[i]()
	}
	return strings.Join(j.said, "\n")
}

// shop is an application's registry, which counts what really ran.
func shop(ran *atomic.Int32) *registry.Registry {
	reg := registry.New()
	registry.Func(reg, "orders.list", "Lists orders.", func(_ context.Context, in struct {
		Customer string `json:"customer"`
	}) ([]map[string]any, error) {
		ran.Add(1)
		if in.Customer == "nobody" {
			return nil, errors.New("there is no such customer")
		}
		return []map[string]any{{"customer": in.Customer, "total": math.NaN(), "at": time.Unix(0, 0).UTC()}}, nil
	})
	registry.Func(reg, "orders.cancel", "Cancels one.", func(context.Context, struct {
		ID int `json:"id"`
	}) (bool, error) {
		ran.Add(1)
		return true, nil
	}, registry.Policy{RequireApproval: true, Destructive: true})
	registry.Stream(reg, "orders.rows", "Gives rows.", func(context.Context, struct{}) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			ran.Add(1)
			_ = yield(1, nil) && yield(2, nil) && yield(0, errors.New("the table is locked"))
		}
	})
	return reg
}

const program = `
import asyncio
found = await asyncio.gather(*[tools.orders.list.arun(customer=c) for c in ("ada", "alan", "grace")])
rows = []
try:
    for row in tools.orders.rows():
        rows.append(row)
except ToolError as error:
    rows.append(error.message)
try:
    tools.orders.list("nobody")
except ToolError as error:
    rows.append(error.message)
[len(found), found[0][0]["at"].year, str(found[0][0]["total"]), rows]`

func TestFakesRunInPlaceOfTheTools(t *testing.T) {
	var ran atomic.Int32
	runner := codemodetest.New(t, codemodetest.Options{Registry: shop(&ran), Fakes: codemodetest.Fakes{
		"orders.list":   codemodetest.Func(func(args map[string]any) (any, error) { return []any{args["customer"]}, nil }),
		"orders.cancel": codemodetest.Fails(registry.KindDenied, "not today"),
		"orders.rows":   codemodetest.Rows(1, "two", nil),
	}})
	result := runner.Run(`
import asyncio
names = await asyncio.gather(*[tools.orders.list.arun(customer=c) for c in ("ada", "alan")])
try:
    tools.orders.cancel(id=1)
except ToolError as error:
    print(error.kind, error.message)
[names, list(tools.orders.rows())]`)
	result.Want([]any{[]any{[]any{"ada"}, []any{"alan"}}, []any{1, "two", nil}})
	if result.Stdout != "denied not today\n" {
		t.Errorf("it printed %q", result.Stdout)
	}
	result.Calls(
		codemodetest.Together(codemodetest.Call{Tool: "orders.list", Args: map[string]any{"customer": "alan"}}, codemodetest.Call{Tool: "orders.list"}),
		codemodetest.Call{Tool: "orders.cancel", Args: map[string]any{"id": 1}},
		codemodetest.Call{Tool: "orders.rows"},
	)
	result.Called(codemodetest.Call{Tool: "orders.list", Args: map[string]any{"customer": "ada"}})
	runner.Run("tools.orders.list(user='ada')").WantFailure("customer")
	if n := ran.Load(); n != 0 {
		t.Errorf("%d real tools ran", n)
	}
}

func TestWhatAProgramDidOtherwiseFailsTheTest(t *testing.T) {
	call := func(tool string, args map[string]any) codemodetest.Call {
		return codemodetest.Call{Tool: tool, Args: args}
	}
	said := judged(t, func(t testing.TB) {
		runner := codemodetest.New(t, codemodetest.Options{Fakes: codemodetest.Fakes{"a": codemodetest.Value(1), "b": codemodetest.Value(2)}})
		result := runner.Run("[tools.a(x=1), tools.b()]")
		result.Want([]any{1, 2})
		result.Calls(call("a", map[string]any{"x": 1}), call("b", map[string]any{}))
		result.Calls(codemodetest.Together(call("b", nil), call("a", nil)))
		for _, wrong := range []func(){
			func() { result.Want([]any{1.0, 2}) },
			func() { result.Calls() },
			func() { result.Calls(call("b", nil), call("a", nil)) },
			func() { result.Calls(call("a", map[string]any{"x": 2}), call("b", nil)) },
			func() { result.Calls(call("a", nil), call("b", nil), call("b", nil)) },
			func() { result.Calls(codemodetest.Together(call("a", nil), call("a", nil))) },
			func() { result.Called(call("c", nil)) },
			func() { result.WantFailure("anything") },
			func() { runner.Run("1/0").Want(1) },
			func() { runner.Run("1/0").WantFailure("NameError") },
		} {
			before := len(t.(*judge).said)
			wrong()
			if len(t.(*judge).said) != before+1 {
				t.Errorf("a check that had to fail said %q", t.(*judge).said[before:])
			}
		}
	})
	if n := strings.Count(said, "codemodetest: "); n != 10 || strings.Contains(said, "had to fail") {
		t.Errorf("%d checks failed:\n%s", n, said)
	}
	var ran atomic.Int32
	said = judged(t, func(t testing.TB) {
		runner := codemodetest.New(t, codemodetest.Options{Registry: shop(&ran), Fakes: codemodetest.Fakes{"order.list": codemodetest.Value(1)}})
		runner.Run("tools.orders.list('ada')").WantFailure("the test has no fake for orders.list")
	})
	if !strings.Contains(said, `a fake for the tool "order.list"`) || strings.Count(said, "codemodetest: ") != 1 || ran.Load() != 0 {
		t.Errorf("a fake of no tool said %q, and %d tools ran", said, ran.Load())
	}
}

func TestARecordingAnswersAsTheToolsDid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "calls.json")
	var ran atomic.Int32
	want := []any{3, 1970, "nan", []any{1, 2, "the table is locked", "there is no such customer"}}
	if said := judged(t, func(t testing.TB) {
		codemodetest.New(t, codemodetest.Options{Registry: shop(&ran), Recording: path})
	}); !strings.Contains(said, "there is no recording") || !strings.Contains(said, "Options.Record") {
		t.Errorf("without a recording the test said %q", said)
	}
	var texts []string
	for range 2 {
		if said := judged(t, func(t testing.TB) {
			runner := codemodetest.New(t, codemodetest.Options{Registry: shop(&ran), Recording: path, Record: true})
			runner.Run(program).Want(want)
			runner.Run("tools.orders.cancel(id=1)").WantFailure("denied") // nobody approves
		}); said != "" {
			t.Fatal(said)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] || strings.Count(texts[0], "\n") != 8 {
		t.Errorf("two recordings of the same:\n%s\n%s", texts[0], texts[1])
	}
	before := ran.Load()
	replay := codemodetest.Options{Registry: shop(&ran), Recording: path}
	if said := judged(t, func(t testing.TB) {
		runner := codemodetest.New(t, replay)
		runner.Run(program).Want(want)
		runner.Run("tools.orders.cancel(id=1)").WantFailure("denied")
	}); said != "" {
		t.Error(said)
	}
	if said := judged(t, func(t testing.TB) {
		codemodetest.New(t, replay).Run("tools.orders.list('ada')")
	}); !strings.Contains(said, "5 calls of") || !strings.Contains(said, "were not made") {
		t.Errorf("a program that does less said %q", said)
	}
	if said := judged(t, func(t testing.TB) {
		codemodetest.New(t, replay).Run("tools.orders.list('eve')").WantFailure("no such call")
	}); !strings.Contains(said, `has no call orders.list{"customer":"eve"}`) {
		t.Errorf("a program that does something else said %q", said)
	}
	if ran.Load() != before {
		t.Errorf("%d real tools ran in replays", ran.Load()-before)
	}
	for _, text := range []string{"", "[]", `{"calls":[{"tool":1}]}`, `{"calls":[{"tool":"a"}]}`, `{"calls":`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := judged(t, func(t testing.TB) { codemodetest.New(t, replay) }); !strings.Contains(said, "record it anew") {
			t.Errorf("the recording %q said %q", text, said)
		}
	}
}
