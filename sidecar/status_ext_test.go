//go:build linux

package sidecar_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

// An ending is a program, and how it has to end.
type ending struct {
	name, code string
	limits     executorclient.Limits
	status     executorclient.Status
	exit       int
	errorType  string
	message    string // part of it
	line       int
}

// differs says what is not as it has to be.
func (e ending) differs(got *executorclient.Result) error {
	if got.Status != e.status || (got.Error == nil) != (e.status == executorclient.OK) {
		return fmt.Errorf("status %s, want %s; error %+v", got.Status, e.status, got.Error)
	}
	var wrong []error
	differ := func(what string, got, want any) {
		wrong = append(wrong, fmt.Errorf("%s %v, want %v", what, got, want))
	}
	if e.exit != 0 && got.ExitCode != e.exit || e.status == executorclient.OK && got.ExitCode != 0 {
		differ("exit code", got.ExitCode, e.exit)
	}
	if got.Usage.Wall <= 0 || got.Usage.CPU < 0 || got.Usage.MaxRSSBytes < 1<<20 {
		differ("usage", got.Usage, "some of each")
	}
	if n := len(got.Stdout) + len(got.Stderr); n > 1<<20 {
		differ("bytes of output", n, "no more than the limit of 1 MiB")
	}
	if got.Error == nil {
		return errors.Join(wrong...)
	}
	if e.errorType != "" && got.Error.Type != e.errorType {
		differ("type", got.Error.Type, e.errorType)
	}
	message := e.message
	if e.status == executorclient.Timeout && message == "" {
		message = e.limits.Timeout.String()
	}
	if !strings.Contains(got.Error.Message, message) {
		differ("message", got.Error.Message, message)
	}
	if e.line != 0 && got.Error.Line != e.line {
		differ("line", got.Error.Line, e.line)
	}
	return errors.Join(wrong...)
}

// Every way in which a program can end has a status, an exit code and an explanation,
// and leaves an executor that runs the next program.
func TestEveryEndHasItsStatus(t *testing.T) {
	e := shared(t)
	second := executorclient.Limits{Timeout: time.Second}
	small := executorclient.Limits{MemoryBytes: 64 << 20}
	ends := []ending{
		{name: "comes to its end", code: "1 + 1", status: executorclient.OK},
		{name: "raises", code: "x = 1\n\nraise ValueError('no')", status: executorclient.Failed, exit: 1, errorType: "ValueError", message: "no", line: 3},
		{name: "raises its own", code: "class Mine(Exception): pass\nraise Mine('m')", status: executorclient.Failed, exit: 1, errorType: "Mine", message: "m", line: 2},
		{name: "raises deep in a library", code: "import json\njson.loads('{')", status: executorclient.Failed, exit: 1, errorType: "json.decoder.JSONDecodeError", line: 2},
		{name: "is no Python", code: "x = 1\nif x\n", status: executorclient.Failed, exit: 1, errorType: "SyntaxError", line: 2},
		{name: "is indented wrongly", code: "if 1:\nx", status: executorclient.Failed, exit: 1, errorType: "IndentationError", line: 2},
		{name: "holds a NUL", code: "x = '\x00'", status: executorclient.Failed, exit: 1, errorType: "SyntaxError"},
		{name: "exits with 0", code: "import sys; sys.exit()", status: executorclient.OK},
		{name: "exits with a code", code: "import sys\nsys.exit(3)", status: executorclient.Failed, exit: 3, errorType: "SystemExit", line: 2},
		{name: "exits with words", code: "raise SystemExit('bye')", status: executorclient.Failed, exit: 1, errorType: "SystemExit"},
		{name: "exits past Python", code: "import os; os._exit(7)", status: executorclient.Failed, exit: 7, errorType: "SystemExit"},
		{name: "kills itself", code: "import os; os.kill(os.getpid(), 9)", status: executorclient.Killed, exit: 137, errorType: "Killed", message: "SIGKILL"},
		{name: "terminates itself", code: "import os; os.kill(os.getpid(), 15)", status: executorclient.Killed, exit: 143, message: "SIGTERM"},
		{name: "aborts", code: "import os; os.abort()", status: executorclient.Killed, exit: 134, message: "SIGABRT"},
		{name: "crashes", code: "import ctypes; ctypes.string_at(1)", status: executorclient.Killed, exit: 139, message: "SIGSEGV"},
		{name: "recurses for ever", code: "def f(): f()\nf()", status: executorclient.Failed, exit: 1, errorType: "RecursionError"},
		{name: "loops for ever", code: "n = 0\nwhile True:\n    n += 1", limits: second, status: executorclient.Timeout, errorType: "Timeout"},
		{name: "loops and catches everything", code: "while True:\n  try:\n    while True: pass\n  except BaseException: pass", limits: second, status: executorclient.Timeout, errorType: "Timeout"},
		{name: "sleeps for ever", code: "import time\ntime.sleep(1e6)", limits: second, status: executorclient.Timeout, errorType: "Timeout", line: 2},
		{name: "awaits for ever", code: "import asyncio\nawait asyncio.sleep(1e6)", limits: second, status: executorclient.Timeout, errorType: "Timeout"},
		{name: "never lets go of the interpreter", code: "sum(range(10**12))", limits: second, status: executorclient.Timeout, exit: 137},
		{name: "loops at its end", code: "import atexit\ndef f():\n  while True: pass\natexit.register(f)\n1", limits: second, status: executorclient.Timeout},
		{name: "leaves a thread", code: "import threading\ndef f():\n  while True: pass\nthreading.Thread(target=f).start()\n1", limits: second, status: executorclient.Timeout},
		{name: "leaves a daemon thread", code: "import threading\ndef f():\n  while True: pass\nthreading.Thread(target=f, daemon=True).start()\n1", status: executorclient.OK},
		{name: "allocates for ever", code: "x = []\nwhile True: x.append(bytearray(1 << 20))", limits: small, status: executorclient.MemoryLimit, errorType: "MemoryError", line: 2},
		{name: "allocates at once", code: "x = bytearray(1 << 40)", limits: small, status: executorclient.MemoryLimit, line: 1},
		{name: "allocates shared memory", code: "import mmap\nx = []\nwhile True:\n  m = mmap.mmap(-1, 1 << 24)\n  m.write(b'x' * (1 << 24))\n  x.append(m)", limits: small, status: executorclient.MemoryLimit},
		{name: "allocates small things", code: "x = []\nwhile True: x.append([object() for _ in range(100)])", limits: small, status: executorclient.MemoryLimit},
		{name: "prints for ever", code: "while True: print('x' * 1000)", status: executorclient.OutputLimit, exit: 137, errorType: "OutputLimit"},
		{name: "prints for ever on standard error", code: "import sys\nwhile True: sys.stderr.write('x' * 1000)", status: executorclient.OutputLimit, exit: 137},
		{name: "prints for ever past Python", code: "import os\nwhile True: os.write(1, b'x' * 65536)", status: executorclient.OutputLimit, exit: 137},
		{name: "closes its output", code: "import os, sys\nos.close(1); os.close(2)\n5", status: executorclient.OK},
		{name: "gives too large a result", code: "'x' * (9 << 20)", status: executorclient.Failed, exit: 1, errorType: "ValueError", message: "limit"},
		{name: "gives what cannot travel", code: "{'a': [1, lambda: 1]}", status: executorclient.Failed, exit: 1, errorType: "TypeError", message: "result['a'][1]"},
		{name: "gives what contains itself", code: "x = []; x.append(x); x", status: executorclient.Failed, exit: 1, errorType: "TypeError", message: "contains itself"},
		{name: "raises what cannot be shown", code: "class E(Exception):\n  def __str__(self): raise RuntimeError\nraise E", status: executorclient.Failed, exit: 1, errorType: "E"},
		{name: "is empty", code: "", status: executorclient.OK},
	}
	t.Run("all", func(t *testing.T) {
		for _, end := range ends {
			t.Run(end.name, func(t *testing.T) {
				t.Parallel()
				if end.limits.Timeout == 0 {
					if err := end.differs(e.run(t, end.code, withLimits(end.limits))); err != nil {
						t.Error(err)
					}
					return
				}
				waittest.Longer(t, end.limits.Timeout, func(limit time.Duration) error {
					own := end
					own.limits.Timeout = limit
					return own.differs(e.run(t, own.code, withLimits(own.limits)))
				})
			})
		}
	})
	if got := e.run(t, "6 * 7"); got.Value != int64(42) {
		t.Errorf("the executor does not work afterwards: %+v", got)
	}
}

// A traceback is for the model: its own lines with their text, nothing of the runner.
func TestTracebackShowsOnlyTheProgram(t *testing.T) {
	got := shared(t).run(t, "import json\n\ndef read(text):\n    return json.loads(text)\n\ntry:\n    read('{')\nexcept ValueError as e:\n    raise RuntimeError('unreadable') from e\n")
	trace := got.Error.Traceback
	for _, want := range []string{
		`File "program.py", line 7, in <module>`, "read('{')", `File "program.py", line 4, in read`,
		"return json.loads(text)", "JSONDecodeError", "direct cause", `line 9, in <module>`, "RuntimeError: unreadable",
	} {
		if !strings.Contains(trace, want) {
			t.Errorf("the traceback lacks %q:\n%s", want, trace)
		}
	}
	for _, unwanted := range []string{"codemode", "decoder.py", "__init__.py"} {
		if strings.Contains(trace, unwanted) {
			t.Errorf("the traceback shows %q:\n%s", unwanted, trace)
		}
	}
}

// What was printed before the end is there, in full and at once, however the run ended.
func TestOutputSurvivesTheEnd(t *testing.T) {
	e := shared(t)
	for _, code := range []string{
		"print('before')", "print('before')\nraise ValueError", "print('before')\nimport os; os._exit(1)",
		"print('before', flush=True)\nimport os; os.kill(os.getpid(), 9)",
		"import os; os.write(1, b'before\\n')", "import atexit; atexit.register(print, 'before')",
	} {
		if got := e.run(t, code); got.Stdout != "before\n" {
			t.Errorf("%q: stdout %q", code, got.Stdout)
		}
	}
	if got := e.run(t, "import sys, os\nos.write(1, b'\\xff\\x00ok')\nprint('warn', file=sys.stderr)"); got.Stdout != "\uFFFD\x00ok" || got.Stderr != "warn\n" {
		t.Errorf("stdout %q, stderr %q", got.Stdout, got.Stderr)
	}
}

// A tool call that outlasts the run ends with it, and the record says so.
func TestTimeoutCountsToolTime(t *testing.T) {
	tools := registry.New()
	ended := make(chan struct{}, 100)
	if err := registry.Func(tools, "slow", "", func(ctx context.Context, _ struct{}) (int, error) {
		<-ctx.Done()
		ended <- struct{}{}
		return 0, ctx.Err()
	}); err != nil {
		t.Fatal(err)
	}
	waittest.Longer(t, 300*time.Millisecond, func(limit time.Duration) error {
		got := shared(t).run(t, "print('x')\ntools.slow()", withTools(tools), withLimits(executorclient.Limits{Timeout: limit}))
		if got.Status != executorclient.Timeout || got.Error.Line != 2 || len(got.ToolCalls) != 1 || got.ToolCalls[0].Error == nil {
			return fmt.Errorf("%s %+v, calls %+v", got.Status, got.Error, got.ToolCalls)
		}
		return nil
	})
	select {
	case <-ended:
	case <-time.After(waittest.Patience):
		t.Error("the tool's context did not end")
	}
}

// Limits on tool calls are failures that a program can catch.
func TestToolCallLimitsAreToolErrors(t *testing.T) {
	besideOthers(t)
	tools := registry.New()
	if err := registry.Func(tools, "f", "", func(context.Context, struct{}) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	e := start(t, func(c *config.SidecarConfig) { c.Limits.ToolCalls = 5 })
	got := e.run(t, "n = 0\ntry:\n  while True: n += tools.f()\nexcept ToolError as e:\n  kind = e.kind\n(n, kind)", withTools(tools))
	if got.Status != executorclient.OK || len(got.ToolCalls) != 5 {
		t.Errorf("%s %v after %d calls", got.Status, got.Value, len(got.ToolCalls))
	}
}

// A program may gather as many calls as it likes: those past the limit wait their turn,
// and none is lost.
func TestGatheringMoreThanRunsAtOnceWaits(t *testing.T) {
	besideOthers(t)
	tools := registry.New()
	var now, most atomic.Int32
	if err := registry.Func(tools, "f", "", func(_ context.Context, in struct{ X int }) (int, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		return in.X, nil
	}); err != nil {
		t.Fatal(err)
	}
	e := start(t, func(c *config.SidecarConfig) { c.Limits.ConcurrentToolCalls = 4 })
	got := e.run(t, "import asyncio\nsum(await asyncio.gather(*[tools.f.arun(X=i) for i in range(100)]))", withTools(tools))
	if got.Value != int64(4950) || len(got.ToolCalls) != 100 || most.Load() > 4 {
		t.Errorf("%v %+v, %d at once", got.Value, got.Error, most.Load())
	}
}

// Work past the queue is refused at once, and told apart from failures.
func TestOverloadIsRejectedNotFailed(t *testing.T) {
	besideOthers(t)
	e := start(t, func(c *config.SidecarConfig) {
		c.Pool.MaxWorkers, c.Pool.MinReady, c.Pool.Queue = 1, 1, 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	running, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_, _ = e.Execute(ctx, executorclient.Request{Code: "print(1)\nwhile True: pass", OnEvent: onFirst(running)})
	}()
	<-running
	got, err := e.Execute(t.Context(), executorclient.Request{Code: "1"})
	if err == nil || got.Status != executorclient.Rejected {
		t.Errorf("%s, %v", got.Status, err)
	}
	cancel()
	<-done
	waitFor(t, func() bool {
		got, err := e.Execute(t.Context(), executorclient.Request{Code: "1"})
		return err == nil && got.Status == executorclient.OK
	})
}
