//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// interpreterName is the one copy of the interpreter that is kept.
const interpreterName = "bin/python3"

// unused are patterns, relative to the root, of what no program needs: what takes a
// terminal, a screen or a compiler, what installs packages, and CPython's own tests.
var unused = []string{
	"include", "share",
	"lib/python3.*/idlelib", "lib/python3.*/tkinter", "lib/python3.*/turtledemo", "lib/python3.*/turtle.py",
	"lib/python3.*/ensurepip", "lib/python3.*/lib2to3", "lib/python3.*/config-*",
	"lib/python3.*/test", "lib/python3.*/*/test", "lib/python3.*/*/tests",
	"lib/python3.*/lib-dynload/_tkinter.*", "lib/python3.*/lib-dynload/_test*", "lib/python3.*/lib-dynload/_ctypes_test.*",
	"lib/python3.*/lib-dynload/xx*", "lib/python3.*/lib-dynload/_xx*",
}

// prune removes what no program needs from a tree.
func prune(root string) error {
	needed, err := neededLibraries(interpreter(root))
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == root {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		keep, err := isUsed(filepath.ToSlash(rel), d, needed)
		if err != nil || keep {
			return err
		}
		if err := os.RemoveAll(file); err != nil {
			return err
		}
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}

// isUsed decides about one file or directory, given as its path below the root.
func isUsed(rel string, d fs.DirEntry, needed []string) (bool, error) {
	dir, name := path.Split(rel)
	switch {
	case dir == "bin/":
		return rel == interpreterName, nil
	case dir == "lib/" && d.IsDir():
		return strings.HasPrefix(name, "python3."), nil
	case dir == "lib/":
		return slices.Contains(needed, name), nil
	case name == ".empty", strings.HasSuffix(name, ".a"):
		return false, nil
	}
	for _, pattern := range unused {
		matched, err := path.Match(pattern, rel)
		if err != nil {
			return false, fmt.Errorf("%s: %w", pattern, err)
		}
		if matched {
			return false, nil
		}
	}
	return true, nil
}

// neededLibraries names the shared libraries that a program is linked with. The
// interpreter usually has CPython linked in statically, and the 20 MB of its shared form
// lie unused beside it.
func neededLibraries(program string) ([]string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ImportedLibraries()
}
