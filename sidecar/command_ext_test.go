//go:build linux

package sidecar_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// withCommands is an executor whose programs may start commands.
func withCommands(t *testing.T, commands ...string) *executor {
	t.Helper()
	return start(t, func(c *config.SidecarConfig) {
		c.Execution = config.Execution{AllowDirectExecution: true, AllowedCommands: commands}
		c.Limits.Threads = 32
	})
}

// marked counts the processes of this machine that carry a mark in their arguments.
func marked(t *testing.T, mark string) int {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Error(err)
	}
	n := 0
	for _, path := range found {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(mark)) {
			n++
		}
	}
	return n
}

// sees looks for a process with a mark until that is over.
func sees(t *testing.T, mark string, over <-chan struct{}) bool {
	t.Helper()
	for {
		select {
		case <-over:
			return false
		case <-time.After(10 * time.Millisecond):
			if marked(t, mark) > 0 {
				return true
			}
		}
	}
}

// What is on the list runs, in the ways in which programs start commands.
func TestListedCommandsRun(t *testing.T) {
	besideOthers(t)
	e := withCommands(t, "ls", "sh", "/usr/bin/cat", "sleep", "false")
	for name, test := range map[string]struct{ code, want string }{
		"by name":         {"subprocess.run(['cat'], input=b'x', capture_output=True).stdout", "[120]"},
		"by path":         {"subprocess.check_output(['/usr/bin/cat', 'f'], text=True)", "data"},
		"a status":        {"subprocess.run(['false']).returncode", "1"},
		"a shell":         {"os.system('exit 3') >> 8", "3"},
		"a pipeline":      {"subprocess.check_output('ls | cat', shell=True, text=True)", "f\n"},
		"popen":           {"os.popen('cat f').read()", "data"},
		"killed by name":  {"p = subprocess.Popen(['sleep', '9']); p.kill(); p.wait()", "-9"},
		"a timeout":       {"try: subprocess.run(['sleep', '9'], timeout=0.1)\nexcept subprocess.TimeoutExpired: r = 'over'\nr", "over"},
		"fork":            {"pid = os.fork()\nif pid == 0: os._exit(7)\nos.waitpid(pid, 0)[1] >> 8", "7"},
		"a session":       {"subprocess.run(['cat', 'f'], start_new_session=True, capture_output=True).returncode", "0"},
		"multiprocessing": {"import multiprocessing as m\np = m.get_context('fork').Process(target=lambda: os._exit(5)); p.start(); p.join(); p.exitcode", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := e.run(t, "import os, subprocess\nopen('f', 'w').write('data')\n"+test.code)
			if fmt.Sprint(got.Value) != test.want {
				t.Errorf("%s %q %+v %s", got.Status, got.Value, got.Error, got.Stderr)
			}
		})
	}
}

// Everything else does not, however it is spelled, and a command reaches no further than
// the program that starts it.
func TestOtherFilesAreNotExecuted(t *testing.T) {
	besideOthers(t)
	e := withCommands(t, "cat", "sh", "sleep")
	for name, attempt := range map[string]string{
		"another command":        `subprocess.run(['/bin/ls'], check=True)`,
		"the interpreter":        `subprocess.run([sys.executable, '-c', '1'], check=True)`,
		"a script of its own":    `open('p', 'w').write('#!/bin/sh\n'); os.chmod('p', 0o755); subprocess.run(['./p'], check=True)`,
		"a made script":          `fd = os.open('p', os.O_CREAT | os.O_WRONLY, 0o755); os.write(fd, b'#!/bin/sh\n'); os.close(fd); subprocess.run(['./p'], check=True)`,
		"a copy":                 `b = open('/bin/cat', 'rb').read(); fd = os.open('p', os.O_CREAT | os.O_WRONLY, 0o755); os.write(fd, b); os.close(fd); subprocess.run(['./p'], check=True)`,
		"a link":                 `os.symlink('/bin/ls', 'p'); subprocess.run(['./p'], check=True)`,
		"a file in memory":       `fd = syscall(319, b'x', 0)`,
		"by descriptor":          `fd = os.open('/bin/cat', os.O_RDONLY); os.execve(fd, ['cat'], {})`,
		"a shell's choice":       `subprocess.run(['sh', '-c', '/bin/ls'], check=True)`,
		"a library":              `subprocess.run([ctypes.util.find_library('c')], check=True)`,
		"a namespace":            `syscall(56, 0x10000000 | 17, 0, 0, 0, 0)`,
		"a pid namespace":        `syscall(56, 0x20000000 | 17, 0, 0, 0, 0)`,
		"clone of another kind":  `syscall(435, ctypes.create_string_buffer(88), 88)`,
		"its keeper":             `os.kill(os.getppid(), 9); time.sleep(0.1); check(os.getppid() != keeper)`,
		"its keeper, politely":   `os.kill(os.getppid(), 15); time.sleep(0.1); check(os.getppid() != keeper)`,
		"a command as signaller": `check(os.system('kill -9 %d' % keeper)); time.sleep(0.1); check(os.getppid() != keeper)`,
		"init":                   `os.kill(1, 9); check(1)`,
		"everyone":               `p = subprocess.Popen(['sleep', '9']); os.kill(-1, 15); check(p.wait() and 1)`,
		"a trace of its child":   `p = subprocess.Popen(['sleep', '9']); syscall(101, 16, p.pid, 0, 0)`,
		"its child's memory":     `p = subprocess.Popen(['sleep', '9']); syscall(310, p.pid, 0, 0, 0, 0, 0)`,
		"a command's files":      `subprocess.run(['cat', '/etc/shadow'], check=True)`,
		"a command's network":    `subprocess.run(['sh', '-c', 'exec 5<>/dev/tcp/127.0.0.1/22'], check=True)`,
		"the limits of a child":  `resource.prlimit(subprocess.Popen(['sleep', '9']).pid, resource.RLIMIT_NOFILE, (1, 1))`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := attemptHead + "import ctypes.util, subprocess, sys, time\nkeeper = os.getppid()\ntry:\n    " + attempt + "\n    out = 'ESCAPED'\nexcept Exception as e:\n    out = type(e).__name__ + str(e)\nout"
			got := e.run(t, code)
			if got.Status != executorclient.OK || got.Value == "ESCAPED" {
				t.Errorf("%s %v %+v", got.Status, got.Value, got.Error)
			}
		})
	}
	if got := e.run(t, "1"); got.Status != executorclient.OK {
		t.Errorf("the next run: %+v", got.Error)
	}
}

// Nothing that a program starts outlives it, however it ends and however it hides.
func TestNothingThatWasStartedOutlivesTheRun(t *testing.T) {
	besideOthers(t)
	e := withCommands(t, "sh", "sleep")
	hide := map[string]string{
		"in the background": "os.system('sleep %s &')",
		"in a session":      "subprocess.Popen(['sleep', '%s'], start_new_session=True)",
		"as a daemon": `
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv('/bin/sleep', ['sleep', '%s'])
    os._exit(0)
time.sleep(0.2)`,
		"deaf": "subprocess.Popen(['sh', '-c', 'trap \"\" TERM INT HUP; sleep %s; sleep %[1]s'])",
	}
	ends := map[string]string{"ok": "1", "exit": "os._exit(1)", "crash": "os.abort()", "timeout": "time.sleep(10000)", "raised": "1/0"}
	for how, start := range hide {
		for end, code := range ends {
			t.Run(how+" "+end, func(t *testing.T) {
				t.Parallel()
				mark := fmt.Sprintf("97%d.%d", len(how), time.Now().UnixNano()%1e9)
				program := "import os, subprocess, time\n" + fmt.Sprintf(start, mark) + "\n" + code
				if end == "timeout" { // it takes long enough to be looked at
					waittest.Longer(t, time.Second, func(limit time.Duration) error {
						seen, over := make(chan bool, 1), make(chan struct{})
						go func() { seen <- sees(t, mark, over) }()
						e.run(t, program, withLimits(executorclient.Limits{Timeout: limit}))
						close(over)
						if !<-seen {
							return errors.New("nothing was started: the test shows nothing")
						}
						return nil
					})
				} else if got := e.run(t, program); strings.Contains(got.Text(), "NotFound") {
					t.Fatal(got.Text())
				}
				waitFor(t, func() bool { return marked(t, mark) == 0 })
			})
		}
	}
}

// A bomb of processes is the end of its own run, and of nothing else.
func TestBombsOfProcessesEndTheirOwnRun(t *testing.T) {
	e := withCommands(t, "sh", "sleep")
	mark := fmt.Sprintf("98.%d", time.Now().UnixNano()%1e9)
	for name, code := range map[string]string{
		"forks":        "while True:\n  try: os.fork()\n  except OSError: pass",
		"children":     "for i in range(500):\n  subprocess.Popen(['sleep', '" + mark + "'])\ntime.sleep(10000)",
		"daemons":      "while True:\n  if os.fork() == 0:\n    os.setsid()\n    os.fork()\n    time.sleep(10000)\n    os._exit(0)",
		"a shell bomb": "os.system('f() { f | f & }; f; sleep 60')\ntime.sleep(10000)",
		"passing on":   "while os.fork() >= 0: os._exit(0) if os.getppid() == 1 else None",
	} {
		t.Run(name, func(t *testing.T) {
			got := e.run(t, "import os, subprocess, time\n"+code, withLimits(executorclient.Limits{Timeout: 2 * time.Second}))
			if got.Status == executorclient.OK {
				t.Errorf("%v", got.Value)
			}
			t.Logf("%s after %s: %+v", got.Status, got.Usage.Wall, got.Error)
			if got := e.run(t, "1"); got.Status != executorclient.OK {
				t.Errorf("the next run: %+v", got.Error)
			}
			waitFor(t, func() bool { return marked(t, mark) == 0 })
		})
	}
}

// Processes share their run's memory and processor time, and do not each get as much.
func TestLimitsHoldForAllProcessesTogether(t *testing.T) {
	e := start(t, func(c *config.SidecarConfig) {
		c.Execution = config.Execution{AllowDirectExecution: true, AllowedCommands: []string{"sleep"}}
		c.Limits.Memory, c.Limits.CPUTime = 128<<20, time.Second
	})
	got := e.run(t, "import os, time\nfor i in range(8):\n  if os.fork() == 0:\n    x = b'x' * (80 << 20)\n    time.sleep(10000)\ntime.sleep(10000)")
	if got.Status != executorclient.MemoryLimit {
		t.Errorf("memory: %s %+v", got.Status, got.Error)
	}
	got = e.run(t, "import os, time\nfor i in range(4):\n  if os.fork() == 0:\n    t = time.process_time()\n    while time.process_time() - t < 0.8: pass\n    os._exit(0)\n  else: os.wait()\ntime.sleep(10000)")
	if got.Status != executorclient.Timeout || !strings.Contains(got.Error.Message, "processor time") {
		t.Errorf("processor time: %s %+v", got.Status, got.Error)
	}
}

// The status is that of the program, although something stands between it and the executor.
func TestThatCommandsAreAllowedChangesNoStatus(t *testing.T) {
	besideOthers(t)
	e := withCommands(t, "sleep")
	for code, want := range map[string]string{
		"import os; os._exit(7)":                                "error 7",
		"import sys; sys.exit(3)":                               "error 3",
		"import os; os.abort()":                                 "killed 134",
		"import os; os.kill(os.getpid(), 11)":                   "killed 139",
		"while True: pass":                                      "timeout 1",
		"import subprocess\nsubprocess.run(['sleep', '10000'])": "timeout 1",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			var limits executorclient.Limits
			if strings.HasPrefix(want, "timeout") {
				limits.Timeout = time.Second
			}
			got := e.run(t, code, withLimits(limits))
			if s := fmt.Sprintf("%s %d", got.Status, got.ExitCode); s != want {
				t.Errorf("%s, want %s: %+v", s, want, got.Error)
			}
		})
	}
}

// By default there are no commands, and a list that cannot be honoured is refused.
func TestCommandsThatCannotBeAllowedAreRefused(t *testing.T) {
	besideOthers(t)
	workspace := openDirectory(t, "workspace")
	script := filepath.Join(workspace, "script")
	if err := os.WriteFile(script, []byte("#!/usr/bin/env python3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*config.SidecarConfig){
		"unknown":         func(c *config.SidecarConfig) { c.Execution.AllowedCommands = []string{"no-such-command"} },
		"no file":         func(c *config.SidecarConfig) { c.Execution.AllowedCommands = []string{"/usr/bin"} },
		"not executable":  func(c *config.SidecarConfig) { c.Execution.AllowedCommands = []string{"/etc/passwd"} },
		"a script's tool": func(c *config.SidecarConfig) { c.Execution.AllowedCommands = []string{script} },
		"one that programs could replace": func(c *config.SidecarConfig) {
			c.Execution.AllowedCommands = []string{"sh", script}
			c.Filesystem.Workspace = config.Mount{Mount: workspace}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.DefaultSidecar()
			cfg.Execution.AllowDirectExecution = true
			change(&cfg)
			e, err := open(cfg)
			if err == nil {
				t.Error("it started", e.close())
			} else if fault.CodeOf(err) != fault.Config {
				t.Errorf("%s: %v", fault.CodeOf(err), err)
			}
		})
	}
}
