//go:build linux

package sidecar_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// openDirectory makes a directory that programs, which may be another user's, can use.
func openDirectory(t *testing.T, name string) string {
	t.Helper()
	base, err := os.MkdirTemp("", "mounts-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(base, name)
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{base: 0o755, path: 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// withOutputs is an executor whose programs can leave files.
func withOutputs(t *testing.T, change ...func(*config.SidecarConfig)) *executor {
	t.Helper()
	outputs := openDirectory(t, "outputs")
	return start(t, func(c *config.SidecarConfig) {
		c.Filesystem.Outputs.Mount = outputs
		for _, f := range change {
			f(c)
		}
	})
}

func ownRoot(result *executorclient.Result) bool { return slices.Contains(result.Sandbox, "mount") }

// What a program leaves comes back whole, by the path that it gave it.
func TestFilesLeftInOutputsComeBack(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t)
	got := e.run(t, `
import os
out = os.environ['CODEMODE_OUTPUTS']
open(out + '/table.csv', 'w').write('a,b\n1,2\n')
os.makedirs('outputs/deep/er')
open('outputs/deep/er/big', 'wb').write(bytes(range(256)) * 4096)
open('outputs/empty', 'w').close()
open('outputs/line\nend', 'w').write('x')
os.listdir('.'), os.path.samefile('outputs', out)`)
	if got.Status != executorclient.OK || fmt.Sprint(got.Value) != "[[outputs] true]" {
		t.Fatalf("%s %v %+v", got.Status, got.Value, got.Error)
	}
	big := []byte(strings.Repeat(string(func() (b []byte) {
		for i := range 256 {
			b = append(b, byte(i))
		}
		return b
	}()), 4096))
	want := []executorclient.Artifact{
		{Name: "deep/er/big", Size: 1 << 20, Data: big},
		{Name: "empty", Data: []byte{}},
		{Name: "line\nend", Size: 1, Data: []byte("x")},
		{Name: "table.csv", Size: 8, Data: []byte("a,b\n1,2\n")},
	}
	if diff := cmp.Diff(want, got.Artifacts); diff != "" {
		t.Errorf("(-want +got):\n%.2000s", diff)
	}
	if !strings.Contains(got.Text(), `"table.csv" (8 bytes)`) {
		t.Errorf("a model is not told: %s", got.Text())
	}
}

// A run that does not come to its end has still left what it has left.
func TestFilesComeBackHoweverARunEnds(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t)
	head := "import os, time\nopen('outputs/f', 'w').write('kept')\n"
	for name, test := range map[string]struct {
		code string
		want executorclient.Status
	}{
		"an exception":  {"1/0", executorclient.Failed},
		"an exit":       {"os._exit(3)", executorclient.Failed},
		"a crash":       {"os.abort()", executorclient.Killed},
		"no end":        {"while True: pass", executorclient.Timeout},
		"a deaf end":    {"import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\nwhile True: pass", executorclient.Timeout},
		"a flood":       {"while True: print('x' * 100000)", executorclient.OutputLimit},
		"too much held": {"x = bytearray(1 << 40)", executorclient.MemoryLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try := func(limits executorclient.Limits) error {
				got := e.run(t, head+test.code, withLimits(limits))
				if got.Status != test.want {
					return fmt.Errorf("%s %+v", got.Status, got.Error)
				}
				want := []executorclient.Artifact{{Name: "f", Size: 4, Data: []byte("kept")}}
				if diff := cmp.Diff(want, got.Artifacts); diff != "" {
					return fmt.Errorf("(-want +got):\n%s", diff)
				}
				return nil
			}
			if test.want == executorclient.Timeout {
				waittest.Longer(t, time.Second, func(limit time.Duration) error { return try(executorclient.Limits{Timeout: limit}) })
			} else if err := try(executorclient.Limits{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// The executor reads outputs with its own rights: nothing in them may lead it elsewhere,
// hold it up, or make it read what is not a plain file of the program's.
func TestWhatIsNoPlainFileIsNamedAndLeftOut(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t)
	for name, test := range map[string]struct{ code, want string }{
		"a link":              {"os.symlink('/etc/passwd', 'x')", "symbolic link"},
		"a link to a tree":    {"os.symlink('/etc', 'x')", "symbolic link"},
		"a link to itself":    {"os.symlink('x', 'x')", "symbolic link"},
		"a relative link":     {"os.symlink('../' * 20 + 'etc/passwd', 'x')", "symbolic link"},
		"a file of two names": {"open('../y' if '..' == 0 else 'y', 'w').write('y'); os.link('y', 'x')", "2 names"},
		"a pipe":              {"os.mkfifo('x')", "not a regular file"},
		"a name of no text":   {"open(b'x\\xff', 'w').write('y')", "not UTF-8"},
		"a name of escapes":   {"open(b'x\\xff\\n\\x1b[31m', 'w').write('y')", "not UTF-8"},
		"depths":              {"[(os.mkdir('x'), os.chdir('x')) for i in range(300)]; open('f', 'w').write('y')", "directories deep"},
		"a great hole":        {"open('x', 'w').truncate(60 << 20)", "limits.artifacts_size"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := e.run(t, "import os\nos.chdir('outputs')\nopen('a', 'w').write('kept')\ntry:\n  "+test.code+"\n  r = 'made'\nexcept OSError as e:\n  r = repr(e)\nr")
			if got.Status != executorclient.OK {
				t.Fatalf("%s %+v", got.Status, got.Error)
			}
			if got.Value != "made" {
				t.Logf("refused at once: %v", got.Value)
			}
			found := false
			for _, a := range got.Artifacts {
				if strings.HasPrefix(a.Name, "x") {
					found = found || strings.Contains(a.Omitted, test.want)
					if a.Omitted == "" || a.Data != nil {
						t.Errorf("it came back: %+v", a)
					}
				}
			}
			if got.Value == "made" && !found {
				t.Errorf("left out silently: %+v", got.Artifacts)
			}
			if len(got.Artifacts) == 0 || got.Artifacts[0].Name != "a" || string(got.Artifacts[0].Data) != "kept" {
				t.Errorf("the file beside it is lost: %+v", got.Artifacts)
			}
		})
	}
	if got := e.run(t, "import os\nos.mknod('outputs/null', 0o600 | 0o020000, os.makedev(1, 3))"); got.Status != executorclient.Failed {
		t.Errorf("a device: %s", got.Status)
	}
}

// Ten thousand files cost a bounded answer, which says that it is not all.
func TestFilesOverTheLimitsAreCounted(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t, func(c *config.SidecarConfig) { c.Limits.ScratchFiles = 20_000 })
	got := e.run(t, "for i in range(10000): open(f'outputs/{i:05}', 'w').close()")
	if got.Status != executorclient.OK || len(got.Artifacts) != 201 {
		t.Fatalf("%s %+v, %d files", got.Status, got.Error, len(got.Artifacts))
	}
	last := got.Artifacts[200]
	if got.Artifacts[99].Omitted != "" || got.Artifacts[100].Omitted == "" || last.Name != "" || last.Omitted != "9800 more files were left out" {
		t.Errorf("%+v %+v %+v", got.Artifacts[99], got.Artifacts[100], last)
	}
	got = e.run(t, `
done = 0
try:
    for i in range(10):
        f = open(f'outputs/{i}', 'wb')
        f.write(b'x' * (3 << 20))
        f.close()
        done += 1
except OSError as e: pass
done`)
	var size int64
	for _, a := range got.Artifacts {
		size += int64(len(a.Data))
	}
	// Where the directory is on the executor's file system, the run may have been ended in
	// the middle of a file; what comes back is within the limit all the same.
	if size > 16<<20 || size < 12<<20 {
		t.Errorf("%s: %d bytes came back of %v files of 3 MiB", got.Status, size, got.Value)
	}
}

// The next run begins with nothing, and none sees another's.
func TestOutputsAreFresh(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t, func(c *config.SidecarConfig) { c.Pool.MinReady = 2 })
	outputs := ""
	for range 4 {
		got := e.run(t, `
import os
out = os.environ['CODEMODE_OUTPUTS']
before = os.listdir(out)
open(out + '/secret', 'w').write('s')
def others():
    for d, _, files in os.walk(os.path.dirname(out)):
        yield from (d + '/' + f for f in files if not (d + '/').startswith(out + '/'))
before, list(others()), out`)
		values, ok := got.Value.([]any)
		if !ok || fmt.Sprint(values[:2]) != "[[] []]" {
			t.Fatalf("%v %+v", got.Value, got.Error)
		}
		if !ownRoot(got) {
			if outputs != "" {
				reach := e.run(t, fmt.Sprintf("open(%q + '/secret').read()", outputs))
				if reach.Status == executorclient.OK {
					t.Error("another run's file was read")
				}
			}
			outputs = values[2].(string)
		}
	}
}

// Directories of runs go with them, whatever is in them.
func TestDirectoriesThatResistAreRemoved(t *testing.T) {
	besideOthers(t)
	outputs := openDirectory(t, "outputs")
	e := start(t, func(c *config.SidecarConfig) {
		c.Filesystem.Outputs.Mount = outputs
		c.Pool.MinReady = 0
		c.Limits.ScratchFiles = 100_000
	})
	e.run(t, `
import os
for top in ('outputs', '.'):
    os.umask(0)
    os.mkdir(top + '/shut', 0o300)
    open(top + '/shut/in', 'w').close()
    os.mkdir(top + '/shut/er', 0o300)
    open(top + '/shut/er/in', 'w').close()
    open(top + '/\n1', 'w').close()
    os.mkdir(top + '/\n2')
    open(top + '/\n2/x', 'w').close()
os.chdir('outputs')
for i in range(3000):
    os.mkdir('d')
    os.chdir('d')`)
	waitFor(t, func() bool {
		left, err := os.ReadDir(outputs)
		return err == nil && len(left) == 0
	})
}

// A workspace is what the configuration says: readable, and writable only if so said.
func TestAWorkspaceIsReadOrWrittenAsConfigured(t *testing.T) {
	besideOthers(t)
	for _, readonly := range []bool{true, false} {
		t.Run(fmt.Sprintf("readonly %v", readonly), func(t *testing.T) {
			workspace := openDirectory(t, "workspace")
			beside := filepath.Join(filepath.Dir(workspace), "beside")
			put := func(path string) {
				if err := os.WriteFile(path, []byte("data"), 0o666); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, 0o666); err != nil { // whatever the umask
					t.Fatal(err)
				}
			}
			put(filepath.Join(workspace, "in"))
			put(beside)
			e := start(t, func(c *config.SidecarConfig) {
				c.Filesystem.Workspace = config.Mount{Mount: workspace, Readonly: readonly}
			})
			head := fmt.Sprintf("import os\nw = %q\n", workspace)
			if got := e.run(t, head+"open(w + '/in').read(), os.listdir(w)"); fmt.Sprint(got.Value) != "[data [in]]" {
				t.Fatalf("%v %+v", got.Value, got.Error)
			}
			writes := map[string]string{
				"change":    "open(w + '/in', 'a').write('x')",
				"truncate":  "os.truncate(w + '/in', 1)",
				"make":      "open(w + '/new', 'w').write('x')",
				"remove":    "os.remove(w + '/in')",
				"rename":    "os.rename(w + '/in', w + '/out')",
				"directory": "os.mkdir(w + '/d')",
				"link":      "os.symlink('/etc', w + '/l')",
			}
			for name, code := range writes {
				got := e.run(t, head+code)
				if (got.Status == executorclient.OK) == readonly {
					t.Errorf("%s: %s %+v", name, got.Status, got.Error)
				}
				if !readonly {
					put(filepath.Join(workspace, "in"))
				}
			}
			never := map[string]string{
				"climb":           "open(w + '/../beside').read()",
				"climb and write": "open(w + '/../beside', 'a')",
				"rename out":      "os.rename(w + '/in', w + '/../stolen')",
				"rename in":       "os.rename(w + '/../beside', w + '/stolen')",
				"hard link in":    "os.link(w + '/../beside', w + '/stolen')",
				"by a link":       "os.symlink(w + '/../beside', 'l'); open('l').read()",
				"device":          "os.mknod(w + '/null', 0o600 | 0o020000, os.makedev(1, 3))",
				"set user ID":     "open(w + '/sh', 'w').write('#!/bin/sh'); os.chmod(w + '/sh', 0o4755)",
				"set group ID":    "fd = os.open(w + '/sg', os.O_CREAT | os.O_RDWR); os.fchmod(fd, 0o2755)",
				"hard link out":   "os.link(w + '/in', 'stolen'); open('stolen', 'a')" + map[bool]string{false: "; 1/0"}[readonly],
			}
			for name, code := range never {
				if got := e.run(t, head+code); got.Status == executorclient.OK {
					t.Errorf("%s worked", name)
				}
			}
			if data, err := os.ReadFile(beside); err != nil || string(data) != "data" {
				t.Errorf("the file beside the workspace: %q, %v", data, err)
			}
			if data, err := os.ReadFile(filepath.Join(workspace, "in")); readonly && (err != nil || string(data) != "data") {
				t.Errorf("the file in the workspace: %q, %v", data, err)
			}
		})
	}
}

// A file of a read-only workspace cannot be made to come back as if the program owned it.
func TestNothingIsMovedBetweenMounts(t *testing.T) {
	besideOthers(t)
	workspace := openDirectory(t, "workspace")
	if err := os.WriteFile(filepath.Join(workspace, "in"), []byte("data"), 0o644); err != nil {
		t.Fatal(err)
	}
	e := withOutputs(t, func(c *config.SidecarConfig) {
		c.Filesystem.Workspace = config.Mount{Mount: workspace, Readonly: true}
	})
	for name, code := range map[string]string{
		"rename": "os.rename(w + '/in', 'outputs/in')",
		"link":   "os.link(w + '/in', 'outputs/in')",
	} {
		got := e.run(t, fmt.Sprintf("import os\nw = %q\n", workspace)+code)
		if got.Status == executorclient.OK || len(got.Artifacts) > 0 {
			t.Errorf("%s: %s %+v", name, got.Status, got.Artifacts)
		}
	}
	got := e.run(t, "import os\nopen('own', 'w').write('x')\ntry: os.rename('own', 'outputs/own')\nexcept OSError:\n  import shutil; shutil.copyfile('own', 'outputs/own')")
	if len(got.Artifacts) != 1 || got.Artifacts[0].Name != "own" {
		t.Errorf("%+v %+v", got.Error, got.Artifacts)
	}
}

// readonly means it for the directories that would be pointless to write to as well.
func TestReadonlyDirectoriesCannotBeWrittenTo(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t, func(c *config.SidecarConfig) {
		c.Filesystem.Sandbox.Readonly, c.Filesystem.Outputs.Readonly = true, true
	})
	for _, code := range []string{"open('x', 'w')", "open('outputs/x', 'w')", "import os; os.mkdir('x')", "import os; os.remove('outputs')"} {
		if got := e.run(t, code); got.Status != executorclient.Failed || got.Error.Type != "PermissionError" && got.Error.Type != "OSError" {
			t.Errorf("%s: %s %+v", code, got.Status, got.Error)
		}
	}
}

// Without a section for it, a program has no outputs and pays nothing for them.
func TestByDefaultThereAreNoOutputs(t *testing.T) {
	got := shared(t).run(t, "import os\nos.mkdir('outputs'); open('outputs/f', 'w').write('x'); 'CODEMODE_OUTPUTS' in os.environ")
	if got.Value != false || got.Artifacts != nil {
		t.Errorf("%v %+v", got.Value, got.Artifacts)
	}
}

// What the home cannot do is refused when the executor starts, with the remedy.
func TestDirectoriesThatCannotBeShownAreRefused(t *testing.T) {
	besideOthers(t)
	containerOnly := map[string]bool{"another path": true, "no volume": true, "everyone's directories": true}
	plain := ownRoot(shared(t).run(t, "1"))
	data := openDirectory(t, "data")
	python, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*config.SidecarConfig)
		code   fault.Code
	}{
		"no source": {func(c *config.SidecarConfig) { c.Filesystem.Workspace.Mount = "/nowhere/at/all" }, fault.Config},
		"a file":    {func(c *config.SidecarConfig) { c.Filesystem.Workspace = config.Mount{Mount: "/w", Source: python} }, fault.Config},
		"the interpreter, writable": {func(c *config.SidecarConfig) {
			c.Filesystem.Workspace = config.Mount{Mount: "/w", Source: "/usr/lib"}
		}, fault.Config},
		"another path": {func(c *config.SidecarConfig) {
			c.Filesystem.Workspace = config.Mount{Mount: "/w", Source: data, Readonly: true}
		}, fault.Sandbox},
		"no volume": {func(c *config.SidecarConfig) { c.Filesystem.Outputs.Mount = "/nowhere" }, fault.Sandbox},
		"everyone's directories": {func(c *config.SidecarConfig) {
			c.Filesystem.Workspace = config.Mount{Mount: filepath.Clean(os.TempDir()), Readonly: true}
		}, fault.Sandbox},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.DefaultSidecar()
			test.change(&cfg)
			e, err := open(cfg)
			if err == nil {
				if err := e.close(); err != nil {
					t.Error(err)
				}
				if plain && containerOnly[name] {
					return
				}
				t.Fatal("it started")
			}
			if fault.CodeOf(err) != test.code || !strings.Contains(err.Error(), "(") {
				t.Errorf("%s: %v", fault.CodeOf(err), err)
			}
		})
	}
}

// The scratch directory is where the configuration says, where there is a choice.
func TestTheScratchDirectoryCanBeRenamed(t *testing.T) {
	besideOthers(t)
	scratch := openDirectory(t, "scratch")
	e := start(t, func(c *config.SidecarConfig) { c.Filesystem.Sandbox.Mount = scratch })
	got := e.run(t, "import os\nopen('f', 'w').write('x'); os.getcwd(), os.environ['HOME'] == os.getcwd()")
	values, ok := got.Value.([]any)
	if !ok || !strings.HasPrefix(values[0].(string), scratch) || values[1] != true {
		t.Errorf("%v %+v", got.Value, got.Error)
	}
}

// What is shown and allowed takes no layer away: a plan that fails would be followed by a
// weaker one.
func TestDirectoriesAndCommandsCostNoLayer(t *testing.T) {
	besideOthers(t)
	want := shared(t).run(t, "1").Sandbox
	workspace := openDirectory(t, "workspace")
	scratch := openDirectory(t, "scratch")
	e := withOutputs(t, func(c *config.SidecarConfig) {
		c.Filesystem.Workspace = config.Mount{Mount: workspace, Readonly: true}
		c.Filesystem.Sandbox.Mount = scratch
		c.Execution = config.Execution{AllowDirectExecution: true, AllowedCommands: []string{"sh"}}
	})
	if diff := cmp.Diff(want, e.run(t, "1").Sandbox); diff != "" {
		t.Errorf("(-without +with):\n%s", diff)
	}
}

// What goes on after the end of the program is over before its files are looked at.
func TestFilesThatChangeWhileTheyAreCollected(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t, func(c *config.SidecarConfig) {
		c.Execution = config.Execution{AllowDirectExecution: true, AllowedCommands: []string{"true"}}
	})
	for range 20 {
		got := e.run(t, `
import os, time
os.chdir('outputs')
open('y', 'w').write('y' * 100)
open('x', 'w').write('own')
if os.fork() == 0:
    os.setsid()
    while True:
        os.symlink('/etc/passwd', 'l'); os.rename('l', 'x')
        open('f', 'w').write('own'); os.rename('f', 'x')
        os.truncate('y', 10); os.truncate('y', 1000)
time.sleep(0.02)`)
		if got.Status != executorclient.OK {
			t.Fatalf("%s %+v", got.Status, got.Error)
		}
		for _, a := range got.Artifacts {
			if strings.Contains(string(a.Data), "root:") || a.Omitted == "" && int64(len(a.Data)) != a.Size {
				t.Errorf("%+v", a)
			}
		}
	}
}
