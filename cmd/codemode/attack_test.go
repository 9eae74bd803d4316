package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// TestAttacksGetThroughWithoutASandbox keeps doctor honest: an attack that fails on its
// own says nothing about what stopped it.
func TestAttacksGetThroughWithoutASandbox(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the attacks are Linux's")
	}
	cache, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	python, err := cpython.Find(t.Context(), cpython.Auto, cache)
	if err != nil {
		t.Fatal(err)
	}
	lure, err := newLure()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lure.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			program, err := a.program(lure.target)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "attack.py")
			// A run has tools; this one's cannot look.
			program = "class tools: look = staticmethod(lambda: None)\n" + program
			if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			before, output := lure.taken(), ""
			for range a.runs {
				output += runBare(t, python.Executable, file)
			}
			if !strings.Contains(output, "ESCAPED") {
				t.Errorf("nothing got through:\n%s", output)
			}
			switch a.name { // and the doctor would have noticed
			case "connect_tcp", "connect_unix", "send_udp":
				waittest.Until(t, "nothing arrived", func() bool { return lure.taken() > before })
			case "outlive_run":
				waittest.Until(t, "nothing was left", func() bool { return lure.count() > 0 })
			}
		})
	}
}

func runBare(t *testing.T, python, file string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-I", "-u", file)
	cmd.Dir = filepath.Dir(file)
	cmd.WaitDelay = time.Second // something may have outlived it, with its output open
	output, err := cmd.CombinedOutput()
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) && !strings.Contains(string(output), "ESCAPED") {
		t.Errorf("%v:\n%s", err, output)
	}
	return string(output)
}

func TestOnlyAVerdictOfAProgramThatEndedCounts(t *testing.T) {
	tests := []struct {
		name   string
		result codemode.Result
		want   outcome
	}{
		{"held", codemode.Result{Status: codemode.StatusOK, Stdout: "a: PermissionError: no\nHELD\n"}, held},
		{"escaped", codemode.Result{Status: codemode.StatusOK, Stdout: "ESCAPED a, b\n"}, escaped},
		{"escaped and killed", codemode.Result{Status: codemode.StatusKilled, Stdout: "ESCAPED a\n"}, escaped},
		{"silent", codemode.Result{Status: codemode.StatusOK}, unclear},
		{"killed after its verdict", codemode.Result{Status: codemode.StatusKilled, Stdout: "HELD\n"}, unclear},
		{"raised", codemode.Result{Status: codemode.StatusError, Error: &codemode.ProgramError{Type: "NameError"}}, unclear},
		{"replaced by another program", codemode.Result{Status: codemode.StatusError, Stdout: "a: PermissionError: no\n"}, unclear},
	}
	for _, test := range tests {
		v := verdict{Outcome: held}
		v.judge(&test.result)
		if v.Outcome != test.want {
			t.Errorf("%s: %s, want %s", test.name, v.Outcome, test.want)
		}
	}
}

func TestAnEscapeIsNotForgottenInTheSecondRun(t *testing.T) {
	v := verdict{Outcome: held}
	v.judge(&codemode.Result{Status: codemode.StatusOK, Stdout: "ESCAPED a\n"})
	v.judge(&codemode.Result{Status: codemode.StatusOK, Stdout: "HELD\n"})
	if v.Outcome != escaped || v.Detail != "a" {
		t.Errorf("%+v", v)
	}
}

func TestEveryAttackSaysWhatItTries(t *testing.T) {
	for _, a := range attacks() {
		if !strings.HasPrefix(a.tries, "Tries ") || !strings.HasSuffix(a.tries, ".") {
			t.Errorf("%s: %q", a.name, a.tries)
		}
	}
}

func TestSummaryCountsWhatStoppedTheAttempts(t *testing.T) {
	got := summary([]string{
		"os.fork: PermissionError: [Errno 1] no", "clone: PermissionError: [Errno 1] no",
		"find it: nothing to be had", "/x: FileNotFoundError: [Errno 2] none: '/x'", "HELD",
	})
	if diff := cmp.Diff("2 PermissionError, 1 FileNotFoundError", got); diff != "" {
		t.Error(diff)
	}
}
