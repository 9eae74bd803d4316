package cpython_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// A registration is for the life of a process, so each case is a process.
func TestARegisteredCPythonIsTheOnlyOneAutoConsiders(t *testing.T) {
	for _, test := range []struct{ mode, want string }{
		{"works", "embedded /embedded/python3"},
		{"fails", "python: the cache is gone"},
		{"setting", "python: the Python interpreter \"/nonexistent\""},
		{"twice", "panic"},
	} {
		t.Run(test.mode, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestRegisteredInChild$", "-test.v")
			cmd.Env = append(os.Environ(), "TEST_CHILD_MODE="+test.mode)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if !strings.Contains(string(out), "GOT "+test.want) {
				t.Errorf("want %q in:\n%s", test.want, out)
			}
		})
	}
}

func TestRegisteredInChild(t *testing.T) {
	mode := os.Getenv("TEST_CHILD_MODE")
	if mode == "" {
		t.Skip("runs as a child of the test above")
	}
	provider := func(context.Context, string) (*cpython.Install, error) {
		if mode == "fails" {
			return nil, fault.New(fault.Python, "the cache is gone")
		}
		return &cpython.Install{Executable: "/embedded/python3"}, nil
	}
	cpython.RegisterEmbedded(provider)
	setting := cpython.Auto
	switch mode {
	case "twice":
		defer func() {
			if recover() != nil {
				t.Log("GOT panic")
			}
		}()
		cpython.RegisterEmbedded(provider)
	case "setting":
		setting = "/nonexistent"
	}
	install, err := cpython.Find(t.Context(), setting, "")
	if err != nil {
		t.Logf("GOT %s: %v", fault.CodeOf(err), err)
		return
	}
	t.Logf("GOT %s %s", install.Source, install.Executable)
}
