// Package cgroup gives each worker of an executor a cgroup (version 2) of its own, where
// a part of the hierarchy is the executor's to divide.
//
// The kernel then bounds all that a run uses together: memory, with its files in memory
// and what the kernel keeps for it; processes and threads; processors. And it can end all
// of it with one write.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Limits are what each worker's cgroup is held to. Zero is no bound.
type Limits struct {
	// MemoryBytes of everything together: see memory.max in the kernel's documentation.
	MemoryBytes int64
	// Processes, threads included.
	Processes int64
	// Processors to use at once, on average over a tenth of a second.
	Processors int64
}

// A Tree is the cgroup in which an executor makes those of its workers.
type Tree struct {
	path        string
	lock        int // the directory, locked for as long as this executor lives
	controllers []string
	next        atomic.Uint64
}

// prefix begins the name of every Tree.
const prefix = "codemode-tree-"

var trees atomic.Uint64 // of this process

// Open makes a Tree in the part of the hierarchy that is this process's to divide, and
// removes those that executors have left there that did not end in order. An error says
// why there can be none. toKill says that one without controllers is of use as well.
//
// The processes of that part move to a cgroup below it, where they stay.
func Open(toKill bool) (*Tree, error) {
	p, err := here()
	if err != nil {
		return nil, err
	}
	base, err := p.base()
	if err != nil {
		return nil, err
	}
	if !toKill && len(controllersOf(filepath.Join(base, "cgroup.controllers"))) == 0 {
		return nil, errors.New("the hierarchy has no controllers")
	}
	if err := sweep(base); err != nil {
		return nil, err
	}
	if err := enable(base); err != nil {
		return nil, err
	}
	t, err := makeTree(base)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(t.path, "cgroup.kill")); err != nil {
		return nil, errors.Join(fmt.Errorf("the kernel is older than Linux 5.14: %w", err), t.Close())
	}
	return t, nil
}

// enable hands the controllers that are to be had on to what is below base.
func enable(base string) error {
	available := controllersOf(filepath.Join(base, "cgroup.controllers"))
	given := controllersOf(filepath.Join(base, "cgroup.subtree_control"))
	missing := slices.DeleteFunc(available, func(name string) bool { return slices.Contains(given, name) })
	if len(missing) == 0 {
		return nil
	}
	// The root of the whole hierarchy may hold processes; it has no type.
	if _, err := os.Stat(filepath.Join(base, "cgroup.type")); err == nil {
		if err := vacate(base); err != nil {
			return err
		}
	}
	for _, name := range missing {
		if err := write(base, "cgroup.subtree_control", "+"+name); err != nil {
			return fmt.Errorf("the %s controller cannot be handed on: %w", name, err)
		}
	}
	return nil
}

// vacate moves the processes of base to its leaf.
func vacate(base string) error {
	if err := os.Mkdir(filepath.Join(base, leaf), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for range 100 { // they go on forking meanwhile
		pids := processes(base)
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			err := write(filepath.Join(base, leaf), "cgroup.procs", strconv.Itoa(pid))
			if err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("process %d cannot be moved out of %s: %w", pid, base, err)
			}
		}
	}
	return fmt.Errorf("processes keep appearing in %s", base)
}

func makeTree(base string) (*Tree, error) {
	for range 10 {
		t := &Tree{path: filepath.Join(base, fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), trees.Add(1)))}
		if err := os.Mkdir(t.path, 0o755); errors.Is(err, fs.ErrExist) {
			continue // of an executor in another pid namespace
		} else if err != nil {
			return nil, err
		}
		if !t.hold() {
			continue // another executor took it for a dead one's and is removing it
		}
		t.controllers = controllersOf(filepath.Join(t.path, "cgroup.controllers"))
		for _, name := range t.controllers {
			if err := write(t.path, "cgroup.subtree_control", "+"+name); err != nil {
				return nil, errors.Join(fmt.Errorf("the %s controller cannot be used: %w", name, err), t.Close())
			}
		}
		return t, nil
	}
	return nil, fmt.Errorf("no cgroup could be made in %s", base)
}

// hold locks the directory, by which others see that its executor lives.
func (t *Tree) hold() bool {
	fd, err := unix.Open(t.path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	var mine, there unix.Stat_t
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil || unix.Fstat(fd, &mine) != nil ||
		unix.Stat(t.path, &there) != nil || mine.Ino != there.Ino {
		unix.Close(fd)
		return false
	}
	t.lock = fd
	return true
}

// sweep removes the trees whose executors are gone.
func sweep(base string) error {
	found, err := filepath.Glob(filepath.Join(base, prefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range found {
		t := &Tree{path: path}
		if !t.hold() {
			continue // its executor lives, or another one sweeps
		}
		if err := t.Close(); err != nil {
			return fmt.Errorf("what an earlier executor left behind cannot be removed: %w", err)
		}
	}
	return nil
}

// Controllers says which of memory, pids and cpu bound the workers; without any, all that
// there is to it is Kill.
func (t *Tree) Controllers() []string { return slices.Clone(t.controllers) }

// Has says whether a controller is among them.
func (t *Tree) Has(controller string) bool { return slices.Contains(t.controllers, controller) }

// Close ends what is left in the tree and removes it.
func (t *Tree) Close() error {
	entries, err := os.ReadDir(t.path)
	if err != nil {
		unix.Close(t.lock)
		return err
	}
	var errs []error
	for _, entry := range entries {
		if entry.IsDir() {
			g := &Group{path: filepath.Join(t.path, entry.Name())}
			errs = append(errs, g.Kill(), g.Remove())
		}
	}
	errs = append(errs, remove(t.path))
	unix.Close(t.lock)
	return errors.Join(errs...)
}

// remove removes a cgroup. One whose processes were just killed is busy until the last
// of them has gone through its end.
func remove(path string) error {
	var err error
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		err = unix.Rmdir(path)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EINTR) {
			break
		}
		time.Sleep(wait)
	}
	return &fs.PathError{Op: "rmdir", Path: path, Err: err}
}

// write writes to a file of a cgroup that the kernel has put there.
func write(path, name, text string) error {
	file := filepath.Join(path, name)
	fd, err := unix.Open(file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: file, Err: err}
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		return &fs.PathError{Op: "write " + strings.TrimSpace(text) + " to", Path: file, Err: err}
	}
	return nil
}
