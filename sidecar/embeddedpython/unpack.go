//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kluctl/go-embed-python/python"
	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
)

const (
	lockName = ".lock"
	// stagingPrefix begins the names of trees that are not complete yet, or no longer.
	stagingPrefix = ".staging-"
	// lockInterval is how often a process that waits for another one looks.
	lockInterval = 20 * time.Millisecond
	// busyTimeout bounds how long a new interpreter may be busy; see startable.
	busyTimeout = 5 * time.Second
)

// unpack puts a verified tree at root, which has the given damage or does not exist. Of
// several processes that call it together one does the work.
func unpack(ctx context.Context, dir, root string, damage error) error {
	unlock, err := lock(ctx, filepath.Join(dir, lockName))
	if err != nil {
		if fault.CodeOf(err) == fault.Cancelled {
			return err
		}
		return unpackError(dir, fmt.Errorf("%w; before that: %w", err, damage))
	}
	defer unlock()
	if verify(root) == nil {
		return nil
	}
	if err := unpackLocked(ctx, dir, root); err != nil {
		if ctx.Err() != nil {
			return fault.Wrap(fault.Cancelled, context.Cause(ctx), "unpacking the embedded CPython was cancelled")
		}
		if _, ok := errors.AsType[*fault.Error](err); ok {
			return err
		}
		return unpackError(dir, err)
	}
	if err := verify(root); err != nil {
		return unpackError(dir, err)
	}
	return nil
}

func unpackError(dir string, err error) error {
	return fault.Wrap(fault.Python, err, "the embedded CPython cannot be unpacked into %s", dir).
		WithRemedy("set %s to a directory of your own with 150 MB to spare, or unpack it while the container image is built", cacheVariable)
}

func unpackLocked(ctx context.Context, dir, root string) error {
	// Whoever made these did not live to finish, since the lock was free.
	if err := removeStaging(dir); err != nil {
		return err
	}
	staging, err := os.MkdirTemp(dir, stagingPrefix)
	if err != nil {
		return err
	}
	defer func() {
		// After success there is nothing left to remove; after a failure the failure is
		// what matters, and the next process tries again.
		_ = removeStaging(dir)
	}()
	if _, err := python.NewEmbeddedPythonWithTmpDir(staging, false); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return prune(staging) },
		func() error { return startable(ctx, staging) },
		func() error { return compile(ctx, staging, root) },
		func() error { return seal(staging) },
		func() error { return flush(staging) },
		func() error { return replace(dir, staging, root) },
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// replace moves the finished tree to its place, and what was there out of the way.
func replace(dir, staging, root string) error {
	if _, err := os.Lstat(root); err == nil {
		old, err := os.MkdirTemp(dir, stagingPrefix)
		if err != nil {
			return err
		}
		// Within one directory, since moving a read-only directory to another one takes
		// the right to change it.
		if err := os.Remove(old); err != nil {
			return err
		}
		if err := os.Rename(root, old); err != nil {
			return err
		}
	}
	if err := os.Rename(staging, root); err != nil {
		return err
	}
	return flushDir(dir)
}

// removeStaging removes every unfinished tree, and the lock files that the unpacking
// module puts beside them.
func removeStaging(dir string) error {
	names, err := filepath.Glob(filepath.Join(escapeGlob(dir), stagingPrefix+"*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := removeReadOnly(name); err != nil {
			return err
		}
	}
	return nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// removeReadOnly removes a tree whose directories cannot be written to.
func removeReadOnly(root string) error {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(root)
}

// startable checks that the interpreter runs here at all, to say so in the words of
// cpython.Probe, and waits while the kernel calls it busy: a process that another
// goroutine is just starting may hold it open for writing for a moment.
func startable(ctx context.Context, root string) error {
	for deadline := time.Now().Add(busyTimeout); ; {
		_, err := cpython.Probe(ctx, interpreter(root))
		if !errors.Is(err, syscall.ETXTBSY) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockInterval):
		}
	}
}

// compile writes the .pyc of every module, since a read-only tree gets them now or
// never. They name the place where the tree will be, and are not checked against their
// sources when they are loaded: verify does that.
func compile(ctx context.Context, staging, root string) error {
	sources, err := pythonSources(staging)
	if err != nil {
		return err
	}
	workers := min(runtime.GOMAXPROCS(0), 4)
	lists := make([]bytes.Buffer, workers)
	for i, source := range sources {
		fmt.Fprintln(&lists[i%workers], source)
	}
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { errs[i] = compileList(ctx, staging, root, &lists[i]) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func compileList(ctx context.Context, staging, root string, list *bytes.Buffer) error {
	// -l keeps compileall from looking for anything but the list.
	cmd := exec.CommandContext(ctx, interpreter(staging), "-I", "-m", "compileall", "-q", "-l",
		"--invalidation-mode", "unchecked-hash", "-s", staging, "-p", root, "-i", "-")
	cmd.Env = []string{}
	cmd.Dir = staging
	cmd.Stdin = list
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling the standard library: %w: %s", err, bytes.TrimSpace(out[:min(len(out), 1000)]))
	}
	return nil
}

func pythonSources(root string) ([]string, error) {
	var sources []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".py") {
			sources = append(sources, path)
		}
		return err
	})
	return sources, err
}

// lock takes an exclusive lock, which the kernel gives back when the process ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fault.Wrap(fault.Cancelled, context.Cause(ctx), "waiting for another process to unpack the embedded CPython was cancelled")
		case <-time.After(lockInterval):
		}
	}
}

// flush writes a tree to the disk. The first pass only starts the writing, so that in the
// second pass one file's wait covers many.
func flush(root string) error {
	start := func(f *os.File) error {
		err := unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
		if errors.Is(err, unix.ESPIPE) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
			// Directories, and file systems that only know the second pass.
			return nil
		}
		return err
	}
	if err := eachFile(root, start); err != nil {
		return err
	}
	return eachFile(root, (*os.File).Sync)
}

// eachFile opens every file and directory of a tree in turn.
func eachFile(root string, do func(*os.File) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(do(f), f.Close())
	})
}

// flushDir writes the names in one directory to the disk.
func flushDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
