package sidecar_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
)

// attempts are what code that means harm tries first. Each is one expression or block
// that must raise an ordinary Python exception of the named kind.
var attempts = map[string]string{
	"read the password file":     `open('/etc/shadow').read()`,
	"read the user list":         `open('/etc/passwd').read()`,
	"read another's environment": `open('/proc/1/environ').read()`,
	"read its parent's":          `open(f'/proc/{os.getppid()}/environ').read()`,
	"list the root's home":       `os.listdir('/root')`,
	"list processes":             `os.listdir('/proc')`,
	"write to the root":          `open('/x', 'w')`,
	"write to its library":       `open(os.__file__, 'a')`,
	"write to the devices":       `open('/dev/x', 'w')`,
	"write by a link":            `os.symlink('/etc/passwd', 'link'); open('link', 'a')`,
	"climb out of its directory": `open('../../../../etc/shadow')`,
	"make a device":              `os.mknod('null', 0o600 | 0o020000, os.makedev(1, 3))`,
	"fork":                       `os.fork()`,
	"start a program":            `__import__('subprocess').run(['/bin/true'])`,
	"start a shell":              `check(os.system('true'))`,
	"become a program":           `os.execv('/bin/true', ['true'])`,
	"run a program of its own":   `open('p', 'w').write('#!/bin/sh\n'); os.chmod('p', 0o755); os.execv('./p', ['p'])`,
	"spawn a process":            `__import__('multiprocessing').Process(target=print).start()`,
	"signal its parent":          `os.kill(os.getppid(), 9)`,
	"signal init":                `os.kill(1, 15)`,
	"signal its group":           `os.kill(0, 15)`,
	"signal everyone":            `os.kill(-1, 9)`,
	"connect by TCP":             `socket.create_connection(('127.0.0.1', 22))`,
	"make a TCP socket":          `socket.socket(socket.AF_INET, socket.SOCK_STREAM)`,
	"make a UDP socket":          `socket.socket(socket.AF_INET, socket.SOCK_DGRAM)`,
	"make an IPv6 socket":        `socket.socket(socket.AF_INET6)`,
	"make a unix socket":         `socket.socket(socket.AF_UNIX)`,
	"make a netlink socket":      `socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)`,
	"make a raw socket":          `socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)`,
	"make a vsock socket":        `socket.socket(40)`,
	"make an alg socket":         `socket.socket(38, socket.SOCK_SEQPACKET)`,
	"fetch a page":               `__import__('urllib.request').request.urlopen('http://127.0.0.1/')`,
	"become root":                `os.setuid(0); check(os.getuid())`,
	"change its root":            `os.chroot('.')`,
	"raise its limits":           `resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))`,
	"limit its parent":           `resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))`,
	"pin another":                `os.sched_setaffinity(1, {0})`,
	"outrank others":             `os.nice(-5)`,
	"trace its parent":           `syscall(101, 16, os.getppid(), 0, 0)`,
	"read another's memory":      `syscall(310, os.getppid(), 0, 0, 0, 0, 0)`,
	"open another by pidfd":      `syscall(434, os.getppid(), 0)`,
	"take another's descriptor":  `syscall(438, 3, 0, 0)`,
	"make a namespace":           `syscall(272, 0x10000000)`,
	"enter a namespace":          `syscall(308, 3, 0)`,
	"mount":                      `syscall(165, b'none', b'/sandbox', b'tmpfs', 0, 0)`,
	"mount the new way":          `syscall(430, b'tmpfs', 0)`,
	"load a bpf program":         `syscall(321, 0, 0, 0)`,
	"use the keyring":            `syscall(250, 0, -3, 0)`,
	"add a key":                  `syscall(248, b'user', b'k', b'v', 1, -3)`,
	"use userfaultfd":            `syscall(323, 0)`,
	"use perf":                   `syscall(298, 0, 0, -1, -1, 0)`,
	"use io_uring":               `syscall(425, 8, ctypes.create_string_buffer(256))`,
	"hide a file in memory":      `syscall(319, b'x', 0)`,
	"open by handle":             `syscall(304, -100, 0, 0)`,
	"load a kernel":              `syscall(246, 0, 0, 0, 0)`,
	"share memory by System V":   `syscall(29, 1, 4096, 0o1777)`,
	"share semaphores":           `syscall(64, 1, 1, 0o1777)`,
	"queue messages":             `syscall(68, 1, 0o1777)`,
	"queue POSIX messages":       `syscall(240, b'q', 0o102, 0o600, 0)`,
	"take a new filter":          `syscall(317, 1, 0, 0)`,
	"be dumpable":                `syscall(157, 4, 1, 0, 0, 0)`,
	"outlive its parent":         `syscall(157, 1, 0, 0, 0, 0)`,
	"name the host":              `socket.sethostname('x')`,
	"set the clock":              `__import__('time').clock_settime(0, 0)`,
	"reboot":                     `syscall(169, 0xfee1dead, 672274793, 0x1234567, 0)`,
	"own its output's signals":   `__import__('fcntl').fcntl(0, 8, 1)`,
	"push into a terminal":       `__import__('fcntl').ioctl(0, 0x5412, b'x')`,
}

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

// Reaching for anything outside fails as an ordinary error, which a program survives.
func TestNothingOutsideCanBeReached(t *testing.T) {
	e := shared(t)
	for name, attempt := range attempts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := attemptHead + "try:\n    " + attempt + "\n    out = 'ESCAPED'\nexcept Exception as e:\n    out = type(e).__name__\nout"
			got := e.run(t, code)
			if got.Status != executorclient.OK {
				t.Fatalf("%s: %+v", got.Status, got.Error)
			}
			if got.Value == "ESCAPED" {
				t.Fatal("it worked")
			}
		})
	}
}

// The 32-bit way into the kernel is shut: its numbers mean other calls.
func TestOtherSystemCallTablesAreShut(t *testing.T) {
	// int 0x80 with eax = 20, getpid.
	code := attemptHead + `
import mmap
m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
f()`
	got := shared(t).run(t, code)
	if got.Status != executorclient.Killed {
		t.Errorf("%s %v %+v", got.Status, got.Value, got.Error)
	}
	got = shared(t).run(t, attemptHead+"try:\n  out = syscall(0x40000000 | 39)\nexcept OSError as e:\n  out = e.errno\nout")
	if got.Value != int64(1) {
		t.Errorf("an x32 call gave %v", got.Value)
	}
}

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
	e := start(t, func(*configOf) {})
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
	before := count()
	for i := range 40 {
		e.run(t, []string{"open('f', 'w').write('x' * 1000)", "import os; os._exit(1)", "1/0", "import os; os.abort()"}[i%4])
	}
	// Workers are taken apart off the path of a run; the pool refills meanwhile.
	waitFor(t, func() bool { return count() <= before+20 })
	// Where workers have directories of the host, those that wait have one each.
	waitFor(t, func() bool {
		left, err := filepath.Glob(filepath.Join(os.TempDir(), "codemode-*", "w*"))
		return err == nil && len(left) <= 2*config.DefaultSidecar().Pool.MinReady
	})
}

// A program can write to its control socket; that is its own loss.
func TestHostileFramesEndTheirOwnRunOnly(t *testing.T) {
	e := shared(t)
	head := "import os, struct, time\ndef frame(kind, id, payload, n=None):\n  os.write(3, struct.pack('<IBI', len(payload) if n is None else n, kind, id) + payload)\n"
	for name, code := range map[string]string{
		"garbage":           "os.write(3, os.urandom(4096))\ntime.sleep(5)",
		"a giant length":    "frame(3, 1, b'', 0xffffffff)\ntime.sleep(5)",
		"an unknown kind":   "frame(99, 1, b'x')\ntime.sleep(5)",
		"a short call":      "frame(3, 1, b'')\ntime.sleep(5)",
		"a wrong name":      "frame(3, 1, struct.pack('<H', 500) + b'x' * 600)\ntime.sleep(5)",
		"an empty end":      "frame(4, 0, b'')\ntime.sleep(5)",
		"an end of no JSON": "frame(4, 0, struct.pack('<I', 4) + b'{{{{')\ntime.sleep(5)",
		"a false status":    "m = b'{\"status\":\"cancelled\"}'\nframe(4, 0, struct.pack('<I', len(m)) + m)\ntime.sleep(5)",
		"an end too long":   "m = b'{\"status\":\"ok\"}'\nframe(4, 0, struct.pack('<I', 99999) + m)\ntime.sleep(5)",
		"a closed socket":   "os.close(3)\ntime.sleep(60)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := e.run(t, head+code)
			if got.Status != executorclient.Killed {
				t.Errorf("%s %+v", got.Status, got.Error)
			}
		})
	}
	t.Run("ten thousand calls", func(t *testing.T) {
		got := e.run(t, head+"c = struct.pack('<H', 1) + b'f{}'\nfor i in range(10000): frame(3, i, c)\n1", withLimits(executorclient.Limits{Timeout: 5e9}))
		if len(got.ToolCalls) > 1000 {
			t.Errorf("%d calls", len(got.ToolCalls))
		}
	})
	t.Run("a forged result", func(t *testing.T) {
		got := e.run(t, head+"m = b'{\"status\":\"ok\",\"exit_code\":0}'\nframe(4, 0, struct.pack('<I', len(m)) + m + b'[[[[')\ntime.sleep(5)")
		if got.Status != executorclient.Failed || got.Value != nil {
			t.Errorf("%s %v", got.Status, got.Value)
		}
	})
	if got := e.run(t, "1"); got.Status != executorclient.OK {
		t.Errorf("the next run: %+v", got)
	}
}
