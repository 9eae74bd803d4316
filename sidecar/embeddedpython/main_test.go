//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
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

// roomy gives the directory that the tests' trees are made in. A tree is thousands of
// files, each of which is flushed to the disk; in memory, where there is enough of it and
// programs may be run from there, that costs nothing.
func roomy() string {
	const memory, room = "/dev/shm", 1 << 30
	var fs unix.Statfs_t
	if unix.Statfs(memory, &fs) == nil && fs.Type == unix.TMPFS_MAGIC &&
		fs.Flags&(unix.ST_NOEXEC|unix.ST_RDONLY) == 0 && fs.Bavail*uint64(fs.Bsize) >= room {
		return memory
	}
	return os.TempDir()
}

func makeShared() error {
	var err error
	if shared.dir, err = os.MkdirTemp(roomy(), "embeddedpython-test-"); err != nil {
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
	if err := waittest.Goroutines(); err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

// publicDir makes an empty directory that other users can get at.
func publicDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(roomy(), "embeddedpython-test-")
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
