//go:build linux

package sidecar_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar"
)

type configOf = config.SidecarConfig

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	waittest.Until(t, "it did not come to pass", done)
}

// rest waits until an executor makes no workers any more, and runs nothing.
func (e *executor) rest(t *testing.T, ready int) {
	t.Helper()
	waitFor(t, func() bool {
		stats := e.server.Stats()
		return stats.Ready == ready && stats.Starting+stats.Running+stats.Queued == 0
	})
}

// forkServers gives the children of this process: an executor's fork server is one, and
// its workers are their children in turn.
func forkServers(t *testing.T) map[int]bool {
	t.Helper()
	found := map[int]bool{}
	for pid, parent := range processes(t) {
		if parent == os.Getpid() {
			found[pid] = true
		}
	}
	return found
}

// processes gives the parent of every process that is not a zombie.
func processes(t *testing.T) map[int]int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	parents := map[int]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // gone
		}
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, failed := strconv.Atoi(string(fields[1]))
		if err != nil || failed != nil {
			t.Fatal(path, err, failed)
		}
		if fields[0][0] != 'Z' {
			parents[pid] = parent
		}
	}
	return parents
}

// newForkServer gives the fork server that was not there before, and waits for it.
func newForkServer(t *testing.T, before map[int]bool) (found int) {
	t.Helper()
	waittest.Until(t, "there is no new fork server", func() bool {
		for pid := range forkServers(t) {
			if !before[pid] {
				found = pid
			}
		}
		return found != 0
	})
	return found
}

func workersOf(t *testing.T, server int) int {
	t.Helper()
	count := 0
	for _, parent := range processes(t) {
		if parent == server {
			count++
		}
	}
	return count
}

// Killing the fork server in the middle of a run costs that run, with a status, and
// nothing else: the next one works.
func TestForkServerDeathCostsOnlyItsRuns(t *testing.T) {
	before := forkServers(t)
	e := start(t, func(*configOf) {})
	server := newForkServer(t, before)
	var wg sync.WaitGroup
	running := make(chan struct{})
	wg.Go(func() {
		got, err := e.Execute(t.Context(), executorclient.Request{
			Code: "print(1)\nwhile True: pass", OnEvent: onFirst(running),
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

// onFirst closes a channel when a program is first heard of.
func onFirst(heard chan struct{}) func(executorclient.Event) {
	once := sync.OnceFunc(func() { close(heard) })
	return func(executorclient.Event) { once() }
}

// A hold has a tool, hold, that keeps the programs that call it until end is closed.
type hold struct {
	tools      *registry.Registry
	begun, end chan struct{}
}

func newHold(t *testing.T) *hold {
	t.Helper()
	h := &hold{registry.New(), make(chan struct{}, 100), make(chan struct{})}
	if err := registry.Func(h.tools, "hold", "", func(ctx context.Context, _ struct{}) (int, error) {
		h.begun <- struct{}{}
		select {
		case <-h.end:
			return 0, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

// Cancelling reaches the process: the run ends long before its time is over, and it goes.
func TestCancelKillsTheProcess(t *testing.T) {
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady = 0 })
	server := newForkServer(t, before)
	waitFor(t, func() bool { return e.run(t, "1").Status == executorclient.OK })
	ctx, cancel := context.WithCancel(t.Context())
	got, err := e.Execute(ctx, executorclient.Request{
		Code: "print(1)\nwhile True: pass", OnEvent: func(executorclient.Event) { cancel() },
	})
	if err == nil || got.Status != executorclient.Cancelled {
		t.Errorf("%s %v", got.Status, err)
	}
	waitFor(t, func() bool { return workersOf(t, server) == 0 })
}

// Closing in the middle of runs ends them, and leaves no process.
func TestCloseEndsWhatRuns(t *testing.T) {
	before := forkServers(t)
	e, err := open(patient())
	if err != nil {
		t.Fatal(err)
	}
	server := newForkServer(t, before)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := e.Execute(t.Context(), executorclient.Request{Code: "while True: pass"}); err == nil {
				t.Error("a run that was cut off has no error")
			}
		})
	}
	waitFor(t, func() bool { return e.server.Stats().Running == 4 })
	if err := e.server.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := e.close(); err != nil {
		t.Error(err)
	}
	if forkServers(t)[server] {
		t.Error("the fork server is left behind")
	}
	// What a fork server leaves behind goes to the init of the system, or of a container.
	waitFor(t, func() bool { return workersOf(t, server) == 0 })
}

// Shutting down lets what runs come to its end.
func TestShutdownDrains(t *testing.T) {
	e, err := open(patient())
	if err != nil {
		t.Fatal(err)
	}
	held := newHold(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		got, err := e.Execute(t.Context(), executorclient.Request{Code: "tools.hold()\n'done'", Tools: held.tools})
		if err != nil || got.Value != "done" {
			t.Errorf("%v %+v", err, got)
		}
	})
	<-held.begun
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
	defer cancel()
	wg.Go(func() {
		if err := e.server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, func() bool { return e.server.Unready() != "" })
	close(held.end)
	wg.Wait()
	if _, err := e.Execute(t.Context(), executorclient.Request{Code: "1"}); err == nil {
		t.Error("a run was admitted after the shutdown")
	}
	if err := e.close(); err != nil {
		t.Error(err)
	}
}

// A fork server that is replaced takes no run with it, and does not stay behind.
func TestReplacedForkServersLoseNoRun(t *testing.T) {
	sidecar.ReplaceForkServersAfter(t, 5)
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.ForkServers = 2 })
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 10 {
				got, err := e.Execute(t.Context(), executorclient.Request{Code: "1+1"})
				if err != nil || got.Value != int64(2) {
					t.Errorf("1+1 gave %+v, %v", got, err)
				}
			}
		})
	}
	callers.Wait()
	waitFor(t, func() bool { return len(forkServers(t)) == len(before)+2 })
}

// A burst is followed by a pool as small as before it.
func TestABurstRaisesThePoolForAWhileOnly(t *testing.T) {
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady, c.Pool.MaxWorkers = 1, 8 })
	server := newForkServer(t, before)
	held := newHold(t)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() { e.run(t, "tools.hold()", withTools(held.tools)) })
	}
	for range 8 {
		<-held.begun
	}
	if n := workersOf(t, server); n < 8 {
		t.Errorf("eight programs run in %d processes", n)
	}
	close(held.end)
	callers.Wait()
	waitFor(t, func() bool { return workersOf(t, server) == 1 })
}
