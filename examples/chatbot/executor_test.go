package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

// An executor is one in a process of its own, as in production.
func serveExecutor(t *testing.T, binary, socket string) *exec.Cmd {
	t.Helper()
	serve := exec.Command(binary, "serve", "--socket", socket)
	serve.Stderr = os.Stderr
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the executor does not come up", func() bool {
		probe := exec.Command(binary, "exec", "-")
		probe.Stdin = strings.NewReader("1")
		probe.Env = append(os.Environ(), "CODEMODE_EXECUTOR_URL=unix://"+socket)
		return probe.Run() == nil
	})
	return serve
}

func TestAnExecutorThatDiesIsReportedAndMissedNoLonger(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	dir := t.TempDir()
	binary, socket := filepath.Join(dir, "codemode"), filepath.Join(dir, "executor")
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-o", binary, "../../cmd/codemode").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	serve := serveExecutor(t, binary, socket)
	stop := func(serve *exec.Cmd) {
		_ = serve.Process.Kill() // it may have ended
		_ = serve.Wait()         // that it was killed
	}
	t.Setenv("CODEMODE_EXECUTOR_URL", "unix://"+socket)
	c := &talk{app: demoApp(t)}
	events := c.mustSay("run a slow program", func(e told) {
		if e.kind == eventOutput {
			stop(serve)
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
	serve = serveExecutor(t, binary, socket)
	defer stop(serve)
	back := c.mustSay("test", nil)
	if text := joined(back, eventText); !strings.Contains(text, "runs programs here") {
		t.Errorf("with the executor back, the answer is %q %q", text, joined(back, eventError))
	}
}
