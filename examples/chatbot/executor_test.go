package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

// executorArgument makes a process of the test's binary an executor.
const executorArgument = "become-executor"

func becomeExecutor(socket string) error {
	executor, listener, err := listen(socket)
	if err != nil {
		return err
	}
	return errors.Join(executor.Serve(listener), executor.Close())
}

// serveExecutor serves an executor in a process of its own, as in production, until kill.
func serveExecutor(t *testing.T, socket string) (kill func()) {
	t.Helper()
	if err := os.RemoveAll(socket); err != nil { // of one that was killed
		t.Fatal(err)
	}
	serve := exec.Command(os.Args[0], executorArgument, socket)
	serve.Stderr = os.Stderr
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = serve.Process.Kill() // it may have ended
		_ = serve.Wait()         // that it was killed
	})
	t.Cleanup(kill)
	waittest.Until(t, "the executor does not come up", func() bool {
		connection, err := net.Dial("unix", socket)
		return err == nil && connection.Close() == nil
	})
	return kill
}

func TestAnExecutorThatDiesIsReportedAndMissedNoLonger(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "executor")
	kill := serveExecutor(t, socket)
	t.Setenv("CODEMODE_EXECUTOR_URL", "unix://"+socket)
	c := &talk{app: demoApp(t)}
	events := c.mustSay("run a slow program", func(e told) {
		if e.kind == eventOutput {
			kill()
		}
	})
	if ended := only(events, eventExecution); len(ended) != 1 || ended[0].text("status") != "lost" || !strings.Contains(ended[0].text("message"), "executor") {
		t.Errorf("the program is shown as %v", ended)
	}
	if text := joined(events, eventError); !strings.Contains(text, "executor") {
		t.Errorf("the page says %q", text)
	}
	if text := joined(c.mustSay("test", nil), eventError); !strings.Contains(text, "executor") {
		t.Errorf("without an executor the page says %q", text)
	}
	serveExecutor(t, socket)
	back := c.mustSay("test", nil)
	if text := joined(back, eventText); !strings.Contains(text, "runs programs here") {
		t.Errorf("with the executor back, the answer is %q %q", text, joined(back, eventError))
	}
}
