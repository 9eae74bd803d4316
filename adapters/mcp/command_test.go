//go:build unix

package mcp_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

func commandSource(kind string) *mcp.Source {
	return &mcp.Source{Name: "c", Command: os.Args[0], Env: map[string]string{"CODEMODE_TEST_SERVER": kind}, MaxMessageBytes: 256 << 10}
}

func callText(t *testing.T, reg *registry.Registry, name string) string {
	t.Helper()
	got, err := reg.Call(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	var said string
	if err := json.Unmarshal(got, &said); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestACommandGetsNoSecretsOfThisProcess(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell")
	t.Setenv("CODEMODE_API_KEY", "do-not-tell")
	environ := callText(t, start(t, commandSource("good")), "c.environ")
	if strings.Contains(environ, "do-not-tell") {
		t.Errorf("its environment is\n%s", environ)
	}
	for _, name := range []string{"PATH=", "CODEMODE_TEST_SERVER=good"} {
		if !strings.Contains(environ, name) {
			t.Errorf("its environment lacks %s:\n%s", name, environ)
		}
	}
}

func TestACommandThatCrashesIsStartedAgainByTheNextCall(t *testing.T) {
	reg := start(t, commandSource("good"))
	first := callText(t, reg, "c.pid")
	_, err := reg.Call(t.Context(), "c.crash", nil)
	wantKind(t, err, registry.KindUnavailable, "there is no usable answer")
	if second := callText(t, reg, "c.pid"); second == first {
		t.Error("the process that crashed answered")
	}
}

func TestAGiantMessageIsAnErrorAndNotThisProcessesMemory(t *testing.T) {
	reg := start(t, commandSource("good"))
	_, err := reg.Call(t.Context(), "c.huge", nil)
	wantKind(t, err, registry.KindTooLarge, "more than 262144 bytes")
	callText(t, reg, "c.pid")
}

func TestCloseEndsACommandAndWhatItStarted(t *testing.T) {
	reg := registry.New()
	source := commandSource("good")
	if err := source.Start(t.Context(), reg); err != nil {
		t.Fatal(err)
	}
	server, child := callText(t, reg, "c.pid"), callText(t, reg, "c.child")
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{server, child} {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		// Whoever inherits the child takes a moment to bury it.
		waittest.Until(t, "the process "+text+" is still there", func() bool { return syscall.Kill(pid, 0) != nil || isZombie(pid) })
	}
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestACommandThatCannotBeUsedSaysWhy(t *testing.T) {
	for kind, words := range map[string]string{
		"refuses":  "the MCP server c cannot be used: .*it said: no licence key",
		"silent":   "took too long",
		"stubborn": "took too long",
	} {
		source := commandSource(kind)
		if kind != "refuses" {
			source.ConnectTimeout = 200 * time.Millisecond
		}
		err := source.Start(t.Context(), registry.New())
		first, last, _ := strings.Cut(words, ".*")
		if codemode.CodeOf(err) != codemode.CodeUnavailable || !strings.Contains(err.Error(), first) || !strings.Contains(err.Error(), last) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	err := (&mcp.Source{Name: "c", Command: "/nowhere/server"}).Start(t.Context(), registry.New())
	if codemode.CodeOf(err) != codemode.CodeUnavailable || !strings.Contains(err.Error(), "/nowhere/server") {
		t.Errorf("a command that is not there: %v", err)
	}
}
