//go:build linux

package sidecar_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/cpython"
)

// Who names a virtual environment has its packages in programs.
func TestProgramsImportFromAVirtualEnvironment(t *testing.T) {
	besideOthers(t)
	env := virtualEnvironment(t, map[string]string{"greeting": "text = 'hello'\n"})
	cfg := patient()
	cfg.Python = env
	server, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.close(); err != nil {
			t.Error(err)
		}
	}()
	got := server.run(t, "import greeting, sys\n[greeting.text, sys.prefix]")
	if got.Status != executorclient.OK {
		t.Fatalf("%s %+v", got.Status, got.Error)
	}
	if value, ok := got.Value.([]any); !ok || value[0] != "hello" || value[1] != env {
		t.Errorf("%v, want hello and %s", got.Value, env)
	}
}

// virtualEnvironment makes one with the given modules, by their names, for the interpreter
// of the tests.
func virtualEnvironment(t *testing.T, modules map[string]string) string {
	t.Helper()
	base := os.Getenv(pythonVariable)
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		install, err := cpython.Find(t.Context(), cpython.Auto, filepath.Join(cache, "codemode"))
		if err != nil {
			t.Fatal(err)
		}
		base = install.Executable
	}
	env := filepath.Join(openDirectory(t, "venv"), "env")
	if out, err := exec.CommandContext(t.Context(), base, "-I", "-m", "venv", "--without-pip", env).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sites, err := filepath.Glob(filepath.Join(env, "lib/python3.*/site-packages"))
	if err != nil || len(sites) != 1 {
		t.Fatal(sites, err)
	}
	for name, source := range modules {
		if err := os.WriteFile(filepath.Join(sites[0], name+".py"), []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return env
}
