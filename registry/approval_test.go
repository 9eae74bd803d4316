package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/registry"
)

func TestApprovals(t *testing.T) {
	type edited struct {
		N any `json:"n"`
	}
	for _, c := range []struct {
		name    string
		approve func(context.Context, registry.ApprovalRequest) (registry.Decision, error)
		want    string // the result, or kind and message of the error
	}{
		{name: "nobody", want: "denied: this tool needs a person's approval, and nobody can be asked here"},
		{name: "yes", want: "7", approve: func(_ context.Context, r registry.ApprovalRequest) (registry.Decision, error) {
			return registry.Decision{Allow: r.Tool.Name() == "a" && r.Args.Map()["n"] == int64(7)}, nil
		}},
		{name: "no", want: "denied: the call was not approved: seven is too many", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			return registry.Decision{Reason: "seven is too many", Args: edited{1}}, nil
		}},
		{name: "the zero value", want: "denied: the call was not approved", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			return registry.Decision{}, nil
		}},
		{name: "edited", want: "5", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			return registry.Decision{Allow: true, Args: edited{5}}, nil
		}},
		{name: "edited badly", want: "denied: the call was approved with other arguments, which do not fit: n: ", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			return registry.Decision{Allow: true, Args: edited{"five"}}, nil
		}},
		{name: "edited to what is none", want: "denied: the call was approved with other arguments, which do not fit: ", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			return registry.Decision{Allow: true, Args: 5}, nil
		}},
		{name: "broken", want: "denied: nobody could be asked whether the call may be made: no line", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			return registry.Decision{Allow: true}, errors.New("no line")
		}},
		{name: "a panic", want: "denied: nobody could be asked whether the call may be made: what asks crashed: boom", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			panic("boom")
		}},
		{name: "silence", want: "denied: nobody answered within 5m0s whether the call may be made", approve: func(ctx context.Context, _ registry.ApprovalRequest) (registry.Decision, error) {
			<-ctx.Done()
			return registry.Decision{Allow: true}, ctx.Err()
		}},
		{name: "deafness", want: "denied: nobody answered within 5m0s whether the call may be made", approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			time.Sleep(time.Hour)
			return registry.Decision{Allow: true}, nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ran := false
				// Half a second is less than an approval takes.
				reg := withPolicy(t, "a", registry.Policy{RequireApproval: true, Timeout: time.Second / 2}, func(_ context.Context, args registry.Args) (any, error) {
					ran = true
					return args.Map()["n"], nil
				})
				var holds []bool
				var decided []registry.Approval
				var approve func(context.Context, registry.ApprovalRequest) (registry.Decision, error)
				if c.approve != nil {
					approve = func(ctx context.Context, r registry.ApprovalRequest) (registry.Decision, error) {
						time.Sleep(time.Second)
						return c.approve(ctx, r)
					}
				}
				result, err := reg.NewRun(registry.RunOptions{Approve: approve}).Call(t.Context(), "a", []byte(`{"n":7}`), &registry.Observer{
					Held:     func(held bool) { holds = append(holds, held) },
					Approval: func(a registry.Approval) { decided = append(decided, a) },
				})
				got := string(result)
				if told, ok := errors.AsType[*registry.ToolError](err); ok {
					got = told.Kind + ": " + told.Message
				}
				if got != c.want && (!strings.HasSuffix(c.want, ": ") || !strings.HasPrefix(got, c.want)) {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				if ran != (err == nil) {
					t.Errorf("the handler ran: %v", ran)
				}
				want := []bool{true, false}
				if c.approve == nil {
					want = nil
				}
				if diff := cmp.Diff(want, holds); diff != "" {
					t.Errorf("holds: %s", diff)
				}
				decision := registry.Approval{Decision: registry.Denied}
				switch {
				case err == nil && got == "5":
					decision = registry.Approval{Decision: registry.Edited, Args: []byte(`{"n":5}`)}
				case err == nil:
					decision.Decision = registry.Approved
				case len(decided) == 1: // the reason is the error's, without what the decision says
					decision.Reason = decided[0].Reason
					if !strings.HasSuffix(strings.TrimPrefix(got, "denied: "), decision.Reason) {
						t.Errorf("the reason is %q", decision.Reason)
					}
				}
				if diff := cmp.Diff([]registry.Approval{decision}, decided); diff != "" {
					t.Errorf("decisions: %s", diff)
				}
				if err := reg.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAnApprovalEndsWithTheRun(t *testing.T) {
	reg := withPolicy(t, "a", registry.Policy{RequireApproval: true}, func(context.Context, registry.Args) (any, error) {
		t.Error("the tool ran")
		return nil, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := reg.NewRun(registry.RunOptions{Approve: func(ctx context.Context, _ registry.ApprovalRequest) (registry.Decision, error) {
		cancel()
		<-ctx.Done()
		return registry.Decision{Allow: true}, nil
	}}).Call(ctx, "a", []byte(`{"n":7}`), nil)
	if err == nil || !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("got %v", err)
	}
	if err := reg.Close(); err != nil {
		t.Error(err)
	}
}

func TestMiddlewareStandsAroundEveryCall(t *testing.T) {
	var diary []string
	note := func(name string) func(registry.Handler) registry.Handler {
		return func(next registry.Handler) registry.Handler {
			return func(ctx context.Context, args registry.Args) (any, error) {
				diary = append(diary, fmt.Sprintf("%s before %s %v", name, registry.EntryFromContext(ctx).Name(), args.Map()["n"]))
				v, err := next(ctx, args)
				diary = append(diary, fmt.Sprintf("%s after %v %v", name, v, err))
				return v, err
			}
		}
	}
	reg := withPolicy(t, "a", registry.Policy{RequireApproval: true}, func(ctx context.Context, args registry.Args) (any, error) {
		diary = append(diary, fmt.Sprintf("the tool %s", registry.EntryFromContext(ctx).Name()))
		return args.Map()["n"], nil
	})
	run := reg.NewRun(registry.RunOptions{
		Middleware: []func(registry.Handler) registry.Handler{note("outer"), note("inner")},
		Approve: func(context.Context, registry.ApprovalRequest) (registry.Decision, error) {
			diary = append(diary, "approval")
			return registry.Decision{Allow: true}, nil
		},
	})
	if got, err := run.Call(t.Context(), "a", []byte(`{"n":7}`), nil); string(got) != "7" {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := run.Call(t.Context(), "a", []byte(`{}`), nil); err == nil {
		t.Error("invalid arguments are accepted")
	}
	if diff := cmp.Diff([]string{
		"outer before a 7", "inner before a 7", "approval", "the tool a", "inner after 7 <nil>", "outer after 7 <nil>",
	}, diary); diff != "" {
		t.Error(diff)
	}
	if registry.EntryFromContext(t.Context()) != nil {
		t.Error("a tool is being called outside of calls")
	}
}

func TestMiddlewareCannotBringInvalidArgumentsToATool(t *testing.T) {
	reg := withPolicy(t, "a", registry.Policy{}, func(_ context.Context, args registry.Args) (any, error) {
		return args.Map()["n"], nil
	})
	for _, c := range []struct {
		put  func(registry.Args) (registry.Args, error)
		want string
	}{
		{func(a registry.Args) (registry.Args, error) { a.Map()["n"] = int64(8); return a, nil }, "8"},
		{func(a registry.Args) (registry.Args, error) { a.Map()["n"] = "eight"; return a, nil }, "do not fit: n: "},
		{func(registry.Args) (registry.Args, error) { return registry.NewArgs(map[string]any{"m": 1}) }, "do not fit: "},
		{func(a registry.Args) (registry.Args, error) { return a, errors.New("not you") }, "not you"},
		{func(registry.Args) (registry.Args, error) { panic("boom") }, "the tool crashed: panic: boom"},
	} {
		run := reg.NewRun(registry.RunOptions{Middleware: []func(registry.Handler) registry.Handler{
			func(next registry.Handler) registry.Handler {
				return func(ctx context.Context, args registry.Args) (any, error) {
					args, err := c.put(args)
					if err != nil {
						return nil, err
					}
					return next(ctx, args)
				}
			},
		}})
		got, err := run.Call(t.Context(), "a", []byte(`{"n":7}`), nil)
		if text := fmt.Sprint(string(got), err); !strings.Contains(text, c.want) {
			t.Errorf("got %s, want %s", text, c.want)
		}
	}
}
