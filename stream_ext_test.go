package codemode_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

type row struct {
	N    int    `json:"n"`
	Name string `json:"name"`
}

type rowsQuery struct {
	Count int    `json:"count,omitempty"`
	Fail  int    `json:"fail,omitempty"`
	Size  int    `json:"size,omitempty"`
	Watch string `json:"watch,omitempty"`
}

// ends tells how the iterators that a program named by Watch came to their end.
var ends sync.Map

// streamTools are rows, which gives count rows and fails at row fail if that is not 0; raw_rows,
// with a schema of its own; and stall, which gives one row and waits for its context.
func streamTools(reg *registry.Registry) {
	registry.Stream(reg, "db.rows", "Gives rows.", func(ctx context.Context, in rowsQuery) iter.Seq2[row, error] {
		return func(yield func(row, error) bool) {
			how := "all read"
			sent := 0
			defer func() {
				if in.Watch != "" {
					ends.Store(in.Watch, fmt.Sprintf("%s, ctx: %v, within %v", how, ctx.Err(), sent < in.Count/2))
				}
			}()
			name := strings.Repeat("x", in.Size)
			for ; sent < in.Count; sent++ {
				if in.Fail > 0 && sent == in.Fail {
					yield(row{}, &registry.ToolError{Kind: registry.KindDenied, Message: "no further"})
					return
				}
				if !yield(row{N: sent, Name: name}, nil) {
					how = "left"
					return
				}
			}
		}
	})
	reg.Add(registry.Tool{
		Name: "raw_rows", InputSchema: []byte(`{"type":"object","properties":{"n":{"type":"integer"}}}`), Streaming: true,
		Handler: func(_ context.Context, args registry.Args) (any, error) {
			n, _ := args.Map()["n"].(int64)
			return func(yield func(any, error) bool) {
				for i := range n {
					if !yield(map[string]any{"i": i, "b": []byte("x")}, nil) {
						return
					}
				}
			}, nil
		},
	})
	registry.Stream(reg, "stall", "Gives one row and waits.", func(ctx context.Context, in rowsQuery) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			if !yield(1, nil) {
				return
			}
			<-ctx.Done()
			ends.Store(in.Watch, "context ended")
			yield(0, ctx.Err())
		}
	})
}

func streaming(t *testing.T) *codemode.Codemode {
	t.Helper()
	reg := registry.New()
	streamTools(reg)
	registry.Func(reg, "echo", "Gives back its argument.", func(_ context.Context, in struct {
		Value any `json:"value"`
	}) (any, error) {
		return in.Value, nil
	})
	return start(t, codemode.Options{Registry: reg})
}

func TestStreamingTools(t *testing.T) {
	cm := streaming(t)
	for _, c := range []struct{ name, code, want string }{
		{"a loop gets every row in its order", `[r['n'] for r in tools.db.rows(count=20000)] == list(range(20000))`, "true"},
		{"so does an asynchronous one", `[r['n'] async for r in tools.db.rows.arun(count=20000)] == list(range(20000))`, "true"},
		{"no rows are an empty loop", `list(tools.db.rows(count=0))`, "[]"},
		{"a raw tool streams too", `list(tools.raw_rows(n=3))`, `[{"b":"eA==","i":0},{"b":"eA==","i":1},{"b":"eA==","i":2}]`},
		{"rows over the window arrive", `[len(r['name']) for r in tools.db.rows(count=3, size=1000000)]`, "[1000000,1000000,1000000]"},
		{"two streams and calls go side by side", `
a, b = tools.db.rows(count=30000, size=50), tools.db.rows(count=30000)
sum(x['n'] == y['n'] == tools.echo(i) if i % 10000 == 0 else 1 for i, (x, y) in enumerate(zip(a, b)))`, "30000"},
		{"threads read streams of their own", `
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    got = list(pool.map(lambda _: sum(1 for r in tools.db.rows(count=5000)), range(4)))
got`, "[5000,5000,5000,5000]"},
		{"tasks read streams of their own", `
import asyncio
async def count(): return len([r async for r in tools.db.rows.arun(count=5000)])
await asyncio.gather(*[count() for _ in range(4)])`, "[5000,5000,5000,5000]"},
		{"an error is raised at its row", `
got = []
try:
    for r in tools.db.rows(count=100, fail=50): got.append(r['n'])
except ToolError as e:
    got = [len(got), e.kind, e.message, e.tool]
got`, `[50,"denied","no further","db.rows"]`},
		{"wrong arguments raise at once", `
try: tools.db.rows(cuont=1)
except ToolArgumentError as e: m = str(e)
m`, "rows() got an unexpected argument 'cuont'; did you mean 'count'?"},
		{"after the end there is nothing", `
r = tools.db.rows(count=1)
[next(r)['n'], next(r, None), next(r, None)]`, "[0,null,null]"},
		{"a closed one gives nothing", `
with tools.db.rows(count=100000) as r: first = next(r)['n']
[first, next(r, None)]`, "[0,null]"},
		{"a length says what to do", `
try: len(tools.db.rows(count=1))
except TypeError as e: m = str(e)
'list()' in m and 'tools.db.rows()' in m`, "true"},
		{"an index says what to do", `
try: tools.db.rows(count=1)[0]
except TypeError as e: m = str(e)
'loop' in m`, "true"},
		{"await says what to do", `
try: await tools.db.rows.arun(count=1)
except TypeError as e: m = str(e)
'async for' in m`, "true"},
		{"for over arun says what to do", `
import asyncio
await asyncio.sleep(0)
try: list(tools.db.rows.arun(count=1))
except TypeError as e: m = str(e)
'async for' in m`, "true"},
		{"more streams than may be open are refused", `
held = [tools.stall() for _ in range(200)]
bad = 0
for h in held:
    try: next(h)
    except ToolError as e: bad += e.kind == 'limit'
[bad, tools.echo(1)]`, "[72,1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := run(t, cm, c.code)
			if got := result.Text(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAStreamEndsInGoWhenPythonStopsReading(t *testing.T) {
	cm := streaming(t)
	for name, code := range map[string]string{
		"break":          "for r in tools.db.rows(count=10000000, watch='break'): break\ntools.echo(1)",
		"close":          "r = tools.db.rows(count=10000000, watch='close'); next(r); r.close()\ntools.echo(1)",
		"let go":         "r = tools.db.rows(count=10000000, watch='let go'); next(r); del r\ntools.echo(1)",
		"async break":    "async for r in tools.db.rows.arun(count=10000000, watch='async break'): break\ntools.echo(1)",
		"an exception":   "try:\n    for r in tools.db.rows(count=10000000, watch='an exception'): 1/0\nexcept ZeroDivisionError: pass",
		"end of the run": "r = tools.db.rows(count=10000000, watch='end of the run'); next(r)",
		"stalled":        "for r in tools.stall(watch='stalled'): break\ntools.echo(1)",
	} {
		t.Run(name, func(t *testing.T) {
			result := run(t, cm, code)
			var how any
			waittest.Until(t, "the iterator does not end", func() (ended bool) {
				how, ended = ends.Load(name)
				return ended
			})
			if text := fmt.Sprint(how); !strings.Contains(text, "within true") && text != "context ended" {
				t.Errorf("the iterator's end: %v", how)
			}
			call := result.ToolCalls[0]
			if !call.Streaming || name != "end of the run" && call.Error != nil {
				t.Errorf("the record says %+v, %+v", call, call.Error)
			}
		})
	}
}

func TestAStreamDoesNotRunAheadOfItsReader(t *testing.T) {
	cm := streaming(t)
	result := run(t, cm, "import time\nr = tools.db.rows(count=10000000, size=1000)\nnext(r)\ntime.sleep(0.3)\nr.close()")
	if n := result.ToolCalls[0].Rows; n == 0 || n > 1000 {
		t.Errorf("%d rows of 1 kB were sent for one that was read", n)
	}
}

func TestCancellingEndsAStream(t *testing.T) {
	cm := streaming(t)
	ctx, cancel := context.WithCancel(t.Context())
	result, err := cm.ExecuteRequest(ctx, codemode.Request{
		Code: "for r in tools.stall(watch='cancel'): print(r, flush=True)",
		OnEvent: func(e codemode.Event) {
			if e.Stdout != "" {
				cancel()
			}
		},
	})
	if codemode.CodeOf(err) != codemode.CodeCancelled || result.ToolCalls[0].Rows != 1 {
		t.Errorf("%v, %+v", err, result.ToolCalls)
	}
	if err := cm.Close(); err != nil { // waits for the tool
		t.Error(err)
	}
	if how, _ := ends.Load("cancel"); how != "context ended" {
		t.Errorf("the iterator's end: %v", how)
	}
}

func TestAStreamThatIgnoresItsContextEndsAtThePolicysTimeout(t *testing.T) {
	waittest.Longer(t, 300*time.Millisecond, func(limit time.Duration) error { return endsAtThePolicysTimeout(t, limit) })
}

func endsAtThePolicysTimeout(t *testing.T, limit time.Duration) error {
	t.Helper()
	reg, end := registry.New(), make(chan struct{})
	returned := make(chan bool, 1)
	registry.Stream(reg, "deaf", "", func(context.Context, struct{}) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			yield(1, nil)
			<-end
			returned <- yield(2, nil)
		}
	}, registry.Policy{Timeout: limit})
	cm := start(t, codemode.Options{Registry: reg})
	result := run(t, cm, `
seen = []
try:
    for row in tools.deaf(): seen.append(row)
except ToolError as e:
    seen.append(f"{e.kind}: {e.message}")
seen`)
	close(end)
	if <-returned {
		t.Error("the iterator was told to go on")
	}
	if got := fmt.Sprint(result.Value); got != fmt.Sprintf("[1 timeout: the tool took longer than %s, its limit]", limit) {
		return fmt.Errorf("the program saw %s", got)
	}
	return nil
}
