//go:build linux

package sidecar_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// cgroupLayer is that layer as an executor reports it.
func cgroupLayer(t *testing.T, e *executor) sandbox.Layer {
	t.Helper()
	for _, layer := range e.server.Layers() {
		if layer.Name == sandbox.Cgroup {
			return layer
		}
	}
	t.Fatal("an executor does not report its cgroups")
	return sandbox.Layer{}
}

// needCgroups skips where no cgroups bound anything. TestAllHoldsInAVirtualMachine, of
// which that can be said nowhere, sets the variable.
func needCgroups(t *testing.T, e *executor) {
	t.Helper()
	if layer := cgroupLayer(t, e); !layer.InForce {
		if os.Getenv(homeVariable) == "vm" {
			t.Fatalf("not in force: %s", layer.Detail)
		}
		t.Skip("no cgroups with controllers here: " + layer.Detail)
	}
}

// ownGroups lists the cgroups that this process has made for executors and their workers,
// but for those below some of them.
func ownGroups(t *testing.T, but ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if slices.Contains(but, path) {
			return fs.SkipDir
		}
		if err == nil && entry.IsDir() && strings.Contains(path, fmt.Sprintf("codemode-tree-%d-", os.Getpid())) {
			found = append(found, path)
		}
		return nil // what goes meanwhile is not there
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What the kernel counts for a run and the executor cannot see, its cgroup bounds: the run
// comes back with the status that says so, and the one beside it goes on.
func TestCgroupBoundsMemoryOfAnyKind(t *testing.T) {
	e := shared(t)
	needCgroups(t, e)
	beside, held := make(chan *executorclient.Result, 1), newHold(t)
	go func() {
		got, err := e.Execute(t.Context(), executorclient.Request{Code: "tools.hold()\n'fine'", Tools: held.tools})
		if err != nil {
			t.Error(err)
		}
		beside <- got
	}()
	<-held.begun
	for name, limits := range map[string]executorclient.Limits{"its own": {}, "less": {MemoryBytes: 64 << 20}} {
		t.Run(name, func(t *testing.T) {
			got := e.run(t, "import mmap\nm, part = mmap.mmap(-1, 1 << 30), bytes(1 << 20)\nfor i in range(1 << 10): m.write(part)", withLimits(limits))
			if got.Status != executorclient.MemoryLimit || got.Error == nil || !strings.Contains(got.Error.Message, "MiB of memory") {
				t.Errorf("%s %+v", got.Status, got.Error)
			}
		})
	}
	close(held.end)
	if got := <-beside; got == nil || got.Value != "fine" {
		t.Errorf("the run beside it: %+v", got)
	}
}

// One run's threads are its own: when it has all that it may have, another gets its own.
func TestCgroupBoundsThreadsOfEachRun(t *testing.T) {
	e := shared(t)
	needCgroups(t, e)
	got := e.run(t, `
import threading, time
for i in range(1000):
    threading.Thread(target=time.sleep, args=(10000,), daemon=True).start()`)
	if got.Status == executorclient.OK {
		t.Errorf("a thousand threads: %+v", got)
	}
	if got := e.run(t, "import threading\nt = threading.Thread(target=print); t.start(); t.join(); 1"); got.Value != int64(1) {
		t.Errorf("the next run: %+v", got)
	}
}

// limits.processors is held by the kernel, or the executor does not start.
func TestCgroupBoundsProcessors(t *testing.T) {
	probe := shared(t)
	if !strings.Contains(cgroupLayer(t, probe).Detail, "processors") {
		cfg := config.DefaultSidecar()
		cfg.Limits.Processors = 1
		e, err := open(cfg)
		if err == nil {
			t.Error(e.close())
		}
		if fault.CodeOf(err) != fault.Sandbox || !strings.Contains(err.Error(), "limits.processors") {
			t.Errorf("it starts without what it takes: %v", err)
		}
		return
	}
	e := start(t, func(c *config.SidecarConfig) { c.Limits.Processors = 1 })
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
	defer cancel()
	ended := make(chan struct{})
	go func() { // its group is there for as long as it runs
		defer close(ended)
		got, err := e.Execute(ctx, executorclient.Request{Code: "import time\nwhile True: time.sleep(1)"})
		if err == nil && got.Status != executorclient.Cancelled {
			t.Errorf("a run on one processor: %+v", got)
		}
	}()
	held := func() bool {
		return slices.ContainsFunc(ownGroups(t), func(group string) bool {
			text, err := os.ReadFile(filepath.Join(group, "cpu.max"))
			return err == nil && strings.HasPrefix(string(text), "100000 100000")
		})
	}
	for !held() && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Errorf("no group is held to one processor: %v", ownGroups(t))
	}
	cancel()
	<-ended
}

// Where there are cgroups of any kind, a run with commands has one, and it goes with it.
func TestCgroupsGoWithTheirRuns(t *testing.T) {
	before := ownGroups(t)
	cfg := patient()
	cfg.Execution = config.Execution{AllowDirectExecution: true, AllowedCommands: []string{"sh", "sleep"}}
	e, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	closed := sync.OnceValue(e.close)
	t.Cleanup(func() {
		if err := closed(); err != nil {
			t.Error(err)
		}
	})
	if layer := cgroupLayer(t, e); !layer.InForce && !strings.Contains(layer.Detail, "cgroup.kill") {
		t.Skip("no cgroups here: " + layer.Detail)
	}
	held, ended := newHold(t), make(chan struct{})
	go func() {
		defer close(ended)
		got, err := e.Execute(t.Context(), executorclient.Request{Tools: held.tools, Code: `
import subprocess
subprocess.Popen(['sh', '-c', 'sleep 1000 & sleep 1000 & sleep 1000'], start_new_session=True)
tools.hold()
1`})
		if err != nil || got.Value != int64(1) {
			t.Errorf("%+v, %v", got, err)
		}
	}()
	select {
	case <-held.begun:
	case <-ended:
		t.Fatal("the run did not get far")
	}
	// Those of other executors' workers come and go; this one's are below one of its own.
	populated := func() bool {
		return slices.ContainsFunc(ownGroups(t, before...), func(group string) bool {
			pids, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
			return err == nil && strings.Count(string(pids), "\n") >= 4 // the program, sh, sleeps
		})
	}
	waitFor(t, populated)
	close(held.end)
	<-ended
	waitFor(t, func() bool { return !populated() })
	if err := closed(); err != nil {
		t.Fatal(err)
	}
	if now := ownGroups(t, before...); len(now) > 0 {
		t.Errorf("left behind: %v", now)
	}
}
