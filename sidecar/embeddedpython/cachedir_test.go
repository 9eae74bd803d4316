//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
)

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
