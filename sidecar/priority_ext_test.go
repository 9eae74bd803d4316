//go:build linux

package sidecar_test

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/sidecar"
)

// niceOf gives the nice value of a process, and 100 of one that has gone.
func niceOf(pid int) int {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, pid)
	if err != nil {
		return 100
	}
	return 20 - raw // as the system call encodes it
}

// What is made ahead of need leaves the processors to what somebody waits for; a program
// has the priority that its executor has.
func TestWorkersInTheMakingDoNotSlowProgramsDown(t *testing.T) {
	adapt, added := sidecar.PrioritiesAdapt()
	if !adapt {
		t.Skip("this process may not give a priority back: it has no CAP_SYS_NICE")
	}
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady = 1 })
	server, own := newForkServer(t, before), niceOf(0)
	var nice []int // of the fork server and the worker that is ready
	if !waittest.Poll(func() bool {
		nice = []int{niceOf(server)}
		for _, worker := range childrenOf(t, server) {
			nice = append(nice, niceOf(worker))
		}
		return slices.Equal(nice, []int{own + added, own + added})
	}) {
		t.Errorf("what has no program has the nice values %d, want %d", nice, own+added)
	}
	got := e.run(t, "import os\nos.getpriority(os.PRIO_PROCESS, 0)")
	if got.Value != int64(own) {
		t.Errorf("a program has nice value %v %+v, want %d", got.Value, got.Error, own)
	}
}
