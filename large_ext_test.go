package codemode_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

// large has room for values of many megabytes.
func large(t *testing.T) *codemode.Codemode {
	t.Helper()
	cfg := patient()
	cfg.Executor.Limits.ToolValueSize = 16 << 20
	cfg.Executor.Limits.ResultSize = 16 << 20
	cfg.Executor.Limits.Memory = 1 << 30
	reg := registry.New()
	registry.Func(reg, "text", "Gives a text.", func(_ context.Context, in struct {
		Size int `json:"size"`
	}) (string, error) {
		return strings.Repeat("x", in.Size), nil
	})
	registry.Func(reg, "size", "Gives the length of a text.", func(_ context.Context, in struct {
		Text string `json:"text"`
	}) (int, error) {
		return len(in.Text), nil
	})
	streamTools(reg)
	return start(t, codemode.Options{Registry: reg, Config: cfg})
}

func TestValuesOfManyMegabytes(t *testing.T) {
	t.Parallel()
	cm := large(t)
	for _, c := range []struct{ name, code, want string }{
		{"an argument", "tools.size('x' * 12_000_000)", "12000000"},
		{"an argument of a coroutine", "await tools.size.arun('x' * 12_000_000)", "12000000"},
		{"a tool's result", "len(tools.text(12_000_000))", "12000000"},
		{"a row", "[len(r['name']) for r in tools.db.rows(count=2, size=9_000_000)]", "[9000000,9000000]"},
		{"the sizes around one part", "[len(tools.text(n)) - n + tools.size('x' * n) - n for n in range(262100, 262160)] == [0] * 60", "true"},
		{"an argument over the limit", `
try: tools.size('x' * 17_000_000)
except ToolError as e: e = e.kind, 'limit is 16,777,216' in e.message; m = e
m`, `["too_large",true]`},
		{"a tool's result over the limit", `
try: tools.text(17_000_000)
except ToolError as e: m = e.kind, 'limits.tool_value_size' in e.message
m`, `["too_large",true]`},
		{"a row over the limit", `
try: list(tools.db.rows(count=1, size=17_000_000))
except ToolError as e: m = e.kind, 'limits.tool_value_size' in e.message
m`, `["too_large",true]`},
		{"a small call beside a large one is the first to come back", `
import asyncio
order = []
async def call(name, what):
    await what
    order.append(name)
await asyncio.gather(call('large', tools.text.arun(12_000_000)), call('small', tools.size.arun('x')))
order`, `["small","large"]`},
		{"threads send side by side", `
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool: got = list(pool.map(lambda n: tools.size('x' * n), [5_000_000, 1, 3_000_000, 2]))
got`, "[5000000,1,3000000,2]"},
		{"more results than the sockets hold, before any is read", `
import asyncio
got = await asyncio.gather(*[tools.text.arun(20_000) for _ in range(900)])
sum(map(len, got))`, "18000000"},
		{"more refusals than the sockets hold, before any is read", `
import asyncio
got = await asyncio.gather(*[tools.size.arun('x') for _ in range(5000)], return_exceptions=True)
sum(isinstance(e, ToolError) for e in got)`, "4000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t, cm, c.code).Text(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("the result", func(t *testing.T) {
		if got, _ := run(t, cm, "['x' * 12_000_000, 1]").Value.([]any); len(got) != 2 || len(got[0].(string)) != 12_000_000 {
			t.Errorf("got %T of %d", got, len(got))
		}
	})
	t.Run("a result over the limit", func(t *testing.T) {
		result, err := cm.Execute(t.Context(), "'x' * 17_000_000")
		if err != nil || result.Status != codemode.StatusError || !strings.Contains(result.Error.Message, "limit is 16,777,216") {
			t.Errorf("%v, %s", err, result.Text())
		}
	})
	t.Run("the record does not keep them all", func(t *testing.T) {
		result := run(t, cm, "for _ in range(7): tools.text(12_000_000)")
		var omitted []bool
		for _, call := range result.ToolCalls {
			omitted = append(omitted, call.Omitted)
		}
		if fmt.Sprint(omitted) != "[false false false false false true true]" || result.ToolCalls[6].Result != nil {
			t.Errorf("omitted: %v", omitted)
		}
	})
}

func TestAReaderOfEventsThatStopsStallsNobody(t *testing.T) {
	cm := streaming(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopped := make(chan struct{})
	resume := make(chan struct{})
	told := 0
	var text strings.Builder
	go func() {
		<-stopped
		for n, _ := ends.Load("stopped reader"); n == nil; n, _ = ends.Load("stopped reader") {
			time.Sleep(time.Millisecond)
		}
		close(resume)
	}()
	result, err := cm.ExecuteRequest(ctx, codemode.Request{
		Code: `
print('begin', flush=True)
for i in range(300): tools.echo(i); print('x' * 1000)
sum(1 for r in tools.db.rows(count=20000, watch='stopped reader'))`,
		OnEvent: func(e codemode.Event) {
			told++
			text.WriteString(e.Stdout)
			if told == 1 {
				close(stopped)
				<-resume // until the program has called its last tool
			}
		},
	})
	if err != nil || result.Text() == "" || result.Status != codemode.StatusOK {
		t.Fatalf("%v, %s", err, result.Text())
	}
	if text.String() != result.Stdout {
		t.Errorf("%d bytes were told of %d", text.Len(), len(result.Stdout))
	}
	if told < 600 {
		t.Errorf("%d events were told", told)
	}
}

func TestEventsTellHowManyRowsHaveGone(t *testing.T) {
	cm := streaming(t)
	var seen []int
	result, err := cm.ExecuteRequest(t.Context(), codemode.Request{
		Code: "print('é' * 50000)\nsum(1 for r in tools.db.rows(count=50000, size=20))",
		OnEvent: func(e codemode.Event) {
			if strings.Contains(e.Stdout, "\uFFFD") {
				t.Error("a character was cut in two")
			}
			if p := e.ToolProgress; p != nil {
				seen = append(seen, p.Rows)
			}
			if e.ToolEnd != nil {
				seen = append(seen, -e.ToolEnd.Rows)
			}
		},
	})
	if err != nil || result.Status != codemode.StatusOK {
		t.Fatalf("%v, %s", err, result.Text())
	}
	if len(seen) < 3 || seen[0] == 0 || seen[0] > 10000 || seen[len(seen)-1] != -50000 {
		t.Errorf("told: %v", seen)
	}
}
