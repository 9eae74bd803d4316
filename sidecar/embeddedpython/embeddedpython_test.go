//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// nobody is a user without privileges.
const nobody = 65534

// childVariable makes the test binary a program that finds its CPython and says which.
const childVariable = "TEST_FIND_IN_CHILD"

// shared is the cache that the tests use, since unpacking takes seconds. Three programs
// that start together make it, in a directory where a killed one has left something.
var shared struct {
	once  sync.Once
	dir   string
	found []string // what each of the three found
	err   error
}

func makeShared() error {
	var err error
	if shared.dir, err = os.MkdirTemp("", "embeddedpython-test-"); err != nil {
		return err
	}
	leftover := filepath.Join(shared.dir, stagingPrefix+"123")
	if err := os.MkdirAll(filepath.Join(leftover, "lib"), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(leftover, 0o555); err != nil {
		return err
	}
	if err := os.Chmod(shared.dir, 0o755); err != nil {
		return err
	}
	shared.found, err = startTogether(shared.dir)
	return err
}

// startTogether runs three programs that find their CPython, and gives what they found.
func startTogether(dir string) ([]string, error) {
	found := make([]string, 3)
	errs := make([]error, len(found))
	var wg sync.WaitGroup
	for i := range found {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"=1", cacheVariable+"="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				errs[i] = fmt.Errorf("%w: %s", err, out)
			}
			found[i] = strings.TrimSpace(string(out))
		})
	}
	wg.Wait()
	return found, errors.Join(errs...)
}

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		install, err := cpython.Find(context.Background(), cpython.Auto, "")
		if err != nil {
			fmt.Printf("%s: %v\n", fault.CodeOf(err), err)
			os.Exit(1)
		}
		fmt.Println(install.Executable)
		os.Exit(0)
	}
	code := m.Run()
	if shared.dir != "" {
		if err := removeReadOnly(shared.dir); err != nil {
			fmt.Println(err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

// publicDir makes an empty directory that other users can get at.
func publicDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "embeddedpython-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeReadOnly(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sharedCache selects a cache that was unpacked once for all tests. They may damage the
// tree, and have to leave it as it was.
func sharedCache(t testing.TB) (root string) {
	t.Helper()
	shared.once.Do(func() { shared.err = makeShared() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	t.Setenv(cacheVariable, shared.dir)
	name, err := treeName()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(shared.dir, name)
}

func find(t testing.TB) *cpython.Install {
	t.Helper()
	install, err := cpython.Find(t.Context(), cpython.Auto, "")
	if err != nil {
		t.Fatal(err)
	}
	return install
}

func TestTheLinkedPythonRunsWithoutAnythingOfTheSystem(t *testing.T) {
	root := sharedCache(t)
	t.Setenv("PATH", "")
	t.Setenv("HOME", "")
	install := find(t)
	if install.Source != cpython.SourceEmbedded || install.Executable != interpreter(root) || install.Prefix != root {
		t.Errorf("found %+v, want the tree at %s", install, root)
	}
	if !strings.Contains(filepath.Base(root), "python-"+install.Version+"-") {
		t.Errorf("the tree of %s is called %s", install.Version, filepath.Base(root))
	}
	const program = `
import asyncio, ctypes, collections, csv, dataclasses, datetime, decimal, email, hashlib, html, http.client, inspect
import itertools, json, logging, math, multiprocessing, pdb, pydoc, random, re, sqlite3, ssl, statistics, string
import tomllib, traceback, typing, unittest.mock, urllib.request, uuid, xml.etree.ElementTree, zipfile, zoneinfo
print(statistics.mean([1, 2, 3]), json.dumps.__code__.co_filename)
`
	cmd := exec.Command(install.Executable, "-I", "-c", program)
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if want := "2 " + install.Prefix + "/lib/python"; !strings.HasPrefix(string(out), want) {
		t.Errorf("tracebacks would name %q, want a file of the tree", out)
	}
	// Had the run written anything, such as a .pyc, it would be found as added.
	if err := verify(root); err != nil {
		t.Error(err)
	}
}

func TestTestsAreKeyedByTheVersionThatIsRequired(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(mod), sourceModule+" "+testedVersion) {
		t.Errorf("go.mod requires another version of %s than testedVersion, %s", sourceModule, testedVersion)
	}
}

func TestTheTreeIsReadOnlyAndHoldsNoDeadWeight(t *testing.T) {
	root := sharedCache(t)
	var total int64
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o222 != 0 || info.Mode().Perm()&0o444 != 0o444 {
			t.Errorf("%s has the mode %s", path, info.Mode())
		}
		total += info.Size()
		for _, dead := range []string{"idlelib", "tkinter", "ensurepip", "libtcl", "libpython", "pip"} {
			if strings.HasPrefix(d.Name(), dead) {
				t.Errorf("%s was kept", path)
			}
		}
		if strings.HasSuffix(path, ".py") {
			pattern := filepath.Join(filepath.Dir(path), "__pycache__", strings.TrimSuffix(d.Name(), ".py")+".cpython-*.pyc")
			if compiled, err := filepath.Glob(pattern); err != nil || len(compiled) != 1 {
				t.Errorf("%s is compiled to %q", path, compiled)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > 80<<20 {
		t.Errorf("the tree has %d MB", total>>20)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(root), stagingPrefix+"*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestEveryKindOfDamageIsNoticed(t *testing.T) {
	root := sharedCache(t)
	module := filepath.Join(root, "lib", "python3.14", "json", "decoder.py")
	original, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(module)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(path string, text []byte) {
		t.Helper()
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	writable := func(dir string, do func() error) {
		t.Helper()
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	chmod := func(path string, mode fs.FileMode) func() {
		return func() {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := filepath.Dir(module)
	added := filepath.Join(dir, "added.py")
	manifest := filepath.Join(root, manifestName)
	manifestText, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	exe := interpreter(root)
	flipByte := func() {
		if err := os.Chmod(exe, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(exe, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, 1<<20); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 1
		if _, err := f.WriteAt(b, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(exe, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name         string
		damage, mend func()
		want         string
	}{
		{name: "cut off", want: "decoder.py has the mode", damage: func() { rewrite(module, original[:10]) }, mend: func() { rewrite(module, original) }},
		{name: "same size, other contents, times set back", want: "contents of lib/python3.14/json/decoder.py", damage: func() {
			changed := bytes.Clone(original)
			changed[0] ^= 1
			rewrite(module, changed)
			if err := os.Chtimes(module, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, mend: func() { rewrite(module, original) }},
		{name: "writable file", want: "has the mode", damage: chmod(module, 0o644), mend: chmod(module, 0o444)},
		{name: "writable directory", want: "has the mode", damage: chmod(dir, 0o755), mend: chmod(dir, 0o555)},
		{name: "writable root", want: "has the mode", damage: chmod(root, 0o777), mend: chmod(root, 0o555)},
		{name: "added file", want: "added.py was added", damage: func() {
			writable(dir, func() error { return os.WriteFile(added, nil, 0o444) })
		}, mend: func() { writable(dir, func() error { return os.Remove(added) }) }},
		{name: "missing file", want: "1 files are missing", damage: func() {
			writable(dir, func() error { return os.Remove(module) })
		}, mend: func() { writable(dir, func() error { return os.WriteFile(module, original, 0o444) }) }},
		{name: "a link in place of a file", want: "has the mode", damage: func() {
			writable(dir, func() error {
				if err := os.Remove(module); err != nil {
					return err
				}
				return os.Symlink("scanner.py", module)
			})
		}, mend: func() {
			writable(dir, func() error {
				if err := os.Remove(module); err != nil {
					return err
				}
				return os.WriteFile(module, original, 0o444)
			})
		}},
		{name: "one byte of the interpreter", want: "contents of bin/python3", damage: flipByte, mend: flipByte},
		{name: "half a manifest", want: "manifest cannot be read", damage: func() { rewrite(manifest, manifestText[:1000]) }, mend: func() { rewrite(manifest, manifestText) }},
		{name: "an empty manifest", want: "lists no interpreter", damage: func() { rewrite(manifest, []byte("[]")) }, mend: func() { rewrite(manifest, manifestText) }},
		{name: "writable manifest", want: "the manifest has the mode", damage: chmod(manifest, 0o666), mend: chmod(manifest, 0o444)},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.damage()
			if err := verify(root); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("verify says %v, want %q", err, test.want)
			}
			test.mend()
			// Mending changes times and not contents, which is how a copy looks.
			if err := verify(root); err != nil {
				t.Errorf("after mending: %v", err)
			}
		})
	}
}

func TestProgramsThatStartTogetherUnpackOnceAndADamagedCacheHeals(t *testing.T) {
	root := sharedCache(t)
	inode := func() uint64 {
		info, err := os.Lstat(root)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	check := func(found []string) {
		t.Helper()
		for _, executable := range found {
			if executable != interpreter(root) {
				t.Errorf("found %q, want %s each time", found, interpreter(root))
			}
		}
		names, err := os.ReadDir(shared.dir)
		if err != nil || len(names) != 2 {
			t.Errorf("the cache holds %v, %v; want the lock and one tree", names, err)
		}
		if err := verify(root); err != nil {
			t.Error(err)
		}
	}
	start := func() {
		t.Helper()
		found, err := startTogether(shared.dir)
		if err != nil {
			t.Fatal(err)
		}
		check(found)
	}
	check(shared.found)
	first := inode()
	start()
	if inode() != first {
		t.Error("an intact tree was unpacked again")
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "added.py"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start()
	if inode() == first {
		t.Error("a damaged tree was not unpacked again")
	}
}

// findAsNobody runs a program that cannot write to dir and has it as its cache.
func findAsNobody(t *testing.T, dir string) (string, error) {
	t.Helper()
	bin := publicDir(t)
	program := filepath.Join(bin, "program")
	in, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	// Put there by another process: see startable.
	put := exec.Command("/bin/sh", "-c", `cat > "$0" && chmod 755 "$0"`, program)
	put.Stdin = io.Reader(in)
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(program)
	cmd.Dir = bin
	cmd.Env = []string{childVariable + "=1", cacheVariable + "=" + dir}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func TestACacheThatCannotBeWrittenWorksIfItIsCompleteAndSaysSoIfNot(t *testing.T) {
	root := sharedCache(t)
	if err := os.Chmod(filepath.Dir(root), 0o555); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.Chmod(filepath.Dir(root), 0o755); err != nil {
			t.Error(err)
		}
	}()
	if out, err := findAsNobody(t, filepath.Dir(root)); err != nil || out != interpreter(root) {
		t.Errorf("a complete cache: %v, %s", err, out)
	}
	empty := publicDir(t)
	if err := os.Chmod(empty, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{empty, filepath.Join(empty, "below")} {
		out, err := findAsNobody(t, dir)
		if err == nil || !strings.HasPrefix(out, "python: ") || !strings.Contains(out, "permission denied") || !strings.Contains(out, cacheVariable) {
			t.Errorf("%s: %v, %s", dir, err, out)
		}
	}
}

func TestADirectoryThatOthersCanChangeIsRefused(t *testing.T) {
	for _, test := range []struct {
		name, want string
		prepare    func(t *testing.T, dir string) string
	}{
		{"symbolic link", "symbolic link", func(t *testing.T, dir string) string {
			link := filepath.Join(dir, "link")
			if err := os.Symlink(dir, link); err != nil {
				t.Fatal(err)
			}
			return link
		}},
		{"file", "not a directory", func(t *testing.T, dir string) string {
			file := filepath.Join(dir, "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}},
		{"writable for the group", "others may write", func(t *testing.T, dir string) string {
			if err := os.Chmod(dir, 0o775); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{"of another user", "belongs to another user", func(t *testing.T, dir string) string {
			if os.Geteuid() != 0 {
				t.Skip("only root gives a directory away")
			}
			if err := os.Chown(dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{"below a directory that everyone can write to", "everyone may rename", func(t *testing.T, dir string) string {
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(dir, "cache")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(cacheVariable, test.prepare(t, publicDir(t)))
			_, err := cpython.Find(t.Context(), cpython.Auto, "")
			if fault.CodeOf(err) != fault.Python || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestWaitingForAnotherProcessCanBeCancelled(t *testing.T) {
	dir := publicDir(t)
	unlock, err := lock(t.Context(), filepath.Join(dir, lockName))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	t.Setenv(cacheVariable, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := cpython.Find(ctx, cpython.Auto, ""); fault.CodeOf(err) != fault.Cancelled {
		t.Errorf("error is %v", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	root := sharedCache(b)
	for b.Loop() {
		if err := verify(root); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFindWarm(b *testing.B) {
	sharedCache(b)
	for b.Loop() {
		find(b)
	}
}
