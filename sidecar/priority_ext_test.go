package sidecar_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/sidecar"
)

func niceOf(t *testing.T, pid int) int {
	t.Helper()
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, pid)
	if err != nil {
		t.Fatal(err)
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
	server, own := newForkServer(t, before), niceOf(t, 0)
	waitFor(t, func() bool { return niceOf(t, server) == own+added && workersOf(t, server) == 1 })
	for pid, parent := range processes(t) {
		if parent == server && niceOf(t, pid) != own+added {
			t.Errorf("a worker without a program has nice value %d, want %d", niceOf(t, pid), own+added)
		}
	}
	got := e.run(t, "import os\nos.getpriority(os.PRIO_PROCESS, 0)")
	if got.Value != int64(own) {
		t.Errorf("a program has nice value %v %+v, want %d", got.Value, got.Error, own)
	}
}
