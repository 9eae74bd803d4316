package sidecar

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Whatever a program leaves in its directory, the executor gets rid of it, and of
// nothing else.
func TestScratchIsRemovedWhateverIsInIt(t *testing.T) {
	base := t.TempDir()
	outside := filepath.Join(base, "outside")
	if err := os.WriteFile(outside, []byte("stays"), 0o600); err != nil {
		t.Fatal(err)
	}
	scratch := filepath.Join(base, "w1")
	for name, fill := range map[string]func(dir string) error{
		"nothing": func(string) error { return nil },
		"files":   func(d string) error { return os.WriteFile(filepath.Join(d, "a\nb\xff"), nil, 0) },
		"links": func(d string) error {
			return errors.Join(os.Symlink(outside, filepath.Join(d, "l")), os.Symlink(base, filepath.Join(d, "d")),
				os.Link(outside, filepath.Join(d, "h")))
		},
		"a fifo": func(d string) error { return unix.Mkfifo(filepath.Join(d, "f"), 0o600) },
		"directories without rights": func(d string) error {
			inner := filepath.Join(d, "x")
			return errors.Join(os.Mkdir(inner, 0o700), os.WriteFile(filepath.Join(inner, "f"), nil, 0o600),
				os.Mkdir(filepath.Join(inner, "y"), 0o700), os.Chmod(inner, 0))
		},
		"names like its own": func(d string) error {
			return errors.Join(os.MkdirAll(filepath.Join(d, "moved1", "moved1", "moved2"), 0o700), os.MkdirAll(filepath.Join(d, "a", "moved1", "b"), 0o700))
		},
		"many files": func(d string) error {
			for i := range 3000 {
				if err := os.WriteFile(filepath.Join(d, string(rune('a'+i%26))+string(rune(0x4e00+i))), nil, 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		"depth": func(d string) error { return deep(d, 2100) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.Mkdir(scratch, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := fill(scratch); err != nil {
				t.Fatal(err)
			}
			if err := removeTree(scratch); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(scratch); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
			if text, err := os.ReadFile(outside); err != nil || string(text) != "stays" {
				t.Errorf("what was outside: %q, %v", text, err)
			}
		})
	}
	if err := removeTree(scratch); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

// deep makes directories inside each other, deeper than a path can say.
func deep(dir string, levels int) error {
	at, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	for range levels {
		if err := unix.Mkdirat(at, "d", 0o700); err != nil {
			return err
		}
		next, err := unix.Openat(at, "d", unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		unix.Close(at)
		if err != nil {
			return err
		}
		at = next
	}
	return unix.Close(at)
}

func TestScratchUseCountsAndStops(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", i)), make([]byte, 8192), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := deep(dir, 2100); err != nil {
		t.Fatal(err)
	}
	if size, files := scratchUse(dir, 10_000); files < 1000 || size < 50*8192 {
		t.Errorf("%d bytes in %d files", size, files)
	}
	if _, files := scratchUse(dir, 20); files <= 20 || files > 2000 {
		t.Errorf("counted %d files where 20 are the most", files)
	}
	if err := removeTree(dir); err != nil {
		t.Error(err)
	}
}
