package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/porttest"
	"github.com/codemode-sdk/codemode/registry"
)

// Replacing an executor under load loses nothing that was accepted and runs nothing
// twice, for a client that repeats what has not started.
func TestReplacingAnExecutorUnderLoadLosesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the executor needs Linux")
	}
	binary, err := exec.LookPath("codemode")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s")
	var ports [2]string
	for i := range ports {
		free, err := porttest.Free()
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = strconv.Itoa(free)
	}
	for _, way := range []struct {
		name, network, at, address string
		listen                     []string
	}{
		{"socket", "unix", socket, "unix://" + socket, []string{"--socket", socket}},
		{"port", "tcp", "127.0.0.1:" + ports[0], "http://127.0.0.1:" + ports[0], []string{"--port", ports[0]}},
		{"name", "tcp", "127.0.0.1:" + ports[1], "dns:///localhost:" + ports[1], []string{"--port", ports[1]}},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			replaceUnderLoad(t, way.address, append([]string{binary, "serve"}, way.listen...), func() bool {
				conn, err := net.Dial(way.network, way.at)
				return err == nil && conn.Close() == nil
			})
		})
	}
}

// replaceUnderLoad replaces the executor that a command starts, three times in CI and once
// elsewhere, with eight programs in flight; listening says whether there is one that takes connections.
func replaceUnderLoad(t *testing.T, address string, command []string, listening func() bool) {
	t.Helper()
	serve := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		// Limits that end nothing only because the machine is busy.
		cmd.Env = append(os.Environ(), "CODEMODE_LOG_LEVEL=warn", "CODEMODE_MAX_EXEC_TIME=2m", "CODEMODE_POOL_QUEUE_TIMEOUT=2m", "CODEMODE_DRAIN_TIMEOUT=3m")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	var ran sync.Map
	var executions atomic.Int64
	reg := registry.New()
	registry.Func(reg, "ran", "", func(_ context.Context, in struct{ Name string }) (bool, error) {
		_, twice := ran.LoadOrStore(in.Name, true)
		return twice, nil
	})
	client, err := executorclient.Dial(executorclient.Options{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	execute := func(name string) error {
		for {
			result, err := client.Execute(t.Context(), executorclient.Request{
				Tools: reg, Code: fmt.Sprintf("import time\ntwice = tools.ran(Name=%q)\ntime.sleep(0.05)\ntwice", name),
			})
			failed, ok := errors.AsType[*fault.Error](err)
			if ok && !failed.Started && failed.Code == fault.Unavailable && t.Context().Err() == nil {
				time.Sleep(5 * time.Millisecond)
				continue
			}
			if err != nil || result.Status != executorclient.OK || result.Value != false {
				return fmt.Errorf("%s: %w, %s, %v", name, err, result.Status, result.Value)
			}
			executions.Add(1)
			return nil
		}
	}
	old := serve()
	if err := execute("first"); err != nil {
		t.Fatal(err)
	}
	var load sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 8 {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := execute(fmt.Sprintf("%d-%d", worker, i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	replacements := 1
	if os.Getenv("CI") == "true" {
		replacements = 3
	}
	for range replacements {
		before := executions.Load()
		for executions.Load() < before+16 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		if err := old.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for listening() { // it gives the address up at once, before its programs have ended
			time.Sleep(time.Millisecond)
		}
		next := serve()
		if err := old.Wait(); err != nil {
			t.Errorf("the one that was replaced: %v", err)
		}
		old = next
	}
	close(stop)
	load.Wait()
	if err := old.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := old.Wait(); err != nil {
		t.Error(err)
	}
}
