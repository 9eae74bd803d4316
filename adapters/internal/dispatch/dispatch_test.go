package dispatch_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/internal/dispatch"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

func TestAModelInALoopCannotFillTheExecutor(t *testing.T) {
	var now, most atomic.Int32
	reg := registry.New()
	registry.Func(reg, "enter", "Stays a moment.", func(_ context.Context, in struct {
		N int `json:"n"`
	}) (int, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		time.Sleep(30 * time.Millisecond)
		return in.N, nil
	})
	cm, err := codemode.New(codemode.Options{Registry: reg, ToolName: "python"})
	if err != nil {
		t.Fatal(err)
	}
	defer cm.Close()
	calls := make([]dispatch.Call, 5*dispatch.MaxParallel)
	for i := range calls {
		calls[i] = dispatch.Call{Name: "python", Arguments: fmt.Sprintf("tools.enter(n=%d)", i)}
	}
	texts, err := dispatch.All(t.Context(), cm, calls)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if text != fmt.Sprint(i) {
			t.Errorf("call %d was answered with %q", i, text)
		}
	}
	if n := most.Load(); n < 2 || n > dispatch.MaxParallel {
		t.Errorf("at most %d programs ran at once; it has to be 2 to %d", n, dispatch.MaxParallel)
	}
}
