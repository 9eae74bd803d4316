package sidecar

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Making workers ahead of need is to take the processor time that programs, and whoever
// waits for them, leave over: fork servers and the workers in the making have a nice value
// above this process's, and a worker gets this process's when it gets a program. Only a
// process with CAP_SYS_NICE, or a limit RLIMIT_NICE, can give a priority back; where that
// is not so, all have the same.

// aheadOfNeed is what is added to the nice value of what nobody waits for.
const aheadOfNeed = 5

type priorities struct {
	own       int // this process's nice value, -20 to 19
	adaptable bool
}

var priority = sync.OnceValue(func() priorities {
	found := make(chan priorities)
	go func() {
		// Never unlocked: should the priority be lost, the thread ends with it.
		runtime.LockOSThread()
		raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		own := 20 - raw // as the system call encodes it
		if err != nil || own+aheadOfNeed > 19 || unix.Setpriority(unix.PRIO_PROCESS, 0, own+1) != nil {
			found <- priorities{}
			return
		}
		found <- priorities{own: own, adaptable: unix.Setpriority(unix.PRIO_PROCESS, 0, own) == nil}
	}()
	return <-found
})

// prioritize says whether somebody waits for a worker that the server makes.
func (f *forkServer) prioritize(awaited bool) {
	p := priority()
	if !p.adaptable {
		return
	}
	// An error can only mean that it has ended, of which whoever supervises it hears.
	if awaited { // with all its workers in the making
		_ = unix.Setpriority(unix.PRIO_PGRP, f.cmd.Process.Pid, p.own)
	} else {
		_ = unix.Setpriority(unix.PRIO_PROCESS, f.cmd.Process.Pid, p.own+aheadOfNeed)
	}
}

// prioritize gives a worker the priority of those that have a program.
func (w *worker) prioritize() {
	if p := priority(); p.adaptable {
		// An error can only mean that it has ended, which the next write to it tells.
		_ = unix.Setpriority(unix.PRIO_PROCESS, w.meter.pid, p.own)
	}
}
