package codemode_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

type tenantKey struct{}

// A poet is an agent.
type poet struct{}

func (poet) Run(_ context.Context, input string) (string, error) { return "Ode to " + input, nil }

// start makes a Codemode for one test, as the options say.
func start(t *testing.T, o codemode.Options) *codemode.Codemode {
	t.Helper()
	if o.Config == nil {
		o.Config = onCommonExecutor()
	}
	cm, err := codemode.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cm.Close(); err != nil {
			t.Error(err)
		}
	})
	return cm
}

// policyTools are tools with policies, and an agent.
func policyTools() *registry.Registry {
	type order struct {
		ID    int    `json:"id"`
		Notes string `json:"notes,omitempty"`
	}
	reg := registry.New()
	give := func(_ context.Context, in order) (order, error) { return in, nil }
	registry.Func(reg, "shop.order", "Orders.", give, registry.Policy{RequireApproval: true, Destructive: true})
	registry.Func(reg, "shop.look-up", "Looks an order up.", give, registry.Policy{Direct: true, ReadOnly: true, CallsPerRun: 2})
	registry.Func(reg, "shop.secret_sale", "Sells secretly.", give, registry.Policy{Hidden: true})
	registry.Func(reg, "tenant", "Says who is served.", func(ctx context.Context, _ struct{}) (int, error) {
		tenant, _ := ctx.Value(tenantKey{}).(string)
		return len(tenant), nil
	})
	registry.AddAgent(reg, "poet", "Writes poems.", poet{})
	registry.AddAgent(reg, "ghost-writer", "Writes for others.", poet{})
	return reg
}

func TestAgentsAreCalledFromPrograms(t *testing.T) {
	cm := start(t, codemode.Options{Registry: policyTools()})
	got := run(t, cm, `
import asyncio
missing = []
for ask in (lambda: agents.pot, lambda: agents["pot"]):
    try:
        ask()
    except ToolError as e:
        missing.append(str(e))
[
    agents.poet("rain"), agents.poet(input="snow"), agents["poet"].run("fog"), agents["ghost-writer"].run("hail"),
    agents.ghost_writer("wind"), tools.agents.poet("sun"), await agents.poet.arun("mist"),
    list(agents), "poet" in agents, len(agents), dir(agents), repr(agents), missing,
]`)
	want := []any{
		"Ode to rain", "Ode to snow", "Ode to fog", "Ode to hail", "Ode to wind", "Ode to sun", "Ode to mist",
		[]any{"ghost-writer", "poet"}, true, int64(2), []any{"ghost_writer", "poet"}, "<agents: ghost_writer, poet>",
		[]any{"there is no agent 'pot'; did you mean agents.poet?", "there is no agent 'pot'; did you mean agents.poet?"},
	}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Error(diff)
	}
	if got := run(t, shared, "agents = [1]\nagents[0], len(agents)"); fmt.Sprint(got.Value) != "[1 1]" {
		t.Errorf("a program's own name agents: %v", got.Value)
	}
	got = run(t, shared, "try:\n  agents.poet\nexcept ToolError as e:\n  result = str(e)")
	if got.Value != "there is no agent 'poet'; no agents are registered" {
		t.Errorf("without agents: %v", got.Value)
	}
}

func TestDirectToolsAreOfferedAndHiddenOnesAreNot(t *testing.T) {
	cm := start(t, codemode.Options{Registry: policyTools(), Middleware: []func(registry.Handler) registry.Handler{
		func(next registry.Handler) registry.Handler {
			return func(ctx context.Context, args registry.Args) (any, error) {
				if args.Map()["id"] == int64(13) {
					return nil, &registry.ToolError{Kind: registry.KindDenied, Message: "not this one"}
				}
				return next(ctx, args)
			}
		},
	}})
	tools, err := cm.Tools()
	if err != nil {
		t.Fatal(err)
	}
	if len(tools) != 2 || tools[0].Name != codemode.DefaultToolName || tools[1].Name != "shop_look-up" || tools[1].Description != "Looks an order up." {
		t.Fatalf("got %+v", tools)
	}
	if strings.Contains(tools[0].Description, "secret_sale") {
		t.Error("the description shows a hidden tool")
	}
	if stubs, err := cm.Stubs(); err != nil || strings.Contains(stubs, "secret_sale") || !strings.Contains(stubs, "look_up") {
		t.Errorf("stubs: %v\n%s", err, stubs)
	}
	if got := run(t, cm, `tools.shop.secret_sale(id=1)["id"]`); got.Value != int64(1) {
		t.Errorf("a hidden tool gave %v", got.Value)
	}
	var schema struct {
		Required []string `json:"required"`
	}
	if err := json.Unmarshal(tools[1].Parameters, &schema); err != nil || len(schema.Required) != 1 {
		t.Errorf("parameters %s: %v", tools[1].Parameters, err)
	}
	for arguments, want := range map[string]string{
		`{"id": 7}`:                         `{"id":7}`,
		`{"id": 7, "notes": "\u00e9"}`:      `{"id":7,"notes":"é"}`,
		`{}`:                                "ToolError (invalid_arguments): ",
		``:                                  "ToolError (invalid_arguments): ",
		`{"id": "seven"}`:                   "ToolError (invalid_arguments): ",
		`{"id": 7, "notes": {"$":["b",1]}}`: "ToolError (invalid_arguments): ",
		`{"id": 7`:                          "ToolError (invalid_arguments): the arguments are not JSON",
		`[7]`:                               "ToolError (invalid_arguments): ",
		`{"id": 13}`:                        "ToolError (denied): not this one",
	} {
		got, err := tools[1].Call(t.Context(), arguments)
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s gave %q, %v", arguments, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := tools[1].Call(ctx, `{"id":7}`); codemode.CodeOf(err) != codemode.CodeCancelled {
		t.Errorf("a cancelled call gave %q, %v", got, err)
	}
	for _, name := range []string{"shop_look-up", strings.Repeat("x", 70), strings.Repeat("x", 71), "codemode"} {
		registry.Func(cm.Registry(), name, "", func(context.Context, struct{}) (int, error) { return 0, nil }, registry.Policy{Direct: true})
		_, err := cm.Tools()
		if clash := name != strings.Repeat("x", 70); clash != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), "calls_ext_test.go:") && name != "codemode" {
				t.Errorf("the error does not say where: %v", err)
			}
			cm.Registry().Remove(name)
		}
	}
}

func TestWhatTheContextHoldsReachesTheToolAndNotTheProgram(t *testing.T) {
	var seen atomic.Value
	cm := start(t, codemode.Options{Registry: policyTools(), Middleware: []func(registry.Handler) registry.Handler{
		func(next registry.Handler) registry.Handler {
			return func(ctx context.Context, args registry.Args) (any, error) {
				seen.Store(fmt.Sprint(registry.EntryFromContext(ctx).Name(), " for ", ctx.Value(tenantKey{})))
				return next(ctx, args)
			}
		},
	}})
	const first, second = "tenant-acme-", "8b1f6c"
	ctx := context.WithValue(t.Context(), tenantKey{}, first+second)
	// The program knows both halves, and looks for one behind the other in all its memory.
	result, err := cm.Execute(ctx, `
length = tools.tenant()
first, second = b"`+first+`", b"`+second+`"
looked, found = 0, 0
import gc, os, re, sys
def look(data):
    global looked, found
    looked += len(data)
    at = data.find(first)
    while at >= 0:
        found += data[at + len(first) : at + len(first) + len(second)] == second
        at = data.find(first, at + 1)
def scan():
    global found
    found = 0
    for name, value in os.environ.items():
        look(f"{name}={value}".encode())
    look(" ".join(sys.argv).encode())
    gc.unfreeze()
    for thing in gc.get_objects():
        for part in gc.get_referents(thing):
            if isinstance(part, str):
                look(part.encode("utf-8", "replace"))
            elif isinstance(part, bytes):
                look(part)
    try:
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                begin, end = (int(n, 16) for n in line.split()[0].split("-"))
                if line.split()[1].startswith("r") and end - begin < 1 << 26:
                    try:
                        memory.seek(begin)
                        look(memory.read(end - begin))
                    except (OSError, ValueError):
                        pass
    except OSError:
        pass
    return found
nothing = scan()
control = {"here": first.decode() + second.decode()}
length, looked > 100000, nothing, scan() > 0`)
	if err != nil || result.Status != codemode.StatusOK {
		t.Fatalf("%v\n%s", err, result.Text())
	}
	if diff := cmp.Diff([]any{int64(len(first + second)), true, int64(0), true}, result.Value); diff != "" {
		t.Errorf("(length, looked, found, found when it is there): %s", diff)
	}
	if got := seen.Load(); got != "tenant for "+first+second {
		t.Errorf("the middleware saw %v", got)
	}
}

func TestAnApprovalIsAskedForWhileOtherCallsGoOn(t *testing.T) {
	asked, answered := make(chan struct{}), make(chan struct{})
	cm := start(t, codemode.Options{Registry: policyTools(), Approve: func(_ context.Context, r registry.ApprovalRequest) (registry.Decision, error) {
		switch id := r.Args.Map()["id"]; id {
		case int64(1):
			close(asked)
			<-answered
			return registry.Decision{Allow: true}, nil
		case int64(2):
			<-asked
			close(answered)
			return registry.Decision{Reason: "too many"}, nil
		case int64(3):
			return registry.Decision{Allow: true, Args: map[string]any{"id": 30}}, nil
		default:
			return registry.Decision{}, errors.New("no line")
		}
	}})
	got := run(t, cm, `
import asyncio
async def order(id):
    try:
        return (await tools.shop.order.arun(id=id))["id"]
    except ToolError as e:
        return f"{e.kind}: {e}"
await asyncio.gather(*[order(id) for id in (1, 2, 3, 4)])`)
	want := []any{int64(1), "denied: the call was not approved: too many", int64(30), "denied: nobody could be asked whether the call may be made: no line"}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Error(diff)
	}
	var records []string
	for _, call := range got.ToolCalls {
		records = append(records, fmt.Sprintf("%v %+v", call.Args, *call.Approval))
	}
	slices.Sort(records)
	if diff := cmp.Diff([]string{
		"map[id:1] {Decision:approved Reason: Args:<nil>}",
		"map[id:2] {Decision:denied Reason:too many Args:<nil>}",
		"map[id:30] {Decision:edited Reason: Args:map[id:3]}",
		"map[id:4] {Decision:denied Reason:nobody could be asked whether the call may be made: no line Args:<nil>}",
	}, records); diff != "" {
		t.Errorf("the records: %s", diff)
	}
	if text, err := json.Marshal(got); err != nil || !strings.Contains(string(text), `"args":{"id":30},"result":{"id":30},"approval":{"decision":"edited","program_args":{"id":3}}`) {
		t.Errorf("as JSON: %v, %s", err, text)
	}
	nobody := start(t, codemode.Options{Registry: policyTools()})
	got = run(t, nobody, "try:\n  tools.shop.order(id=1)\nexcept ToolError as e:\n  result = f'{e.kind}: {e}'")
	if got.Value != "denied: this tool needs a person's approval, and nobody can be asked here" {
		t.Errorf("without Approve: %v", got.Value)
	}
}

func TestCallsPerRunAreCountedAnewInEachRun(t *testing.T) {
	cm := start(t, codemode.Options{Registry: policyTools()})
	for range 2 {
		got := run(t, cm, `
kinds = []
for _ in range(3):
    try:
        kinds.append(tools.shop.look_up(id=1)["id"])
    except ToolError as e:
        kinds.append(e.kind)
kinds`)
		if diff := cmp.Diff([]any{int64(1), int64(1), "limit"}, got.Value); diff != "" {
			t.Error(diff)
		}
	}
}

// The wait is longer than the run's time.
func TestAWaitForApprovalDoesNotEatTheRunsTime(t *testing.T) {
	for _, c := range []struct {
		name    string
		allowed time.Duration
		want    codemode.Status
	}{
		{"as far as the executor allows", time.Hour, codemode.StatusOK},
		{"no further", time.Millisecond, codemode.StatusTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			waittest.Longer(t, 500*time.Millisecond, func(limit time.Duration) error {
				wait := limit + limit/4
				cfg := config.Default()
				cfg.Executor.Limits.CodeTimeout, cfg.Executor.Timeout = limit, limit+wait/2
				cfg.Executor.Limits.ApprovalWait = c.allowed
				cm := start(t, codemode.Options{Registry: policyTools(), Config: cfg, Approve: func(ctx context.Context, _ registry.ApprovalRequest) (registry.Decision, error) {
					select {
					case <-time.After(wait):
					case <-ctx.Done():
					}
					return registry.Decision{Allow: true}, nil
				}})
				result, err := cm.Execute(t.Context(), `tools.shop.order(id=1)["id"]`)
				if err != nil {
					return err
				}
				if result.Status != c.want || len(result.ToolCalls) != 1 {
					return fmt.Errorf("%s, after %v: %s", result.Status, result.Usage.Wall, result.Text())
				}
				return nil
			})
		})
	}
}
