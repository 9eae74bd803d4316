package codemode_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
)

// An application that is configured by a file, or by its environment alone, runs programs
// under what they say.
func TestConfigurationReachesTheExecutor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "codemode.yaml")
	if err := os.WriteFile(path, []byte("executor:\n  limits:\n    max_code_length: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*codemode.Codemode, error){
		"file":        func() (*codemode.Codemode, error) { return codemode.FromConfig(path) },
		"environment": codemode.FromEnv,
	} {
		t.Run(name, func(t *testing.T) {
			if name == "environment" {
				t.Setenv("CODEMODE_CONFIG", path)
			}
			cm, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer cm.Close()
			if result, err := cm.Execute(t.Context(), "1+1"); err != nil || result.Value != int64(2) {
				t.Errorf("%v, %v", result.Value, err)
			}
			if _, err := cm.Execute(t.Context(), "1+1+1+1"); codemode.CodeOf(err) != codemode.CodeRejected {
				t.Errorf("a program over the limit: %v", err)
			}
		})
	}
	if _, err := codemode.FromConfig(filepath.Join(t.TempDir(), "none.yaml")); codemode.CodeOf(err) != codemode.CodeConfig {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAnApplicationThatLogsIsWarnedOfAMisspeltVariable(t *testing.T) {
	t.Setenv("CODEMODE_EXECUTR_URL", "http://hunter2:8001")
	t.Setenv("CODEMODE_OF_THE_APPLICATION", "1")
	loaded, err := config.FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	loaded.Executor.URL = "http://127.0.0.1:1" // nothing is run
	var log bytes.Buffer
	start(t, codemode.Options{Config: loaded, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if text := log.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, "did you mean CODEMODE_EXECUTOR_URL?") ||
		strings.Contains(text, "hunter2") || strings.Contains(text, "OF_THE_APPLICATION") {
		t.Errorf("the log is %s", text)
	}
}

// Who waits no longer for an executor is told by which setting, and can tell it from a
// program that took too long.
func TestAnExecutorThatIsNotWaitedForIsSaid(t *testing.T) {
	cfg := config.Default()
	cfg.Executor.Timeout = 300 * time.Millisecond
	cm := start(t, codemode.Options{Config: cfg})
	result, err := cm.Execute(t.Context(), "while True: pass")
	failure, ok := errors.AsType[*codemode.Error](err)
	if !ok || failure.Code != codemode.CodeCancelled || !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "after 300ms, which is executor.timeout") || result.Status != codemode.StatusCancelled {
		t.Errorf("%v, %s", err, result.Status)
	}
}
