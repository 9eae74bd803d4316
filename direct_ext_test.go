package codemode_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

// Whoever watches sees what the model does without a program as what its programs do.
func TestDirectCallsAreToldAsThoseOfPrograms(t *testing.T) {
	reg := registry.New()
	registry.Func(reg, "shop.pay", "Pays.", func(ctx context.Context, in struct {
		Sum int `json:"sum"`
	}) (int, error) {
		registry.ReportProgress(ctx, registry.Progress{Done: 1, Total: 2, Message: "half"})
		return in.Sum, nil
	}, registry.Policy{Direct: true, RequireApproval: true})
	var told []string
	write := func(kind string, c *codemode.ToolCall) {
		line := fmt.Sprint(kind, " ", c.Tool, " ", c.Args)
		if kind == "start" { // the arguments are those of the moment at which it is told
			line = "start " + c.Tool
		}
		if c.Progress != nil {
			line += " " + c.Progress.Message
		}
		if c.Approval != nil && kind == "end" {
			line += " " + c.Approval.Decision
		}
		if c.Error != nil {
			line += " " + c.Error.Kind
		}
		told = append(told, line)
	}
	watch := func(e codemode.Event) {
		switch {
		case e.ToolStart != nil:
			write("start", e.ToolStart)
		case e.ToolProgress != nil:
			write("progress", e.ToolProgress)
		case e.ToolEnd != nil:
			write("end", e.ToolEnd)
		}
	}
	cm := open(t, codemode.Options{Registry: reg, OnEvent: watch, Approve: func(_ context.Context, r registry.ApprovalRequest) (registry.Decision, error) {
		if r.Args.Map()["sum"] == int64(9) {
			return registry.Decision{Reason: "too much"}, nil
		}
		return registry.Decision{Allow: true, Args: map[string]any{"sum": 1}}, nil
	}})
	call := func(ctx context.Context, arguments string) {
		t.Helper()
		if _, err := cm.Dispatch(ctx, []codemode.FunctionCall{{Name: "shop_pay", Arguments: arguments}}); err != nil {
			t.Fatal(err)
		}
	}
	call(t.Context(), `{"sum":5}`)
	call(t.Context(), `{"sum":9}`)
	call(t.Context(), `{"sum":"x"}`)
	want := []string{
		"start shop.pay", "progress shop.pay map[sum:1] half", "end shop.pay map[sum:1] edited",
		"start shop.pay", "end shop.pay map[sum:9] denied denied",
		"start shop.pay", "end shop.pay map[sum:x] invalid_arguments",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}

	// A conversation of its own tells its own, of programs too.
	told = nil
	var own []string
	ctx := codemode.WithOnEvent(t.Context(), func(e codemode.Event) {
		if e.ToolEnd != nil {
			own = append(own, e.ToolEnd.Tool)
		}
	})
	call(ctx, `{"sum":5}`)
	if _, err := cm.Execute(ctx, "tools.shop.pay(sum=5)"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"shop.pay", "shop.pay"}, own); diff != "" || len(told) > 0 {
		t.Errorf("told to one conversation %v, to all %v", own, told)
	}
}

// A model that may call a tool of rows gets rows, as far as it can read them.
func TestADirectToolThatGivesRowsGivesTheFirst(t *testing.T) {
	reg := registry.New()
	ended := 0
	rows := func(_ context.Context, in struct {
		N int `json:"n"`
	}) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			defer func() { ended++ }()
			for i := range in.N {
				if i == 3 && in.N == 5 {
					yield("", &registry.ToolError{Message: "the table is locked"})
					return
				}
				if !yield(fmt.Sprint("row ", i), nil) {
					return
				}
			}
		}
	}
	if err := registry.Stream(reg, "rows", "Gives rows.", rows, registry.Policy{Direct: true, ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	cm := open(t, codemode.Options{Registry: reg})
	for n, want := range map[int]string{
		0: "[]", 2: `["row 0","row 1"]`, 5: "ToolError (failed): the table is locked",
		1_000_000_000: "(further rows are left out; a program can read them all)",
	} {
		replies, err := cm.Dispatch(t.Context(), []codemode.FunctionCall{{Name: "rows", Arguments: fmt.Sprintf(`{"n":%d}`, n)}})
		if err != nil || !strings.HasSuffix(replies[0].Text, want) || len(replies[0].Text) > 20_000 {
			t.Errorf("%d rows: %.300q, %v", n, replies, err)
		}
	}
	if ended != 4 {
		t.Errorf("%d of 4 iterators have ended", ended)
	}
}

func TestADirectCallOfAClosedCodemodeIsRefused(t *testing.T) {
	reg := registry.New()
	registry.Func(reg, "one", "", func(context.Context, struct{}) (int, error) { return 1, nil }, registry.Policy{Direct: true})
	cm := open(t, codemode.Options{Registry: reg})
	tools, err := cm.Tools()
	if err != nil {
		t.Fatal(err)
	}
	if err := cm.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := tools[1].Call(t.Context(), "{}"); codemode.CodeOf(err) != codemode.CodeUnavailable {
		t.Errorf("it gave %q, %v", text, err)
	}
}
