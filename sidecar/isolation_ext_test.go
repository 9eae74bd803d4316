//go:build linux

package sidecar_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar"
)

// attemptHead lets a program make system calls by number.
const attemptHead = `
import os, socket, ctypes, resource
libc = ctypes.CDLL(None, use_errno=True)
def syscall(number, *args):
    r = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if r < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return r
def check(status):
    if status != 0:
        raise PermissionError(status)
`

// Nothing of the host is in what a program is given.
func TestNothingIsInherited(t *testing.T) {
	t.Setenv("CODEMODE_API_KEY", "canary-4711")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-4711")
	e := start(t, func(*configOf) {})
	got := e.run(t, `
import os
fds = []
for fd in range(256):
    try:
        os.fstat(fd)
        fds.append(fd)
    except OSError: pass
sorted(os.environ), fds, os.getcwd() == os.environ['HOME']`)
	value := fmt.Sprint(got.Value)
	if want := "[[HOME LANG LC_ALL PATH TMPDIR TZ] [0 1 2 3] true]"; value != want {
		t.Errorf("environment, descriptors: %s, want %s", value, want)
	}
	got = e.run(t, `
import gc, sys
canary = '-'.join(['canary', str(4711)])
found = [repr(o)[:80] for o in gc.get_objects() if canary in str(o)[:100000]]
found`)
	if value := fmt.Sprint(got.Value); strings.Contains(value, "canary-4711") {
		t.Errorf("the key is in memory: %s", value)
	}
}

// Two runs share nothing: not files, not modules, not built-in names.
func TestRunsShareNothing(t *testing.T) {
	besideOthers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady = 1 })
	e.run(t, `
import builtins, json, os, sys
open('left', 'w').write('x')
os.makedirs('/tmp/dir/inner', exist_ok=True)
builtins.left = json.left = sys.left = 1
sys.modules['left'] = sys
os.environ['LEFT'] = '1'`)
	for range 3 {
		got := e.run(t, `
import builtins, json, os, sys
[os.listdir('.'), hasattr(builtins, 'left'), hasattr(json, 'left'), 'left' in sys.modules, 'LEFT' in os.environ]`)
		if value := fmt.Sprint(got.Value); value != "[[] false false false false]" {
			t.Fatalf("left behind: %s", value)
		}
	}
}

// What a run costs is given back: processes, directories, descriptors.
func TestNothingIsLeftOnTheHost(t *testing.T) {
	t.Setenv("TMPDIR", openDirectory(t, "own")) // where nobody else makes directories
	e := start(t, func(*configOf) {})
	ready := patient().Pool.MinReady
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	for range 5 {
		e.run(t, "1")
	}
	e.rest(t, ready)
	before := count()
	for i := range 40 {
		e.run(t, []string{"open('f', 'w').write('x' * 1000)", "import os; os._exit(1)", "1/0", "import os; os.abort()"}[i%4])
	}
	// Workers are taken apart off the path of a run; the pool refills meanwhile.
	waitFor(t, func() bool { return count() <= before+20 })
	// Where workers have directories of the host, those that wait have one each.
	waitFor(t, func() bool {
		left, err := filepath.Glob(filepath.Join(os.TempDir(), "codemode-*", "w*"))
		return err == nil && len(left) <= 2*ready
	})
}

// A machine that is too busy, or an interpreter that hangs, is no reason to go on with less
// of a sandbox than this machine can have.
func TestASlowStartWeakensNothing(t *testing.T) {
	sidecar.StartWithin(t, time.Millisecond)
	cfg := config.DefaultSidecar()
	cfg.Sandbox.Require = config.RequireUnsafeNone
	e, err := open(cfg)
	if err == nil {
		t.Fatal(e.close())
	}
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "did not start within 1ms") {
		t.Error(err)
	}
}
