package cpython_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// systemPython gives a usable interpreter, as PATH has it; tests of what is found on a
// real system need one.
func systemPython(t *testing.T) *cpython.Install {
	t.Helper()
	install, err := cpython.Find(t.Context(), cpython.Auto, "")
	if err != nil {
		t.Skipf("no Python on this machine: %v", err)
	}
	return install
}

// script writes an executable shell script.
func script(t *testing.T, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("shell scripts")
	}
	path := filepath.Join(t.TempDir(), "python3")
	// A writer that a concurrent fork still holds makes execve fail with ETXTBSY, so the
	// script is put there by a process of its own.
	cmd := exec.Command("/bin/sh", "-c", `cat > "$0" && chmod 755 "$0"`, path)
	cmd.Stdin = strings.NewReader("#!/bin/sh\n" + body)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func TestAutoFindsAnExecutableProperAndNotAShim(t *testing.T) {
	install := systemPython(t)
	if install.Source != cpython.SourcePath {
		t.Errorf("Source = %q, want %q", install.Source, cpython.SourcePath)
	}
	head := make([]byte, 4)
	f, err := os.Open(install.Executable)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(head); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && string(head) != "\x7fELF" {
		t.Errorf("%s starts with %q: not an ELF file", install.Executable, head)
	}
	out, err := exec.Command(install.Executable, "-I", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])), sys.prefix)").Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(install.Version+" "+install.Prefix, strings.TrimSpace(string(out))); diff != "" {
		t.Errorf("the executable is not the Python that was described (-described +started):\n%s", diff)
	}
}

func TestReadPathsCoverEverythingThatImportsOpen(t *testing.T) {
	install := systemPython(t)
	for _, path := range install.ReadPaths {
		if !filepath.IsAbs(path) || path == "/" {
			t.Errorf("ReadPaths has %q", path)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("ReadPaths has what does not exist: %v", err)
		}
		if path == "/usr" || path == "/etc" || path == "/usr/local" {
			t.Errorf("ReadPaths opens all of %s", path)
		}
	}
	// An audit hook sees every file that is opened from Python; the loader's are mapped.
	const program = `
import sys
seen = set()
sys.addaudithook(lambda event, args: seen.add(args[0]) if event == "open" and isinstance(args[0], str) else None)
import json, asyncio, ctypes, decimal, hashlib, ssl, sqlite3, zoneinfo, statistics, unittest, encodings.idna
try:
    zoneinfo.ZoneInfo("Europe/Berlin")
except zoneinfo.ZoneInfoNotFoundError:
    pass
seen.discard("/proc/self/maps")
files = set(seen)
for line in open("/proc/self/maps"):
    fields = line.split(None, 5)
    if len(fields) == 6:
        files.add(fields[5].strip())
print("\n".join(f for f in files if f.startswith("/") and not f.startswith("/proc/")))
`
	out, err := exec.Command(install.Executable, "-I", "-B", "-c", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		if _, err := os.Stat(file); err != nil {
			continue
		}
		if !covered(install.ReadPaths, file) {
			t.Errorf("%s is read and lies under none of %q", file, install.ReadPaths)
		}
	}
}

func covered(roots []string, file string) bool {
	for _, root := range roots {
		resolved, err := filepath.EvalSymlinks(root)
		if err != nil {
			continue
		}
		for _, r := range []string{root, resolved} {
			if file == r || strings.HasPrefix(file, r+"/") {
				return true
			}
		}
	}
	return false
}

func TestAVirtualEnvironmentIsFoundByItsDirectoryAndByItsInterpreter(t *testing.T) {
	base := systemPython(t)
	env := filepath.Join(t.TempDir(), "env")
	if out, err := exec.Command(base.Executable, "-I", "-m", "venv", "--without-pip", env).CombinedOutput(); err != nil {
		t.Skipf("this Python makes no virtual environments: %v: %s", err, out)
	}
	for _, setting := range []string{env, filepath.Join(env, "bin", "python"), filepath.Join(env, "bin", "python3")} {
		install, err := cpython.Find(t.Context(), setting, "")
		if err != nil {
			t.Fatalf("%s: %v", setting, err)
		}
		if install.Prefix != env {
			t.Errorf("%s: Prefix = %s, want %s: its packages would be lost", setting, install.Prefix, env)
		}
		if install.BasePrefix != base.BasePrefix {
			t.Errorf("%s: BasePrefix = %s, want %s", setting, install.BasePrefix, base.BasePrefix)
		}
		if install.Source != cpython.SourceConfigured {
			t.Errorf("%s: Source = %q", setting, install.Source)
		}
		out, err := exec.Command(install.Executable, "-I", "-c", "import sys; print(sys.prefix)").Output()
		if err != nil || strings.TrimSpace(string(out)) != env {
			t.Errorf("%s: starting %s gives prefix %q, %v", setting, install.Executable, out, err)
		}
		for _, need := range []string{env, base.Executable} {
			if !covered(install.ReadPaths, need) {
				t.Errorf("%s: %s lies under none of %q", setting, need, install.ReadPaths)
			}
		}
	}
}

func TestAShimThatIsAScriptLeadsToTheInterpreterBehindIt(t *testing.T) {
	base := systemPython(t)
	shim := script(t, "exec '"+base.Executable+"' \"$@\"\n")
	install, err := cpython.Find(t.Context(), shim, "")
	if err != nil {
		t.Fatal(err)
	}
	if install.Executable != base.Executable {
		t.Errorf("Executable = %s, want %s", install.Executable, base.Executable)
	}
}

func TestTheProbeHandsNoSecretOn(t *testing.T) {
	base := systemPython(t)
	t.Setenv("CODEMODE_API_KEY", "sesame")
	t.Setenv("PYTHONPATH", "/nonexistent")
	seen := filepath.Join(t.TempDir(), "seen")
	shim := script(t, "env > '"+seen+"'\nexec '"+base.Executable+"' \"$@\"\n")
	if _, err := cpython.Find(t.Context(), shim, ""); err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(env)) {
		name, _, _ := strings.Cut(line, "=")
		switch name {
		case "PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_":
		default:
			t.Errorf("the interpreter was given %s", name)
		}
	}
}

// described is a script that answers like an interpreter with this description.
func described(t *testing.T, json string) string {
	return script(t, "printf '\\ncodemode-probe:%s\\n' '"+json+"'\n")
}

const goodDescription = `{"implementation":"cpython","version":[3,12,1],"executable":"/bin/sh","prefix":"/usr","exec_prefix":"/usr",` +
	`"base_prefix":"/usr","base_exec_prefix":"/usr","path":[],"stdlib":"/usr/lib","no_ctypes":"","mapped":[]}`

func TestAnUnusableInterpreterIsRefusedWithTheReasonAndTheRemedy(t *testing.T) {
	replace := func(old, new string) string {
		changed := strings.Replace(goodDescription, old, new, 1)
		if changed == goodDescription {
			t.Fatalf("%q is not in the description", old)
		}
		return described(t, changed)
	}
	notExecutable := filepath.Join(t.TempDir(), "python3")
	if err := os.WriteFile(notExecutable, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, setting, want string
	}{
		{"too old", replace("3,12,1", "3,9,20"), "Python 3.9.20, and programs need 3.10"},
		{"version 4 is not known to work", replace("3,12,1", "4,0,0"), "Python 4.0.0"},
		{"not CPython", replace("cpython", "pypy"), "pypy 3.12.1, and programs need CPython"},
		{"no ctypes", replace(`no_ctypes":"`, `no_ctypes":"ModuleNotFoundError: No module named _ctypes`), "No module named _ctypes"},
		{"a script for an executable", replace("/bin/sh", script(t, "")), "not an ELF file"},
		{"a relative executable", replace("/bin/sh", "python3"), "not an absolute path"},
		{"no description", script(t, "echo hello\n"), "did not say what it is"},
		{"half a description", script(t, "printf '\\ncodemode-probe:{'\n"), "did not say what it is"},
		{"fails", script(t, "echo broken install >&2; exit 3\n"), "exit status 3: broken install"},
		{"Python 2", script(t, "echo 'Unknown option: -I' >&2; exit 2\n"), "older than 3.4"},
		{"not executable", notExecutable, "cannot be executed"},
		{"missing file", "/nonexistent/python3", "no such file"},
		{"missing command", "python3-nonexistent", "was not found"},
		{"directory without Python", t.TempDir(), "holds no Python"},
	} {
		t.Run(test.name, func(t *testing.T) {
			install, err := cpython.Find(t.Context(), test.setting, "")
			if err == nil {
				t.Fatalf("accepted as %+v", install)
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Python {
				t.Fatalf("%#v is not a fault with the code python", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
			if f.Remedy == "" {
				t.Errorf("%q has no remedy", err)
			}
		})
	}
}

func TestAMissingLoaderIsExplainedAsMusl(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("ELF")
	}
	base := systemPython(t)
	program, err := os.ReadFile(base.Executable)
	if err != nil {
		t.Fatal(err)
	}
	i := strings.Index(string(program[:4096]), "/ld-linux")
	if i < 0 {
		t.Skip("not a glibc executable")
	}
	copy(program[i:], "/zz-linux")
	path := filepath.Join(t.TempDir(), "python3")
	cmd := exec.Command("/bin/sh", "-c", `cat > "$0" && chmod 755 "$0"`, path)
	cmd.Stdin = strings.NewReader(string(program))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, err = cpython.Find(t.Context(), path, "")
	if err == nil || !strings.Contains(err.Error(), "dynamic loader") || !strings.Contains(err.Error(), "Alpine") {
		t.Errorf("error is %v", err)
	}
}

func TestOldInterpretersOfThisMachineAreRefused(t *testing.T) {
	found := 0
	for _, pattern := range []string{"2.7*", "3.6*", "3.9*"} {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Skip(err)
		}
		paths, err := filepath.Glob(filepath.Join(home, ".pyenv", "versions", pattern, "bin", "python"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			found++
			_, err := cpython.Find(t.Context(), path, "")
			if err == nil || !strings.Contains(err.Error(), "programs need 3.10") {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if found == 0 {
		t.Skip("no old Python on this machine")
	}
}

func TestWithoutAnyPythonTheErrorSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := cpython.Find(t.Context(), cpython.Auto, "")
	if fault.CodeOf(err) != fault.Python || !strings.Contains(err.Error(), "sidecar/embeddedpython") {
		t.Errorf("error is %v", err)
	}
}

func TestAnOldPython3GivesWayToANewerOneUnderItsOwnName(t *testing.T) {
	old := described(t, strings.Replace(goodDescription, "3,12,1", "3,6,8", 1))
	newer := described(t, goodDescription)
	dir := t.TempDir()
	for name, target := range map[string]string{"python3": old, "python3.12": newer} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	// The scripts call nothing but printf, which is built into sh.
	install, err := cpython.Find(t.Context(), cpython.Auto, "")
	if err != nil {
		t.Fatal(err)
	}
	if install.Version != "3.12.1" {
		t.Errorf("Version = %s", install.Version)
	}
}

func TestCancellingKillsTheShimAndWhatItStarted(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	shim := script(t, "sleep 1000 &\necho $! > '"+pidFile+"'\nwait\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var pid []byte
	go func() {
		defer cancel()
		waittest.Poll(func() bool {
			text, err := os.ReadFile(pidFile)
			pid = text
			return err == nil && bytes.HasSuffix(text, []byte("\n"))
		})
	}()
	_, err := cpython.Find(ctx, shim, "")
	if fault.CodeOf(err) != fault.Cancelled {
		t.Errorf("error is %v", err)
	}
	<-ctx.Done()
	// Reaped by init, or left as a zombie where nothing reaps: either way without a
	// command line.
	waittest.Until(t, "what the shim started is still running", func() bool {
		cmdline, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/cmdline")
		return err != nil || len(cmdline) == 0
	})
}
