package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Group is one worker's cgroup. A nil Group is one that there is not: it bounds nothing.
type Group struct {
	path   string
	memory int64 // memory.max, or 0
}

// period is the time over which processors are shared out, in microseconds.
const period = 100_000

// Add makes a Group that is held to limits, as far as there are controllers, and moves a
// process to it. What the process has used before does not count.
func (t *Tree) Add(pid int, limits Limits) (*Group, error) {
	g := &Group{path: filepath.Join(t.path, "w"+strconv.FormatUint(t.next.Add(1), 10))}
	if err := os.Mkdir(g.path, 0o755); err != nil {
		return nil, fmt.Errorf("no cgroup for a worker: %w", err)
	}
	if err := g.bound(t, limits); err != nil {
		return nil, errors.Join(err, g.Remove())
	}
	if err := write(g.path, "cgroup.procs", strconv.Itoa(pid)); err != nil {
		return nil, errors.Join(fmt.Errorf("a worker cannot be moved to its cgroup: %w", err), g.Remove())
	}
	return g, nil
}

func (g *Group) bound(t *Tree, limits Limits) error {
	if t.Has("memory") && limits.MemoryBytes > 0 {
		g.memory = limits.MemoryBytes
		if err := write(g.path, "memory.max", strconv.FormatInt(limits.MemoryBytes, 10)); err != nil {
			return err
		}
		// A kernel without swap has no file for it.
		if err := write(g.path, "memory.swap.max", "0"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := write(g.path, "memory.oom.group", "1"); err != nil {
			return err
		}
	}
	if t.Has("pids") && limits.Processes > 0 {
		if err := write(g.path, "pids.max", strconv.FormatInt(limits.Processes, 10)); err != nil {
			return err
		}
	}
	if t.Has("cpu") && limits.Processors > 0 {
		return write(g.path, "cpu.max", fmt.Sprintf("%d %d", limits.Processors*period, period))
	}
	return nil
}

// LowerMemory holds the group to less than it was made with; more changes nothing.
func (g *Group) LowerMemory(bytes int64) error {
	if g == nil || bytes >= g.memory {
		return nil
	}
	return write(g.path, "memory.max", strconv.FormatInt(bytes, 10))
}

// Kill ends every process in the group, and those that they are just starting.
func (g *Group) Kill() error {
	if g == nil {
		return nil
	}
	err := write(g.path, "cgroup.kill", "1")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has been removed
	}
	return err
}

// OutOfMemory says whether the kernel has ended processes of the group because they had
// used all of its memory.
func (g *Group) OutOfMemory() bool {
	if g == nil || g.memory == 0 {
		return false
	}
	text, err := os.ReadFile(filepath.Join(g.path, "memory.events"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if count, is := strings.CutPrefix(line, "oom_kill "); is {
			return strings.TrimSpace(count) != "0"
		}
	}
	return false
}

// Remove removes the group, once its processes have been ended.
func (g *Group) Remove() error {
	if g == nil {
		return nil
	}
	return remove(g.path)
}
