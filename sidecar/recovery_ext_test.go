package sidecar_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
)

type configOf = config.SidecarConfig

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to pass within 10 s")
		}
	}
}

// descendants gives the processes below this one by name of their command line.
func descendants(t *testing.T) map[int]string {
	t.Helper()
	parents, names := map[int]int{}, map[int]string{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // gone
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		parents[pid], _ = strconv.Atoi(string(fields[1]))
		if fields[0][0] != 'Z' {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			names[pid] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
	found := map[int]string{}
	for pid, name := range names {
		for up := parents[pid]; up > 1; up = parents[up] {
			if up == os.Getpid() {
				found[pid] = name
				break
			}
		}
	}
	return found
}

// Killing the fork server in the middle of a run costs that run, with a status, and
// nothing else: the next one works.
func TestForkServerDeathCostsOnlyItsRuns(t *testing.T) {
	before := descendants(t)
	e := start(t, func(*configOf) {})
	var server int
	for pid, name := range descendants(t) {
		if _, old := before[pid]; !old && bytes.HasPrefix([]byte(name), []byte("codemode-fork-server")) && (server == 0 || pid < server) {
			server = pid
		}
	}
	var wg sync.WaitGroup
	running := make(chan struct{})
	wg.Go(func() {
		got, err := e.Execute(t.Context(), executorclient.Request{
			Code: "print(1)\nwhile True: pass", OnEvent: func(executorclient.Event) { close(running) },
		})
		if err != nil || got.Status != executorclient.Killed || got.Stdout != "1\n" {
			t.Errorf("the run on it: %v %+v", err, got)
		}
	})
	<-running
	if err := unix.Kill(server, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	waitFor(t, func() bool {
		got, err := e.Execute(t.Context(), executorclient.Request{Code: "1"})
		return err == nil && got.Status == executorclient.OK
	})
}

// Cancelling reaches the process: it is gone before anyone looks twice.
func TestCancelKillsTheProcess(t *testing.T) {
	before := descendants(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady = 0 })
	waitFor(t, func() bool { return e.run(t, "1").Status == executorclient.OK })
	ctx, cancel := context.WithCancel(t.Context())
	var cancelled time.Time
	got, err := e.Execute(ctx, executorclient.Request{Code: "print(1)\nwhile True: pass", OnEvent: func(executorclient.Event) {
		cancelled = time.Now()
		cancel()
	}})
	if err == nil || got.Status != executorclient.Cancelled {
		t.Errorf("%s %v", got.Status, err)
	}
	if took := time.Since(cancelled); took > time.Second {
		t.Errorf("Execute returned %s after the cancel", took)
	}
	waitFor(t, func() bool {
		workers := 0
		for pid := range descendants(t) {
			if _, old := before[pid]; !old {
				workers++
			}
		}
		return workers <= 1 // the fork server
	})
}

// Closing in the middle of runs ends them, and leaves no process.
func TestCloseEndsWhatRuns(t *testing.T) {
	before := descendants(t)
	e, err := open(config.DefaultSidecar())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := e.Execute(t.Context(), executorclient.Request{Code: "while True: pass"}); err == nil {
				t.Error("a run that was cut off has no error")
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	if err := e.server.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := e.Client.Close(); err != nil {
		t.Error(err)
	}
	for pid, name := range descendants(t) {
		if _, old := before[pid]; !old {
			t.Errorf("left behind: %d %s", pid, name)
		}
	}
}

// Shutting down lets what runs come to its end.
func TestShutdownDrains(t *testing.T) {
	e, err := open(config.DefaultSidecar())
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		got, err := e.Execute(t.Context(), executorclient.Request{
			Code: "import time\nprint(1)\ntime.sleep(0.5)\n'done'", OnEvent: func(executorclient.Event) { close(running) },
		})
		if err != nil || got.Value != "done" {
			t.Errorf("%v %+v", err, got)
		}
	})
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := e.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := e.Execute(t.Context(), executorclient.Request{Code: "1"}); err == nil {
		t.Error("a run was admitted after the shutdown")
	}
	if err := e.Client.Close(); err != nil {
		t.Error(err)
	}
}
