package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// call runs a call that must fail and gives its error.
func failure(t *testing.T, r *registry.Registry, name, arguments string) *registry.ToolError {
	t.Helper()
	result, err := r.Call(t.Context(), name, []byte(arguments))
	told, ok := errors.AsType[*registry.ToolError](err)
	if !ok || result != nil {
		t.Fatalf("%s(%s) gave %s, %v", name, arguments, result, err)
	}
	if told.Tool == "" || told.Message == "" {
		t.Errorf("the error is incomplete: %+v", told)
	}
	return told
}

func success(t *testing.T, r *registry.Registry, name, arguments string) string {
	t.Helper()
	result, err := r.Call(t.Context(), name, []byte(arguments))
	if err != nil {
		t.Fatalf("%s(%s): %v", name, arguments, err)
	}
	return string(result)
}

// raw registers a handler that takes anything.
func raw(t *testing.T, r *registry.Registry, name string, handler registry.Handler) {
	t.Helper()
	err := r.Add(registry.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object","additionalProperties":true}`), Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTypedToolGetsExactValues(t *testing.T) {
	type nested struct {
		Any any `json:"any,omitempty"`
	}
	type in struct {
		N      *big.Int         `json:"n"`
		Data   []byte           `json:"data"`
		F      float64          `json:"f"`
		When   time.Time        `json:"when"`
		Nested []nested         `json:"nested,omitempty"`
		Counts map[string]int64 `json:"counts,omitempty"`
	}
	reg := registry.New()
	var got in
	err := registry.Func(reg, "echo", "", func(_ context.Context, v in) (in, error) {
		got = v
		return v, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	huge := strings.Repeat("7", 100)
	arguments := `{"n":` + huge + `,"data":{"$":["bytes","AAE="]},"f":NaN,"when":{"$":["datetime","2026-01-02T03:04:05.000006+02:00"]},` +
		`"nested":[{"any":{"$":["bytes","AAE="]}}],"counts":{"a":9007199254740993}}`
	result := success(t, reg, "echo", arguments)
	if got.N.String() != huge || string(got.Data) != "\x00\x01" || !math.IsNaN(got.F) || got.Counts["a"] != 1<<53+1 {
		t.Errorf("got %+v", got)
	}
	if want := time.Date(2026, 1, 2, 1, 4, 5, 6000, time.UTC); !got.When.Equal(want) {
		t.Errorf("got %v, want %v", got.When, want)
	}
	if data, ok := got.Nested[0].Any.([]byte); !ok || string(data) != "\x00\x01" {
		t.Errorf("a field of type any got %#v", got.Nested[0].Any)
	}
	if result != arguments {
		t.Errorf("the way back:\n got %s\nwant %s", result, arguments)
	}
}

func TestTypedToolShapes(t *testing.T) {
	type in struct {
		City string `json:"city"`
	}
	reg := registry.New()
	registry.Func(reg, "pointer", "", func(_ context.Context, v *in) (string, error) { return v.City, nil })
	registry.Func(reg, "none", "", func(context.Context, struct{}) (float64, error) { return 1, nil })
	registry.Func(reg, "any", "", func(_ context.Context, v map[string]any) (any, error) { return v, nil })
	registry.Func(reg, "nil", "", func(context.Context, struct{}) (*in, error) { return nil, nil })
	if err := reg.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ tool, arguments, want string }{
		{"pointer", `{"city":"NYC"}`, `"NYC"`},
		{"none", `{}`, `1.0`},
		{"none", ``, `1.0`},
		{"any", `{"a":{"$":["dict",[[1,NaN]]]}}`, `{"a":{"$":["dict",[[1,NaN]]]}}`},
		{"any", `{"$":["dict",[["$",1]]]}`, `{"$":["dict",[["$",1]]]}`},
		{"nil", `{}`, `null`},
	} {
		if got := success(t, reg, c.tool, c.arguments); got != c.want {
			t.Errorf("%s(%s) gave %s, want %s", c.tool, c.arguments, got, c.want)
		}
	}
}

func TestRawToolReadsArgumentsInEveryForm(t *testing.T) {
	reg := registry.New()
	var args registry.Args
	raw(t, reg, "raw", func(_ context.Context, a registry.Args) (any, error) {
		args = a
		return map[int]any{1: json.Number("1.50")}, nil
	})
	result := success(t, reg, "raw", `{"b":{"$":["bytes","AAE="]},"n":1,"f":1.0,"x":NaN,"n":2}`)
	if want := `{"$":["dict",[[1,1.50]]]}`; result != want {
		t.Errorf("result %s, want %s", result, want)
	}
	if b, ok := args.Map()["b"].([]byte); !ok || string(b) != "\x00\x01" {
		t.Errorf("Map gives %v", args.Map())
	}
	if diff := cmp.Diff(map[string]any{"b": "AAE=", "n": int64(2), "f": 1.0, "x": "NaN"}, args.Plain()); diff != "" {
		t.Errorf("Plain (-want +got):\n%s", diff)
	}
	if got, want := string(args.JSON()), `{"b":"AAE=","f":1.0,"n":2,"x":"NaN"}`; got != want {
		t.Errorf("JSON gives %s, want %s", got, want)
	}
	var in struct {
		B []byte `json:"b"`
		N int    `json:"n"`
	}
	if err := args.Decode(&in); err != nil || string(in.B) != "\x00\x01" || in.N != 2 {
		t.Errorf("Decode gives %+v, %v", in, err)
	}
	var wrong struct {
		F struct {
			G bool `json:"g"`
		} `json:"f"`
	}
	told, ok := errors.AsType[*registry.ToolError](args.Decode(&wrong))
	if !ok || told.Kind != registry.KindInvalidArguments || !strings.HasPrefix(told.Message, "f: ") {
		t.Errorf("a failed Decode gives %v", told)
	}
	var none registry.Args
	if none.Map() == nil || none.Plain() == nil || string(none.JSON()) != "{}" {
		t.Error("the zero Args are not empty arguments")
	}
}

func TestNewArgsAreWhatAProgramSends(t *testing.T) {
	args, err := registry.NewArgs(map[string]any{"n": 1, "t": time.Unix(0, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := args.Map()["n"].(int64); !ok {
		t.Errorf("got %T", args.Map()["n"])
	}
	if _, err := registry.NewArgs([]int{1}); err == nil {
		t.Error("a list became arguments")
	}
	if _, err := registry.NewArgs(func() {}); err == nil {
		t.Error("a function became arguments")
	}
}

func TestInvalidArgumentsNeverReachTheHandler(t *testing.T) {
	type in struct {
		City string     `json:"city" jsonschema:"minLength=2"`
		Days int        `json:"days,omitempty"`
		When *time.Time `json:"when,omitempty"`
	}
	reg := registry.New()
	reached := func(context.Context, in) (bool, error) {
		t.Error("reached")
		return true, nil
	}
	if err := registry.Func(reg, "typed", "", reached); err != nil {
		t.Fatal(err)
	}
	err := reg.Add(registry.Tool{
		Name:        "raw",
		InputSchema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string","minLength":2},"days":{"type":"integer"}},"required":["city"]}`),
		Handler: func(context.Context, registry.Args) (any, error) {
			t.Error("reached")
			return nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, arguments := range []string{
		`{}`, ``, `[]`, `null`, `"city"`, `{"city":5}`, `{"city":null}`, `{"city":"x"}`, `{"city":"NYC","days":"3"}`,
		`{"city":"NYC","days":1.5}`, `{"city":"NYC","days":NaN}`, `{"city":"NYC","days":Infinity}`, `{"city":"NYC","dayz":3}`,
		`{"City":"NYC"}`, `{"city":"NYC"`, `{"$":["dict",[[1,2]]]}`, `{"$":["evil",1]}`, "{\"city\":\"\xff\xff\"}",
		strings.Repeat("[", 1000),
	} {
		for _, tool := range []string{"typed", "raw"} {
			if told := failure(t, reg, tool, arguments); told.Kind != registry.KindInvalidArguments || told.Tool != tool {
				t.Errorf("%s(%s): %+v", tool, arguments, told)
			}
		}
	}
	// Valid for the schema, but too large for the Go type.
	for _, arguments := range []string{
		`{"city":"NYC","days":99999999999999999999}`,
		`{"city":"NYC","when":{"$":["datetime","2026-01-02T03:04:05"]}}`,
	} {
		if told := failure(t, reg, "typed", arguments); told.Kind != registry.KindInvalidArguments {
			t.Errorf("%s: %+v", arguments, told)
		}
	}
	if told := failure(t, reg, "typed", `{"city":5}`); !strings.Contains(told.Message, "city") {
		t.Errorf("the message does not name the argument: %s", told.Message)
	}
}

func TestHandlerErrors(t *testing.T) {
	cause := errors.New("disk on fire")
	reg := registry.New()
	reg.Add(registry.Tool{Name: "described"})
	for name, handler := range map[string]registry.Handler{
		"plain": func(context.Context, registry.Args) (any, error) { return 1, cause },
		"denied": func(context.Context, registry.Args) (any, error) {
			return nil, &registry.ToolError{Kind: registry.KindDenied, Message: "read-only", Err: cause}
		},
		"wrapped": func(context.Context, registry.Args) (any, error) {
			return nil, fmt.Errorf("after: %w", &registry.ToolError{Kind: registry.KindLimit, Message: "ten calls"})
		},
		"odd": func(context.Context, registry.Args) (any, error) {
			return nil, &registry.ToolError{Tool: "other", Kind: "odd", Err: cause}
		},
		"silent": func(context.Context, registry.Args) (any, error) { return nil, errors.New("") },
		"binary": func(context.Context, registry.Args) (any, error) { return nil, errors.New("a\xffb") },
		"chatty": func(context.Context, registry.Args) (any, error) { return nil, errors.New(strings.Repeat("é", 1<<20)) },
		"panics": func(context.Context, registry.Args) (any, error) { var m map[string]int; m["a"] = 1; return nil, nil },
		"unsent": func(context.Context, registry.Args) (any, error) {
			return map[string]any{"rows": []any{make(chan int)}}, nil
		},
		"marshal": func(context.Context, registry.Args) (any, error) { return panicking{}, nil },
		"deadline": func(ctx context.Context, _ registry.Args) (any, error) {
			return nil, fmt.Errorf("asking: %w", context.DeadlineExceeded)
		},
	} {
		raw(t, reg, name, handler)
	}
	for _, c := range []struct{ tool, kind, message string }{
		{"plain", registry.KindFailed, "disk on fire"},
		{"denied", registry.KindDenied, "read-only"},
		{"wrapped", registry.KindLimit, "after: ten calls"},
		{"odd", registry.KindFailed, "disk on fire"},
		{"silent", registry.KindFailed, "the tool failed without saying why"},
		{"binary", registry.KindFailed, "a\uFFFDb"},
		{"panics", registry.KindFailed, "the tool crashed: panic: assignment to entry in nil map"},
		{"unsent", registry.KindFailed, "the tool's result cannot be sent: .rows[0]: a Go value of type chan int cannot be sent"},
		{"marshal", registry.KindFailed, "the tool crashed: panic: boom"},
		{"deadline", registry.KindTimeout, "asking: context deadline exceeded"},
		{"described", registry.KindUnavailable, `no implementation is connected to the tool "described"`},
	} {
		told := failure(t, reg, c.tool, `{}`)
		if told.Kind != c.kind || told.Message != c.message || told.Tool != c.tool {
			t.Errorf("%s: got %+v, want %s: %s", c.tool, told, c.kind, c.message)
		}
	}
	if told := failure(t, reg, "chatty", `{}`); len(told.Message) > registry.MaxMessageBytes || !strings.HasSuffix(told.Message, "é ... (cut off)") {
		t.Errorf("a message of %d bytes", len(told.Message))
	}
	if told := failure(t, reg, "denied", `{}`); !errors.Is(told, cause) {
		t.Error("the cause is lost")
	}
	told := failure(t, reg, "panics", `{}`)
	if p, ok := errors.AsType[*registry.PanicError](told); !ok || !strings.Contains(string(p.Stack), "call_test.go") {
		t.Error("the panic's stack is lost")
	}
	if fault.CodeOf(told) != fault.Tool {
		t.Errorf("the module's error code is %s", fault.CodeOf(told))
	}
}

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("boom") }

func TestContextEnds(t *testing.T) {
	reg := registry.New()
	started := make(chan struct{}, 1)
	raw(t, reg, "wait", func(ctx context.Context, _ registry.Args) (any, error) {
		started <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := reg.Call(ctx, "wait", []byte(`{}`))
	if told, ok := errors.AsType[*registry.ToolError](err); !ok || told.Kind != registry.KindTimeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	<-started

	_, err = reg.Call(ctx, "wait", []byte(`{}`))
	if told, ok := errors.AsType[*registry.ToolError](err); !ok || told.Kind != registry.KindTimeout {
		t.Errorf("got %v", err)
	}
	select {
	case <-started:
		t.Error("started after the deadline")
	default:
	}

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = reg.Call(ctx, "wait", []byte(`{}`))
	if told, ok := errors.AsType[*registry.ToolError](err); !ok || told.Kind != registry.KindFailed || told.Message != "the call was cancelled" || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownToolNamesNearOnes(t *testing.T) {
	reg := registry.New()
	if told := failure(t, reg, "x", ``); told.Kind != registry.KindUnknownTool || !strings.Contains(told.Message, "no tools are registered") {
		t.Errorf("got %+v", told)
	}
	for _, name := range []string{"github.get_issue", "github.list_issues", "API-create-a-comment", "weather", "z"} {
		reg.Add(registry.Tool{Name: name})
	}
	for _, c := range []struct{ wrong, want string }{
		{"wether", `did you mean "weather"?`},
		{"Weather", `did you mean "weather"?`},
		{"get_issue", `did you mean "github.get_issue"?`},
		{"gh.weather", `did you mean "weather"?`},
		{"github.list_issue", `did you mean "github.list_issues" or "github.get_issue"?`},
		{"api_create_a_comment", `did you mean "API-create-a-comment"?`},
		{"something else entirely", `there is no tool "something else entirely"`},
		{strings.Repeat("x", 1<<20) + "\xff", `there is no tool "xxx`},
		{"\x00\xff", `there is no tool "\x00\xff"`},
	} {
		told := failure(t, reg, c.wrong, ``)
		if told.Kind != registry.KindUnknownTool || !strings.Contains(told.Message, c.want) || len(told.Message) > 2000 {
			t.Errorf("%.30q: got %+v, want %s", c.wrong, told, c.want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	reg := registry.New()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			name := fmt.Sprintf("tool%d", i)
			registry.Func(reg, name, "", func(context.Context, struct{}) (int, error) { return i, nil })
			for range 50 {
				if got, err := reg.Call(t.Context(), name, nil); err != nil || string(got) != fmt.Sprint(i) {
					t.Errorf("%s gave %s, %v", name, got, err)
				}
				reg.Entries()
			}
		})
	}
	group.Wait()
	if err := reg.Err(); err != nil || len(reg.Entries()) != 8 {
		t.Errorf("%d entries, %v", len(reg.Entries()), err)
	}
}

func BenchmarkCall(b *testing.B) {
	type in struct {
		City string `json:"city"`
		Days int    `json:"days"`
	}
	reg := registry.New()
	registry.Func(reg, "weather", "", func(_ context.Context, v in) (map[string]any, error) {
		return map[string]any{"city": v.City, "temperature": 21.5}, nil
	})
	arguments := []byte(`{"city":"NYC","days":3}`)
	for b.Loop() {
		if _, err := reg.Call(b.Context(), "weather", arguments); err != nil {
			b.Fatal(err)
		}
	}
}
