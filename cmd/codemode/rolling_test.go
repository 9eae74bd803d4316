package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
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
	serve := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), binary, "serve", "--socket", socket)
		cmd.Env = append(os.Environ(), "CODEMODE_LOG_LEVEL=warn")
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
	client, err := executorclient.Dial(executorclient.Options{Address: "unix://" + socket})
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
	for range 3 {
		before := executions.Load()
		for executions.Load() < before+16 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		if err := old.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for { // it gives the socket up at once, before its programs have ended
			if _, err := os.Lstat(socket); err != nil {
				break
			}
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
