package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// withPolicy registers a handler that takes anything.
func withPolicy(t *testing.T, name string, p registry.Policy, handler registry.Handler) *registry.Registry {
	t.Helper()
	reg := registry.New()
	err := reg.Add(registry.Tool{
		Name: name, InputSchema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}`),
		Handler: handler, Policy: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func TestPoliciesThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		policy registry.Policy
		want   string
	}{
		{registry.Policy{Retries: 1}, "would repeat what the tool does"},
		{registry.Policy{Retries: 11, Idempotent: true}, "the limit is 10"},
		{registry.Policy{Timeout: -1}, "negative"},
		{registry.Policy{ReadOnly: true, Destructive: true}, "both ReadOnly and Destructive"},
		{registry.Policy{Direct: true, Hidden: true}, "both Direct and Hidden"},
	} {
		reg := registry.New()
		err := registry.Func(reg, "a", "", func(context.Context, struct{}) (int, error) { return 0, nil }, c.policy)
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `tool "a" from`) {
			t.Errorf("%+v: got %v", c.policy, err)
		}
		reg = registry.New()
		reg.Add(registry.Tool{Name: "a"})
		bad := func(*registry.Entry, registry.Policy) registry.Policy { return c.policy }
		if err := reg.SetPolicies(bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("SetPolicies: %+v: got %v", c.policy, err)
		}
		if e, _ := reg.Lookup("a"); e.Policy() != (registry.Policy{}) {
			t.Errorf("SetPolicies failed and set %+v", e.Policy())
		}
	}
	reg := registry.New()
	if err := registry.Func(reg, "a", "", func(context.Context, struct{}) (int, error) { return 0, nil }, registry.Policy{}, registry.Policy{}); err == nil {
		t.Error("two policies are accepted")
	}
}

func TestTheApplicationHasTheLastWordAboutPolicies(t *testing.T) {
	reg := registry.New()
	reg.Add(registry.Tool{Name: "early", Policy: registry.Policy{Destructive: true}})
	if err := reg.SetPolicies(func(e *registry.Entry, p registry.Policy) registry.Policy {
		p.RequireApproval = p.Destructive
		p.Hidden = e.Name() == "late"
		return p
	}); err != nil {
		t.Fatal(err)
	}
	s := &source{name: "s", diary: new([]string)}
	if err := reg.Replace(s, registry.Tool{Name: "late", Policy: registry.Policy{Destructive: true}}); err != nil {
		t.Fatal(err)
	}
	got := map[string]registry.Policy{}
	for _, e := range reg.Entries() {
		got[e.Name()] = e.Policy()
	}
	if diff := cmp.Diff(map[string]registry.Policy{
		"early": {Destructive: true, RequireApproval: true},
		"late":  {Destructive: true, RequireApproval: true, Hidden: true},
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestATimeoutHoldsForAHandlerThatDoesNotNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int32
		reg := withPolicy(t, "slow", registry.Policy{Timeout: time.Second, Idempotent: true, Retries: 3, Concurrency: 1}, func(context.Context, registry.Args) (any, error) {
			attempts.Add(1)
			time.Sleep(time.Minute)
			return "late", nil
		})
		begun := time.Now()
		told := failure(t, reg, "slow", `{"n":1}`)
		if took := time.Since(begun); told.Kind != registry.KindTimeout || told.Message != "the tool took longer than 1s, its limit" || took != time.Second {
			t.Errorf("after %v: %v", took, told)
		}
		if n := attempts.Load(); n != 1 {
			t.Errorf("%d attempts at one time", n)
		}
		// It still has the only place.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := reg.Call(ctx, "slow", []byte(`{"n":1}`)); attempts.Load() != 1 {
			t.Errorf("a second call found a place: %v", err)
		}
		if err := reg.Close(); err != nil { // waits for it
			t.Error(err)
		}
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("Close returned after %v", took)
		}
	})
}

func TestATimeoutIsTheHandlersOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := withPolicy(t, "slow", registry.Policy{Timeout: time.Second}, func(ctx context.Context, args registry.Args) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if told := failure(t, reg, "slow", `{"n":1}`); told.Kind != registry.KindTimeout {
			t.Errorf("got %v", told)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if _, err := reg.Call(ctx, "slow", []byte(`{"n":1}`)); err == nil || strings.Contains(err.Error(), "limit") {
			t.Errorf("the end of the run gives %v", err)
		}
	})
}

func TestOnlyWhatMayPassIsTriedAgain(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name     string
		err      error
		panics   bool
		attempts int32
	}{
		{name: "any error", err: broken, attempts: 3},
		{name: "unavailable", err: &registry.ToolError{Kind: registry.KindUnavailable}, attempts: 3},
		{name: "denied", err: &registry.ToolError{Kind: registry.KindDenied}, attempts: 1},
		{name: "arguments", err: &registry.ToolError{Kind: registry.KindInvalidArguments}, attempts: 1},
		{name: "a panic", panics: true, attempts: 1},
	} {
		for _, timeout := range []time.Duration{0, time.Second} {
			synctest.Test(t, func(t *testing.T) {
				var attempts atomic.Int32
				reg := withPolicy(t, "a", registry.Policy{Idempotent: true, Retries: 2, Timeout: timeout}, func(context.Context, registry.Args) (any, error) {
					attempts.Add(1)
					if c.panics {
						panic("boom")
					}
					return nil, c.err
				})
				begun := time.Now()
				if told := failure(t, reg, "a", `{"n":1}`); !errors.Is(told, c.err) && c.name == "any error" {
					t.Errorf("%s: the cause is lost: %v", c.name, told)
				}
				if got := attempts.Load(); got != c.attempts {
					t.Errorf("%s: %d attempts", c.name, got)
				}
				if took := time.Since(begun); c.attempts == 3 && (took < 150*time.Millisecond || took > 300*time.Millisecond) {
					t.Errorf("%s: the pauses took %v", c.name, took)
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int32
		reg := withPolicy(t, "a", registry.Policy{ReadOnly: true, Retries: 2}, func(context.Context, registry.Args) (any, error) {
			if attempts.Add(1) < 3 {
				return nil, broken
			}
			return "third time", nil
		})
		if got := success(t, reg, "a", `{"n":1}`); got != `"third time"` {
			t.Errorf("got %s", got)
		}
		attempts.Store(-100)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := reg.Call(ctx, "a", []byte(`{"n":1}`)); !errors.Is(err, broken) || attempts.Load() != -99 {
			t.Errorf("after the run's end: %v, %d attempts", err, attempts.Load()+100)
		}
	})
}

func TestCallsPerRunCountsOneProgramsCalls(t *testing.T) {
	reg := withPolicy(t, "a", registry.Policy{CallsPerRun: 2}, func(context.Context, registry.Args) (any, error) { return 1, nil })
	for range 2 {
		run := reg.NewRun(registry.RunOptions{})
		for i, want := range []string{"", "invalid_arguments", "", "limit", "limit"} {
			arguments := `{"n":1}`
			if want == "invalid_arguments" {
				arguments = `{}` // does not count
			}
			_, err := run.Call(t.Context(), "a", []byte(arguments), nil)
			kind := ""
			if told, ok := errors.AsType[*registry.ToolError](err); ok {
				kind = told.Kind
			}
			if kind != want {
				t.Errorf("call %d: %v", i, err)
			}
		}
	}
}

func TestConcurrencyHoldsOverAllRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside, most atomic.Int32
		reg := withPolicy(t, "a", registry.Policy{Concurrency: 2}, func(context.Context, registry.Args) (any, error) {
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(time.Second)
			inside.Add(-1)
			return nil, nil
		})
		begun := time.Now()
		var calls sync.WaitGroup
		for range 6 {
			calls.Go(func() { success(t, reg, "a", `{"n":1}`) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := reg.Call(ctx, "a", []byte(`{"n":1}`)); err == nil {
			t.Error("a call whose run is over waited for its place")
		}
		calls.Wait()
		if took := time.Since(begun); most.Load() != 2 || took != 3*time.Second {
			t.Errorf("%d at once, %v in all", most.Load(), took)
		}
	})
}

func TestAResultOverItsLimitIsAnError(t *testing.T) {
	reg := withPolicy(t, "a", registry.Policy{ResultBytes: 10}, func(_ context.Context, args registry.Args) (any, error) {
		return strings.Repeat("x", int(args.Map()["n"].(int64))), nil
	})
	if got := success(t, reg, "a", `{"n":8}`); got != `"xxxxxxxx"` {
		t.Errorf("got %s", got)
	}
	told := failure(t, reg, "a", `{"n":9}`)
	if told.Kind != registry.KindTooLarge || told.Message != "the result takes 11 bytes; the limit of this tool is 10: ask for less" {
		t.Errorf("got %v", told)
	}
}
