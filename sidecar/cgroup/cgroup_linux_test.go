package cgroup

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

// open gives a tree of this machine, whatever controllers it has.
func open(t *testing.T) *Tree {
	t.Helper()
	tree, err := Open(true)
	if err != nil {
		t.Skip("no part of a cgroup v2 hierarchy is this process's:", err)
	}
	t.Cleanup(func() {
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(tree.path); !os.IsNotExist(err) {
			t.Errorf("%s is left behind: %v", tree.path, err)
		}
	})
	return tree
}

// family starts a process that has started others, which are in sessions of their own.
func family(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", "setsid sleep 100 & setsid sleep 100 & wait")
	stdin, err := cmd.StdinPipe()
	if err == nil {
		// Not before it is in its cgroup.
		cmd.Args = []string{"sh", "-c", "read go; " + cmd.Args[2]}
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // most tests have ended it
		_ = cmd.Wait()
	})
	cmd.Cancel = func() error { _, err := stdin.Write([]byte("go\n")); return err }
	return cmd
}

func populate(t *testing.T, g *Group, start *exec.Cmd) {
	t.Helper()
	if err := start.Cancel(); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, g.path+" is not populated", func() bool { return len(processes(g.path)) >= 3 })
}

// A run that started others ends with all of them.
func TestKillEndsTheWholeFamily(t *testing.T) {
	tree := open(t)
	cmd := family(t)
	g, err := tree.Add(cmd.Process.Pid, Limits{MemoryBytes: 100 << 20, Processes: 10, Processors: 1})
	if err != nil {
		t.Fatal(err)
	}
	populate(t, g, cmd)
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := g.Remove(); err != nil {
		t.Errorf("processes %v are left: %v", processes(g.path), err)
	}
	if g.OutOfMemory() {
		t.Error("a kill is taken for a lack of memory")
	}
	if err := g.Kill(); err != nil {
		t.Errorf("a second kill: %v", err)
	}
}

// What a killed executor left is gone when the next one starts; what belongs to one that
// lives is not touched.
func TestTheNextExecutorCleansUp(t *testing.T) {
	alive := open(t)
	group, err := alive.Add(family(t).Process.Pid, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(filepath.Dir(alive.path), prefix+"0-"+strconv.Itoa(os.Getpid()))
	cmd := family(t)
	left := &Group{path: filepath.Join(dead, "w1")}
	if err := os.MkdirAll(left.path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := write(left.path, "cgroup.procs", strconv.Itoa(cmd.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	populate(t, left, cmd)
	open(t)
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", dead, err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the process of the dead executor: %v", err)
	}
	if len(processes(group.path)) != 1 {
		t.Errorf("the group of the living executor has %v", processes(group.path))
	}
}

// A process that is gone already, or never was, gives an error and leaves nothing.
func TestAddLeavesNothingOfAFailure(t *testing.T) {
	tree := open(t)
	for _, pid := range []int{-1, 1 << 30} {
		if g, err := tree.Add(pid, Limits{Processes: 1}); err == nil {
			t.Errorf("process %d has cgroup %v", pid, g)
		}
	}
	if left, err := filepath.Glob(filepath.Join(tree.path, "w*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func BenchmarkAdd(b *testing.B) {
	tree, err := Open(true)
	if err != nil {
		b.Skip(err)
	}
	defer tree.Close()
	for b.Loop() {
		b.StopTimer()
		cmd := exec.Command("sleep", "100")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		g, err := tree.Add(cmd.Process.Pid, Limits{MemoryBytes: 100 << 20, Processes: 10})
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		_ = g.Kill()
		_ = cmd.Wait()
		if err := g.Remove(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
