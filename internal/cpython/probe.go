package cpython

import (
	"bytes"
	"context"
	"debug/elf"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// probeTimeout bounds one start of an interpreter that is being looked at. A shim on a
// cold disk takes a second or two, and a busy machine many times that.
const probeTimeout = time.Minute

// probeOutputLimit bounds what is kept of each of the interpreter's output streams.
const probeOutputLimit = 1 << 20

//go:embed probe.py
var probeSource string

const probeMarker = "codemode-probe:"

// description is what probe.py prints.
type description struct {
	Implementation string   `json:"implementation"`
	Version        [3]int   `json:"version"`
	Executable     string   `json:"executable"`
	Prefix         string   `json:"prefix"`
	ExecPrefix     string   `json:"exec_prefix"`
	BasePrefix     string   `json:"base_prefix"`
	BaseExecPrefix string   `json:"base_exec_prefix"`
	Path           []string `json:"path"`
	Stdlib         string   `json:"stdlib"`
	NoCtypes       string   `json:"no_ctypes"`
	Mapped         []string `json:"mapped"`
}

// Probe starts the interpreter at path, which may be a link or a shim, asks it what it is
// and checks that programs can run on it. The Source of the result is empty.
//
// The interpreter sees PATH and HOME and nothing else of the environment. Errors have
// the code fault.Python, or fault.Cancelled if ctx ended.
func Probe(ctx context.Context, path string) (*Install, error) {
	out, err := runProbe(ctx, path)
	if err != nil {
		return nil, err
	}
	d, err := parseDescription(out)
	if err != nil {
		return nil, fault.Wrap(fault.Python, err, "%s did not say what it is", path).
			WithRemedy("is it a CPython? %s -I -c 'import sys; print(sys.version)' tells", path)
	}
	version := fmt.Sprintf("%d.%d.%d", d.Version[0], d.Version[1], d.Version[2])
	if d.Implementation != "cpython" {
		return nil, fault.New(fault.Python, "%s is %s %s, and programs need CPython", path, d.Implementation, version).
			WithRemedy("name a CPython with executor.python")
	}
	if d.Version[0] != minMajor || d.Version[1] < minMinor {
		return nil, fault.New(fault.Python, "%s is Python %s, and programs need %d.%d or newer", path, version, minMajor, minMinor).
			WithRemedy("name a newer one with executor.python")
	}
	if d.NoCtypes != "" {
		return nil, fault.New(fault.Python, "%s cannot load the ctypes module, which confining a program takes (%s)", path, d.NoCtypes).
			WithRemedy("install it (python3-ctypes, or build CPython with the headers of libffi), or name another interpreter with executor.python")
	}
	executable, err := realExecutable(path, d)
	if err != nil {
		return nil, err
	}
	return &Install{
		Executable: executable,
		Prefix:     d.Prefix,
		BasePrefix: d.BasePrefix,
		Version:    version,
		ReadPaths:  readPaths(executable, d),
	}, nil
}

func runProbe(ctx context.Context, path string) ([]byte, error) {
	probeCtx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	cmd := exec.CommandContext(probeCtx, path, "-I", "-B", "-c", probeSource)
	cmd.Env = probeEnv()
	stdout, stderr := &boundedBuffer{}, &boundedBuffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = time.Second
	killWholeGroup(cmd)
	err := cmd.Run()
	if err == nil {
		return stdout.buf.Bytes(), nil
	}
	if ctx.Err() != nil {
		return nil, fault.Wrap(fault.Cancelled, context.Cause(ctx), "looking for a Python was cancelled")
	}
	if probeCtx.Err() != nil {
		return nil, fault.New(fault.Python, "%s did not answer within %s", path, probeTimeout).
			WithRemedy("name another interpreter with executor.python")
	}
	return nil, startError(path, err, stderr.buf.Bytes())
}

// probeEnv is what a shim needs to find the interpreter it stands for.
func probeEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "SYSTEMROOT"} {
		if name == "SYSTEMROOT" && runtime.GOOS != "windows" {
			continue
		}
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	if env == nil {
		// A nil Env would hand everything on.
		env = []string{}
	}
	return env
}

// startError explains why an interpreter did not run to its end.
func startError(path string, err error, stderr []byte) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		text := lastLines(stderr, 3)
		if strings.Contains(text, "nknown option: -I") {
			return fault.New(fault.Python, "%s is a Python older than 3.4, and programs need %d.%d or newer", path, minMajor, minMinor).
				WithRemedy("name a newer one with executor.python")
		}
		if text == "" {
			text = "it wrote nothing to standard error"
		}
		return fault.New(fault.Python, "%s did not start: %s: %s", path, exit, text).
			WithRemedy("run it by hand to see why, or name another interpreter with executor.python")
	}
	if errors.Is(err, fs.ErrNotExist) {
		// The kernel says "no such file" about the loader too.
		if loader := programLoader(path); loader != "" {
			if _, statErr := os.Stat(loader); statErr != nil {
				return fault.New(fault.Python, "%s does not start: it needs the dynamic loader %s, which this system does not have", path, loader).
					WithRemedy("a system with musl, or with no C library at all, such as Alpine or distroless/static, cannot run a CPython " +
						"built for glibc: use a glibc-based one, such as debian or distroless/base, or name a CPython of this system's own with executor.python")
			}
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return fault.Wrap(fault.Python, err, "%s cannot be executed", path).
			WithRemedy("check its permissions, and that its file system is not mounted noexec")
	}
	return fault.Wrap(fault.Python, err, "%s does not start", path).
		WithRemedy("name another interpreter with executor.python")
}

// programLoader gives the dynamic loader that an ELF file asks for, or "".
func programLoader(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return ""
		}
		return string(bytes.TrimRight(name, "\x00"))
	}
	return ""
}

func parseDescription(out []byte) (*description, error) {
	_, rest, ok := bytes.Cut(out, []byte("\n"+probeMarker))
	if !ok {
		return nil, errors.New("its output holds no description")
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	var d description
	if err := json.Unmarshal(line, &d); err != nil {
		return nil, err
	}
	for name, path := range map[string]string{
		"sys.executable": d.Executable, "sys.prefix": d.Prefix, "sys.base_prefix": d.BasePrefix,
	} {
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("%s is %q, which is not an absolute path", name, path)
		}
	}
	return &d, nil
}

// realExecutable gives the file to start from now on: what sys.executable leads to, or
// sys.executable itself in a virtual environment.
func realExecutable(path string, d *description) (string, error) {
	resolved, err := filepath.EvalSymlinks(d.Executable)
	if err != nil {
		return "", fault.Wrap(fault.Python, err, "%s says that its executable is %s, which cannot be used", path, d.Executable)
	}
	if runtime.GOOS == "linux" {
		f, err := elf.Open(resolved)
		if err != nil {
			return "", fault.Wrap(fault.Python, err, "%s says that its executable is %s, which is not an ELF file", path, resolved).
				WithRemedy("name the interpreter itself with executor.python, not a script that starts it")
		}
		if err := f.Close(); err != nil {
			return "", fault.Wrap(fault.Python, err, "%s cannot be read", resolved)
		}
	}
	if d.Prefix != d.BasePrefix {
		return filepath.Clean(d.Executable), nil
	}
	return resolved, nil
}

// lastLines gives the last n lines that are not blank, as one line.
func lastLines(text []byte, n int) string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

// boundedBuffer keeps the first probeOutputLimit bytes and reads on to the end, so that a
// chatty interpreter neither blocks nor fills the memory.
type boundedBuffer struct{ buf bytes.Buffer }

func (b *boundedBuffer) Write(p []byte) (int, error) {
	b.buf.Write(p[:min(len(p), probeOutputLimit-b.buf.Len())])
	return len(p), nil
}
