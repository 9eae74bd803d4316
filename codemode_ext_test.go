package codemode_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

// clientWithoutExecutor is for what needs no executor: nothing listens there.
var clientWithoutExecutor = config.ClientConfig{ExecutorURL: "unix:///nonexistent/codemode.sock", ExecutorAPIKey: config.NewSecret("key")}

// open makes a Codemode of a test's own, in the mode that is tested.
func open(t *testing.T, options codemode.Options) *codemode.Codemode {
	t.Helper()
	return start(t, inMode(options))
}

func TestNewReportsWhatWasWrongInTheRegistry(t *testing.T) {
	reg := registry.New()
	for range 2 {
		registry.Func(reg, "twice", "", func(context.Context, pair) (int, error) { return 0, nil })
	}
	registry.Func(reg, "", "", func(context.Context, pair) (int, error) { return 0, nil })
	_, err := codemode.New(codemode.Options{Registry: reg})
	if codemode.CodeOf(err) != codemode.CodeInvalid || !strings.Contains(err.Error(), `"twice"`) ||
		!strings.Contains(err.Error(), "codemode_ext_test.go:") || !strings.Contains(err.Error(), "needs a name") {
		t.Errorf("New gave the error %v", err)
	}
	if _, err := codemode.New(codemode.Options{ToolName: "run python!"}); codemode.CodeOf(err) != codemode.CodeInvalid {
		t.Errorf("a name that no provider takes gave the error %v", err)
	}
}

func TestAnExecutorThatIsNotThereIsUnavailable(t *testing.T) {
	cm, err := codemode.FromClientConfig(clientWithoutExecutor)
	if err != nil {
		t.Fatal(err)
	}
	defer cm.Close()
	result, err := cm.Execute(t.Context(), "1")
	var failure *codemode.Error
	if !errors.As(err, &failure) || failure.Code != codemode.CodeUnavailable || failure.Started || failure.Remedy == "" {
		t.Errorf("Execute gave the error %#v", err)
	}
	if result.Status != codemode.StatusRejected {
		t.Errorf("the status is %s", result.Status)
	}
	if text, err := cm.Call(t.Context(), "1"); text != "" || err == nil {
		t.Errorf("Call gave %q, %v", text, err)
	}
}

func TestCancellingEndsTheProgramAndItsTools(t *testing.T) {
	for name, code := range map[string]string{
		"in a tool":         "tools.wait()",
		"in parallel tools": "import asyncio\nawait asyncio.gather(*[tools.wait.arun() for _ in range(5)])",
		"in a loop":         "tools.add(a=1)\nwhile True: pass",
		"catching all":      "while True:\n    try:\n        tools.wait()\n    except BaseException:\n        pass",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			called := make(chan struct{})
			var once sync.Once
			go func() {
				<-called
				time.Sleep(50 * time.Millisecond) // so that most are in the middle of it
				cancel()
			}()
			result, err := shared.ExecuteRequest(ctx, codemode.Request{Code: code, OnEvent: func(e codemode.Event) {
				if e.ToolStart != nil {
					once.Do(func() { close(called) })
				}
			}})
			var failure *codemode.Error
			if !errors.As(err, &failure) || failure.Code != codemode.CodeCancelled || !failure.Started || !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
			if result.Status != codemode.StatusCancelled || len(result.ToolCalls) == 0 {
				t.Errorf("the result is %s with %d calls", result.Status, len(result.ToolCalls))
			}
			waittest.Until(t, "tools are still running", func() bool { return waiting.Load() == 0 })
		})
	}
	run(t, shared, "tools.add(a=1)") // nothing is left behind
}

func TestToolsEndWhenTheRunDoes(t *testing.T) {
	waittest.Longer(t, 200*time.Millisecond, func(limit time.Duration) error {
		result, err := shared.ExecuteRequest(t.Context(), codemode.Request{Code: "tools.wait()", Limits: codemode.Limits{Timeout: limit}})
		if err != nil || result.Status != codemode.StatusTimeout {
			t.Fatalf("%v, %v", result.Status, err)
		}
		// The call goes on until the end of the run's time.
		if len(result.ToolCalls) != 1 || result.ToolCalls[0].Error == nil || result.ToolCalls[0].Duration <= 0 ||
			result.ToolCalls[0].Start+result.ToolCalls[0].Duration < limit/2 {
			return fmt.Errorf("the calls are recorded as %+v", result.ToolCalls)
		}
		return nil
	})
	// A call that the program does not wait for.
	waittest.Until(t, "tools outlive their runs", func() bool { return waiting.Load() == 0 })
	result := run(t, shared, `
import asyncio
f = asyncio.ensure_future(tools.wait.arun())
while not await tools.waiting.arun():
    await asyncio.sleep(0.01)
'done'`)
	left := slices.IndexFunc(result.ToolCalls, func(c codemode.ToolCall) bool { return c.Tool == "wait" })
	if result.Value != "done" || left < 0 || result.ToolCalls[left].Error == nil || result.ToolCalls[left].Error.Kind != "cancelled" {
		t.Errorf("the result is %v, the calls %+v", result.Value, result.ToolCalls)
	}
	waittest.Until(t, "tools outlive their runs", func() bool { return waiting.Load() == 0 })
}

func TestEventsComeInTheirOrder(t *testing.T) {
	var got []string
	var stdout, stderr string // travel on pipes of their own, beside the calls
	result, err := shared.ExecuteRequest(t.Context(), codemode.Request{
		Code: `
import asyncio, sys
print("a", flush=True)
tools.add(a=1)
print("b", flush=True)
try:
    tools.fail(kind="denied")
except ToolError:
    print("c", file=sys.stderr, flush=True)
await asyncio.gather(*[tools.echo.arun(value=i) for i in range(8)])
`,
		OnEvent: func(e codemode.Event) {
			switch {
			case e.ToolStart != nil:
				got = append(got, fmt.Sprint("start ", e.ToolStart.Tool, " ", e.ToolStart.Args))
			case e.ToolEnd != nil && e.ToolEnd.Error != nil:
				got = append(got, fmt.Sprint("failed ", e.ToolEnd.Tool, " ", e.ToolEnd.Error.Kind))
			case e.ToolEnd != nil:
				got = append(got, fmt.Sprint("end ", e.ToolEnd.Tool, " ", e.ToolEnd.Result))
			default:
				stdout += e.Stdout
				stderr += e.Stderr
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if stdout != "a\nb\n" || stderr != "c\n" || stdout != result.Stdout || stderr != result.Stderr {
		t.Errorf("the output came as %q and %q", stdout, stderr)
	}
	want := []string{"start add map[a:1]", "end add 1", "start fail map[kind:denied]", "failed fail denied"}
	if len(got) != len(want)+16 {
		t.Fatalf("%d events: %q", len(got), got)
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	var starts []string
	ended := map[string]bool{}
	for _, event := range got[len(want):] {
		if strings.HasPrefix(event, "start") {
			starts = append(starts, event)
			continue
		}
		number := strings.TrimPrefix(event, "end echo ")
		if i := len(starts); ended[number] || i == 0 || !strings.Contains(strings.Join(starts, ","), "value:"+number+"]") {
			t.Errorf("%q before its start, or twice", event)
		}
		ended[number] = true
	}
	for i, start := range starts {
		if want := fmt.Sprintf("start echo map[value:%d]", i); start != want {
			t.Errorf("start number %d is %q, want %q", i, start, want)
		}
	}
}

func TestConcurrentRunsDoNotMix(t *testing.T) {
	var group sync.WaitGroup
	errs := make([]error, 32)
	for i := range errs {
		group.Go(func() {
			result, err := shared.Execute(t.Context(), fmt.Sprintf(`
import asyncio
me = %d
print("I am", me)
sums = await asyncio.gather(*[tools.add.arun(a=me, b=j) for j in range(10)])
[me, sum(sums), tools.echo(value=me)]`, i))
			want := []any{int64(i), int64(i*10 + 45), int64(i)}
			switch {
			case err != nil:
				errs[i] = err
			case !cmp.Equal(want, result.Value) || result.Stdout != fmt.Sprintf("I am %d\n", i) || len(result.ToolCalls) != 11:
				errs[i] = fmt.Errorf("run %d gave %s", i, result.Text())
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	cm, err := codemode.New(inMode(codemode.Options{Registry: testTools()}))
	if err != nil {
		t.Fatal(err)
	}
	const runs = 4
	started := make(chan struct{}, runs)
	ended := make(chan error, runs)
	for range runs {
		go func() {
			result, err := cm.ExecuteRequest(context.Background(), codemode.Request{Code: "tools.wait()", OnEvent: func(e codemode.Event) {
				if e.ToolStart != nil {
					started <- struct{}{}
				}
			}})
			if err == nil {
				err = fmt.Errorf("no error, and the result %s", result.Text())
			} else if code := codemode.CodeOf(err); code == codemode.CodeUnavailable || code == codemode.CodeCancelled {
				err = nil
			}
			ended <- err
		}()
	}
	for range runs {
		<-started
	}
	if err := cm.Close(); err != nil {
		t.Error(err)
	}
	if n := waiting.Load(); n > 0 {
		t.Errorf("%d tools outlive Close", n)
	}
	for range runs {
		if err := <-ended; err != nil {
			t.Errorf("a run at the time of Close: %v", err)
		}
	}
	if _, err := cm.Execute(t.Context(), "1"); err == nil {
		t.Error("a closed Codemode runs programs")
	}
	if err := cm.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestProgramsCallToolsInEveryForm(t *testing.T) {
	for name, test := range map[string]struct {
		code string
		want any
	}{
		"by attribute":              {"tools.add(a=1, b=2)", int64(3)},
		"positional":                {"tools.add(1, 2)", int64(3)},
		"by name":                   {"tools['add'].run(a=1, b=2)", int64(3)},
		"run":                       {"tools.add.run(1)", int64(1)},
		"arun":                      {"await tools.add.arun(a=1, b=2)", int64(3)},
		"arun by name":              {"await tools['add'].arun(a=1, b=2)", int64(3)},
		"a namespace":               {"tools.math.add(a=1, b=2)", int64(3)},
		"a namespace by name":       {"tools['math.add'].run(1, 2)", int64(3)},
		"a namespace and its item":  {"tools['math'].add(1, 2)", int64(3)},
		"a spelling":                {"tools.math.deep.add_up(1, 2)", int64(3)},
		"the name of a spelling":    {"tools['math.deep.add-up'].run(1, 2)", int64(3)},
		"imported":                  {"from tools import add\nimport tools as t\nadd(1, 2) + t.math.add(1)", int64(4)},
		"in":                        {"['add' in tools, 'sub' in tools, 'math.add' in tools]", []any{true, false, true}},
		"listed":                    {"[n for n in tools if n.startswith('math')]", []any{"math.add", "math.deep.add-up"}},
		"near names":                {"try:\n    tools.ad(1)\nexcept ToolError as e:\n    m = str(e)\nm", "there is no tool 'ad'; did you mean tools.add?"},
		"near names in a namespace": {"try:\n    tools.math.ad(1)\nexcept AttributeError as e:\n    m = e.kind\nm", "unknown_tool"},
		"an error's parts": {"try:\n    tools.fail(kind='denied')\nexcept ToolError as e:\n    r = [e.tool, e.kind, e.message, str(e)]\nr",
			[]any{"fail", "denied", "it did not work", "it did not work"}},
		"an error in a gather": {"import asyncio\nr = await asyncio.gather(tools.add.arun(1), tools.fail.arun(), return_exceptions=True)\n[r[0], type(r[1]).__name__]",
			[]any{int64(1), "ToolError"}},
		"a sync call inside a coroutine, with async ones under way": {`
import asyncio
async def both(n):
    pending = [asyncio.ensure_future(tools.add.arun(a=n, b=i)) for i in range(5)]
    await asyncio.sleep(0)
    now = tools.add(a=n, b=100)
    return now, sum(await asyncio.gather(*pending))
await asyncio.gather(*[both(n) for n in range(10)])`, func() any {
			var want []any
			for n := range int64(10) {
				want = append(want, []any{n + 100, 5*n + 10})
			}
			return want
		}()},
		"threads": {`
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    sums = list(pool.map(lambda i: tools.add(a=i, b=i), range(200)))
sums == [2 * i for i in range(200)]`, true},
		"threads beside a loop": {`
import asyncio
async def main():
    loop = asyncio.get_running_loop()
    threads = [loop.run_in_executor(None, lambda i=i: tools.add(a=i)) for i in range(40)]
    return sum(await asyncio.gather(*threads, *[tools.add.arun(a=i) for i in range(40)]))
await main()`, int64(2 * 780)},
		"loops in threads": {`
import asyncio, threading
got = []
def work(n):
    async def main():
        return sum(await asyncio.gather(*[tools.add.arun(a=n, b=i) for i in range(5)]))
    for _ in range(5):
        got.append(asyncio.run(main()))
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
sorted(got)`, func() any {
			var want []any
			for n := range int64(4) {
				for range 5 {
					want = append(want, 5*n+10)
				}
			}
			return want
		}()},
		"asyncio.run inside": {"import asyncio\nasync def main():\n    return await tools.add.arun(a=1)\nasyncio.run(main())", int64(1)},
		"a call that is cancelled": {`
import asyncio
async def impatient():
    try:
        await asyncio.wait_for(tools.wait.arun(), 0.05)
    except asyncio.TimeoutError:
        return "timeout", await tools.add.arun(a=1), tools.add(a=2)
await impatient()`, []any{"timeout", int64(1), int64(2)}},
		"a big argument and result": {"v = 'x' * 3_000_000\nlen(tools.echo(value=v))", int64(3_000_000)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, run(t, shared, test.code).Value); diff != "" {
				t.Errorf("the result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResultIsTheLastExpressionOrReturnOrTheVariable(t *testing.T) {
	for code, want := range map[string]any{
		"1 + 1": int64(2), "x = 3": nil, "result = 5": int64(5), "result = 5\n7": int64(7), "return 9": int64(9),
		"if True:\n    return 'early'\nprint('late')": "early", "result = 5\nreturn": int64(5), "print('x')": nil,
		"for i in range(3):\n    pass\nresult = i": int64(2), "async def f():\n    return 8\nawait f()": int64(8),
		"import asyncio\nreturn await asyncio.sleep(0, 'r')": "r", "x = 5\nx;": int64(5), "def f():\n    return 1\nf()": int64(1),
		"[y for y in range(3)]": []any{int64(0), int64(1), int64(2)}, "": nil, "# nothing": nil,
		"class A:\n    n = 4\nreturn A().n": int64(4), "import math as m, os.path\nreturn m.floor(2.5)": int64(2),
		"try:\n    return 1\nfinally:\n    print('f')": int64(1), "with open('f', 'w') as f:\n    f.write('1')\nreturn open('f').read()": "1",
		"n = 0\ndef inc():\n    global n\n    n += 1\ninc()\nreturn n": int64(1), "match 5:\n    case 5:\n        return 'five'": "five",
		"xs = [(a := n) for n in range(3)]\nreturn a": int64(2), "del_me = 1\ndel del_me\nreturn 'del_me' in globals()": false,
		"from math import *\nreturn floor(2.5)": int64(2), "x: int = 5\nreturn x": int64(5), "x: int\nreturn 'x' in globals()": false,
		"from __future__ import annotations\ndef f(a: Missing): return 1\nreturn f(2)": int64(1), "type T = int\nreturn T.__name__": "T",
		"global g\ng = 1\nreturn globals()['g']": int64(1), "(a, *b), c = [1, 2, 3], 4\nreturn b + [c]": []any{int64(2), int64(3), int64(4)},
		"try:\n    1/0\nexcept* ZeroDivisionError as g:\n    n = len(g.exceptions)\nreturn n": int64(1), "while (n := 3) > 5: pass\nreturn n": int64(3),
		"async def agen():\n    yield 1\n    yield 2\nasync for v in agen():\n    if v == 2:\n        return v": int64(2),
		"async def agen():\n    yield 1\n    yield 2\nreturn [v async for v in agen()]":                         []any{int64(1), int64(2)},
		"import asyncio\nasync with asyncio.timeout(1):\n    return 3":                                          int64(3), "def f():\n    global made\n    made = 1\nf()\nreturn made": int64(1),
		"match {'k': [1, 2]}:\n    case {'k': [first, *_], **rest}:\n        return [first, rest]": []any{int64(1), map[string]any{}},
		"if __name__ == '__main__':\n    return 'main'":                                            "main", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\nreturn P()": map[string]any{"x": int64(1)},
		"try:\n    tools[5]\nexcept LookupError as e:\n    return e.kind": "unknown_tool",
	} {
		if diff := cmp.Diff(want, run(t, shared, code).Value); diff != "" {
			t.Errorf("%q (-want +got):\n%s", code, diff)
		}
	}
}
