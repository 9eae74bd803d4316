package registry_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/codemode-sdk/codemode/registry"
)

func TestAStreamingToolWithRetriesIsRefused(t *testing.T) {
	none := func(context.Context, struct{}) iter.Seq2[int, error] { return func(func(int, error) bool) {} }
	err := registry.Stream(registry.New(), "rows", "", none, registry.Policy{ReadOnly: true, Retries: 1})
	if err == nil || !strings.Contains(err.Error(), "cannot begin again") {
		t.Errorf("got %v", err)
	}
}

// Rows under a Policy.Timeout come through another goroutine, which must change nothing
// else about them, and must end.
func TestRowsUnderATimeout(t *testing.T) {
	for _, c := range []struct {
		name string
		most int // rows that are read
		tool func(context.Context, func(int, error) bool)
		want string
	}{
		{"to the end", 9, func(_ context.Context, yield func(int, error) bool) { _ = yield(1, nil) && yield(2, nil) }, "1 2"},
		{"none", 9, func(context.Context, func(int, error) bool) {}, ""},
		{"left", 1, func(_ context.Context, yield func(int, error) bool) {
			if yield(1, nil) {
				panic("goes on")
			}
		}, "1"},
		{"a crash", 9, func(_ context.Context, yield func(int, error) bool) { yield(1, nil); panic("boom") }, "1 failed: the tool crashed: panic: boom"},
		{"one that notices", 9, func(ctx context.Context, yield func(int, error) bool) {
			yield(1, nil)
			<-ctx.Done()
			yield(0, ctx.Err())
		}, "1 timeout: the tool took longer than 1s, its limit"},
		{"one that notices and says nothing", 9, func(ctx context.Context, yield func(int, error) bool) {
			yield(1, nil)
			<-ctx.Done()
		}, "1 timeout: the tool took longer than 1s, its limit"},
		{"one that does not notice", 9, func(_ context.Context, yield func(int, error) bool) {
			yield(1, nil)
			time.Sleep(time.Hour)
			if yield(2, nil) {
				panic("goes on")
			}
		}, "1 timeout: the tool took longer than 1s, its limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reg := registry.New()
				err := registry.Stream(reg, "rows", "", func(ctx context.Context, _ struct{}) iter.Seq2[int, error] {
					return func(yield func(int, error) bool) { c.tool(ctx, yield) }
				}, registry.Policy{Timeout: time.Second, Concurrency: 1})
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // the second needs the place of the first
					var got []string
					for row, err := range reg.NewRun(registry.RunOptions{}).Rows(t.Context(), "rows", nil, nil) {
						if err != nil {
							told, _ := errors.AsType[*registry.ToolError](err)
							got = append(got, told.Kind+": "+told.Message)
							break
						}
						if got = append(got, string(row)); len(got) == c.most {
							break
						}
					}
					if text := strings.Join(got, " "); text != c.want {
						t.Errorf("got %s", text)
					}
					if err := reg.Close(); err != nil { // waits
						t.Error(err)
					}
				}
			})
		})
	}
}
