package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// A soakProgram is one of those that a soak mixes, with how it has to end.
type soakProgram struct {
	name   string
	share  int // of the runs
	code   string
	limits executorclient.Limits
	waits  bool // for something, a limit among them, so that its time says nothing
	cancel bool // when it has printed something

	status executorclient.Status
	value  string // printed with %v
	error  string // its type
	calls  int    // of tools
	output int    // bytes, at least
}

var soakPrograms = []soakProgram{
	{name: "smallest", share: 12, code: "1+1", status: executorclient.OK, value: "2"},
	{name: "tools, one after another", share: 6, code: "sum(tools.echo(i) for i in range(4))", status: executorclient.OK, value: "6", calls: 4},
	{name: "tools, gathered", share: 4, status: executorclient.OK, value: "45", calls: 10,
		code: "import asyncio\nsum(await asyncio.gather(*[tools.echo.arun(i) for i in range(10)]))"},
	{name: "tools that wait, gathered", share: 1, status: executorclient.OK, value: "20", calls: 20, waits: true,
		code: "import asyncio\nsum(await asyncio.gather(*[tools.slow.arun() for i in range(20)]))"},
	{name: "rows, not all of them read", share: 2, status: executorclient.OK, value: "99", calls: 1,
		code: "with tools.rows(100_000) as rows:\n    for row in rows:\n        if row['id'] == 99: break\nrow['id']"},
	{name: "a value in parts", share: 1, code: "len(tools.text(300_000))", status: executorclient.OK, value: "300000", calls: 1},
	{name: "an exception", share: 3, code: "{}['missing']", status: executorclient.Failed, error: "KeyError"},
	{name: "a tool that fails", share: 2, code: "tools.fail()", status: executorclient.Failed, error: "ToolError", calls: 1},
	{name: "wrong source", share: 1, code: "1 +", status: executorclient.Failed, error: "SyntaxError"},
	{name: "much output", share: 2, code: "for i in range(2000): print('x' * 49)", status: executorclient.OK, value: "<nil>", output: 100_000},
	{name: "too much output", share: 1, code: "while True: print('x' * 999)", waits: true,
		limits: executorclient.Limits{OutputBytes: 100_000}, status: executorclient.OutputLimit},
	{name: "a timeout, asleep", share: 1, code: "import time\ntime.sleep(60)", waits: true,
		limits: executorclient.Limits{Timeout: 100 * time.Millisecond}, status: executorclient.Timeout, error: "Timeout"},
	{name: "a timeout, busy", share: 1, code: "while True: pass", waits: true,
		limits: executorclient.Limits{Timeout: 50 * time.Millisecond}, status: executorclient.Timeout, error: "Timeout"},
	{name: "cancelled, busy", share: 1, code: "print(1, flush=True)\nwhile True: pass", cancel: true, waits: true, status: executorclient.Cancelled},
	{name: "cancelled, in a tool", share: 1, code: "print(1, flush=True)\nwhile True: tools.slow()", cancel: true, waits: true, status: executorclient.Cancelled, calls: -1},
	{name: "too much memory, at once", share: 1, code: "bytearray(1 << 30)", waits: true,
		limits: executorclient.Limits{MemoryBytes: 96 << 20}, status: executorclient.MemoryLimit},
	{name: "too much memory, bit by bit", share: 1, code: "kept = []\nwhile True: kept.append(b'x' * (1 << 20))", waits: true,
		limits: executorclient.Limits{MemoryBytes: 96 << 20}, status: executorclient.MemoryLimit},
	{name: "ends its process", share: 1, code: "import os\nos._exit(3)", waits: true, status: executorclient.Failed, error: "SystemExit"},
	{name: "kills its process", share: 1, code: "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", waits: true,
		status: executorclient.Killed, error: "Killed"},
}

// turns are places in soakPrograms, by their shares and well mixed: the same in all tenths.
var turns = func() []int {
	var all []int
	for place, p := range soakPrograms {
		for range p.share {
			all = append(all, place)
		}
	}
	mixed := make([]int, len(all))
	for i, place := range all {
		mixed[i*step%len(all)] = place
	}
	return mixed
}()

// step has no divisor in common with the sum of all shares, which a test checks.
const step = 17

// run says what the program did not cause; nothing if all is as it should be.
func (p *soakProgram) run(ctx context.Context, e *executor) string {
	request := executorclient.Request{Code: p.code, Tools: e.tools, Limits: p.limits}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.cancel {
		request.OnEvent = func(event executorclient.Event) {
			if event.Stdout != "" {
				cancel()
			}
		}
	}
	got, err := e.Execute(ctx, request)
	return p.wrong(got, err)
}

func (p *soakProgram) wrong(got *executorclient.Result, err error) string {
	var wrong []string
	differ := func(what string, got, want any) {
		wrong = append(wrong, fmt.Sprintf("%s is %v, not %v", what, got, want))
	}
	if expected := p.status == executorclient.Cancelled; expected != (err != nil) || expected && fault.CodeOf(err) != fault.Cancelled {
		wrong = append(wrong, fmt.Sprintf("error %v", err))
	}
	if got.Status != p.status {
		differ("status", got.Status, p.status)
	}
	if value := fmt.Sprint(got.Value); p.status == executorclient.OK && value != p.value {
		differ("value", value, p.value)
	}
	if p.error != "" && (got.Error == nil || got.Error.Type != p.error) {
		differ("error", got.Error, p.error)
	}
	if p.calls >= 0 && len(got.ToolCalls) != p.calls {
		differ("number of calls", len(got.ToolCalls), p.calls)
	}
	if len(got.Stdout) < p.output {
		differ("bytes of output", len(got.Stdout), p.output)
	}
	if len(wrong) > 0 && got.Error != nil {
		wrong = append(wrong, fmt.Sprintf("%.300s", got.Error.Message))
	}
	return strings.Join(wrong, "; ")
}
