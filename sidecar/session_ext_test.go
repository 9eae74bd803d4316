//go:build linux

package sidecar_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// sessionExecutor is what the tests of sessions share; it keeps few enough to run out of.
func sessionExecutor(t *testing.T) *executor {
	t.Helper()
	return withOutputs(t, func(c *config.SidecarConfig) {
		c.Sessions.Max, c.Pool.MaxWorkers, c.Pool.MinReady = 3, 6, 1
		c.Limits.CPUTime = time.Second
	})
}

func in(s *executorclient.Session) func(*executorclient.Request) {
	return func(r *executorclient.Request) { r.Session = s }
}

// newSession names a session that is closed at the end of the test.
func newSession(t *testing.T, e *executor) *executorclient.Session {
	t.Helper()
	s := executorclient.NewSession("")
	t.Cleanup(func() {
		if err := e.CloseSession(context.Background(), s); err != nil {
			t.Error(err)
		}
	})
	return s
}

func wantLost(t *testing.T, e *executor, s *executorclient.Session, why string) {
	t.Helper()
	got, err := e.Execute(t.Context(), executorclient.Request{Code: "print('ran')", Session: s})
	if fault.CodeOf(err) != fault.SessionLost || got.Status != executorclient.Rejected || got.Stdout != "" {
		t.Fatalf("%s %q, %v", got.Status, got.Stdout, err)
	}
	if !strings.Contains(err.Error(), why) {
		t.Errorf("it does not say %q: %v", why, err)
	}
}

func TestSessions(t *testing.T) {
	besideOthers(t)
	e := sessionExecutor(t)

	t.Run("a program finds what those before it left", func(t *testing.T) {
		s := newSession(t, e)
		steps := []struct{ code, want string }{
			{"import math\nrows = [1, 2]\ndef twice(x):\n    return x * 2\nresult = 'mine'", "mine"},
			{"rows.append(twice(math.floor(3.5)))\nrows", "[1 2 6]"},
			{"y = 1", "<nil>"}, // and not the result of the first
			{"result", "mine"},
			{"result = result", "mine"},
			{"raise ValueError('no')", "ValueError"},
			{"1/", "SyntaxError"},
			{"import sys; sys.exit(3)", "SystemExit"},
			{"return len(rows)", "3"},
			{"open('left.txt', 'w').write('here')", "4"},
			{"open('left.txt').read()", "here"},
			{"import asyncio\nawait asyncio.to_thread(twice, 4)", "8"},
			{"await asyncio.to_thread(twice, 5)", "10"},
			{"from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)\npool.submit(twice, 6).result()", "12"},
			{"list(pool.map(twice, range(4)))", "[0 2 4 6]"},
		}
		for _, step := range steps {
			got := e.run(t, step.code, in(s))
			value := fmt.Sprint(got.Value)
			if got.Error != nil {
				value = got.Error.Type
			}
			if value != step.want || got.SessionEnded {
				t.Errorf("%s\ngave %s, want %s; %+v", step.code, value, step.want, got.Error)
			}
		}
		// A failing function shows the lines of the program that it came from.
		e.run(t, "def fails():\n    raise KeyError('of the first')", in(s))
		got := e.run(t, "# another\n# program\n\nfails()", in(s))
		if got.Error == nil || got.Error.Line != 4 || !strings.Contains(got.Error.Traceback, "raise KeyError('of the first')") ||
			!strings.Contains(got.Error.Traceback, "    fails()") {
			t.Errorf("%+v", got.Error)
		}
	})

	t.Run("its output and its calls are those of the run", func(t *testing.T) {
		s := newSession(t, e)
		for i, name := range []string{"one", "two"} {
			tools := registry.New()
			registry.Func(tools, name, "", func(context.Context, struct{}) (string, error) { return name, nil })
			got := e.run(t, fmt.Sprintf("print(tools.%s()); sorted(tools)", name), in(s), withTools(tools))
			if got.Stdout != name+"\n" || fmt.Sprint(got.Value) != "["+name+"]" || len(got.ToolCalls) != 1 {
				t.Errorf("run %d: %q %v %v %+v", i, got.Stdout, got.Value, got.ToolCalls, got.Error)
			}
		}
		limited := e.run(t, "print('x' * 5000)", in(s), withLimits(executorclient.Limits{OutputBytes: 6000}))
		again := e.run(t, "print('x' * 5000)", in(s), withLimits(executorclient.Limits{OutputBytes: 6000}))
		if limited.Status != executorclient.OK || again.Status != executorclient.OK || len(again.Stdout) != 5001 {
			t.Errorf("%s, %s", limited.Status, again.Status)
		}
	})

	t.Run("each run has the processor time of a run", func(t *testing.T) {
		s := newSession(t, e)
		burn := "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass"
		for range 3 {
			if got := e.run(t, burn, in(s)); got.Status != executorclient.OK || got.Usage.CPU > 900*time.Millisecond {
				t.Fatalf("%s after %s: %+v", got.Status, got.Usage.CPU, got.Error)
			}
		}
		got := e.run(t, "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", in(s))
		if got.Status != executorclient.Timeout || !got.SessionEnded || !strings.Contains(got.Error.Message, "processor time") {
			t.Errorf("%s %+v", got.Status, got.Error)
		}
		if plain := e.run(t, "while True: pass"); plain.Status != executorclient.Timeout {
			t.Errorf("a plain run: %s %+v", plain.Status, plain.Error)
		}
	})

	t.Run("memory is that of all its runs together", func(t *testing.T) {
		s := newSession(t, e)
		limit := withLimits(executorclient.Limits{MemoryBytes: 64 << 20})
		if got := e.run(t, "kept = [bytearray(40 << 20)]", in(s), limit); got.Status != executorclient.OK {
			t.Fatalf("%+v", got.Error)
		}
		if _, err := e.Execute(t.Context(), executorclient.Request{Code: "1", Session: s, Limits: executorclient.Limits{MemoryBytes: 128 << 20}}); fault.CodeOf(err) != fault.Rejected {
			t.Errorf("a run with another limit: %v", err)
		}
		got := e.run(t, "kept.append(bytearray(40 << 20))", in(s))
		if got.Status != executorclient.MemoryLimit || !got.SessionEnded {
			t.Errorf("%s %+v", got.Status, got.Error)
		}
		wantLost(t, e, s, "memory_limit")
	})

	t.Run("a run that does not come to its end ends it", func(t *testing.T) {
		for name, test := range map[string]struct {
			code   string
			limits executorclient.Limits
			status executorclient.Status
		}{
			"timeout": {"import time; time.sleep(60)", executorclient.Limits{Timeout: 200 * time.Millisecond}, executorclient.Timeout},
			"crash":   {"import ctypes; ctypes.string_at(0)", executorclient.Limits{}, executorclient.Killed},
			"exit":    {"import os; os._exit(0)", executorclient.Limits{}, executorclient.Failed},
			"output":  {"print('x' * 100000)", executorclient.Limits{OutputBytes: 2000}, executorclient.OutputLimit},
		} {
			s := newSession(t, e)
			e.run(t, "x = 1", in(s))
			got := e.run(t, test.code, in(s), withLimits(test.limits))
			if got.Status != test.status || !got.SessionEnded || got.Error == nil || !strings.Contains(got.Error.Message, "ended its session") {
				t.Errorf("%s: %s, ended %t, %+v", name, got.Status, got.SessionEnded, got.Error)
			}
			wantLost(t, e, s, "it ended with a run")
		}
	})

	t.Run("a cancelled run ends it", func(t *testing.T) {
		s := newSession(t, e)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := e.Execute(ctx, executorclient.Request{
			Code: "print('on'); import time; time.sleep(60)", Session: s,
			OnEvent: func(executorclient.Event) { cancel() },
		})
		if fault.CodeOf(err) != fault.Cancelled {
			t.Errorf("%v", err)
		}
		wantLost(t, e, s, "cancelled")
	})

	t.Run("its runs wait for one another, whoever makes them", func(t *testing.T) {
		s := newSession(t, e)
		e.run(t, "n = 0", in(s))
		var runs sync.WaitGroup
		for range 4 {
			runs.Go(func() {
				// Not the Session that would have them wait here.
				e.run(t, "import time\nbefore = n\ntime.sleep(0.02)\nn = before + 1", in(executorclient.ResumeSession(s.ID())))
			})
		}
		runs.Wait()
		if got := e.run(t, "n", in(s)); fmt.Sprint(got.Value) != "4" {
			t.Errorf("%v runs of 4 counted", got.Value)
		}
	})

	t.Run("only so many are kept, and plain runs go on", func(t *testing.T) {
		for range 3 {
			e.run(t, "1", in(newSession(t, e)))
		}
		_, err := e.Execute(t.Context(), executorclient.Request{Code: "1", Session: executorclient.NewSession("")})
		if fault.CodeOf(err) != fault.Rejected || !strings.Contains(err.Error(), "executor.sessions.max") {
			t.Errorf("%v", err)
		}
		if got := e.run(t, "2"); got.Status != executorclient.OK {
			t.Errorf("%+v", got.Error)
		}
		// A run's place is free a moment after its result is here.
		waitFor(t, func() bool { stats := e.server.Stats(); return stats.Kept == 3 && stats.Running == 0 })
	})

	t.Run("closing it ends a run and frees its worker", func(t *testing.T) {
		s := newSession(t, e)
		var closing sync.WaitGroup
		got := e.run(t, "print('on'); import time; time.sleep(60)", in(s), func(r *executorclient.Request) {
			r.OnEvent = func(executorclient.Event) {
				closing.Go(func() {
					if err := e.CloseSession(context.Background(), s); err != nil {
						t.Error(err)
					}
				})
			}
		})
		closing.Wait()
		if got.Status != executorclient.Cancelled || !got.SessionEnded {
			t.Errorf("%s %+v", got.Status, got.Error)
		}
		wantLost(t, e, s, "cancelled")
	})

	t.Run("ids that cannot be, or are taken, are refused", func(t *testing.T) {
		for _, id := range []string{"a b", "../x", strings.Repeat("x", 65), "é"} {
			if _, err := e.Execute(t.Context(), executorclient.Request{Code: "1", Session: executorclient.NewSession(id)}); fault.CodeOf(err) != fault.Rejected {
				t.Errorf("%q: %v", id, err)
			}
			if err := e.CloseSession(t.Context(), executorclient.NewSession(id)); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%q: %v", id, err)
			}
		}
		s := newSession(t, e)
		e.run(t, "x = 1", in(s))
		if _, err := e.Execute(t.Context(), executorclient.Request{Code: "1", Session: executorclient.NewSession(s.ID())}); fault.CodeOf(err) != fault.Rejected {
			t.Errorf("an id that is taken: %v", err)
		}
		wantLost(t, e, executorclient.ResumeSession("never-begun"), "does not know it")
	})
}
