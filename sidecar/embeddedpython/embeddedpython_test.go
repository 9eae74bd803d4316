//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/cpython"
)

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
