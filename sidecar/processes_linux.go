package sidecar

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A run that may start commands is a tree of processes: what a worker has started hangs
// below it, and below its keeper once its parent has ended. This is where they are
// counted; the kernel's limits hold each by itself.

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, 100 on every architecture
// that Go knows.
const clockTick = 10 * time.Millisecond

// taskNames bounds how many threads of a process are looked at for children; long before,
// the run is over the limit that they are counted for.
const taskNames = 10_000

// openTree finds the worker's keeper.
func (m *meter) openTree() error {
	var buffer [2048]byte
	n, err := unix.Pread(m.status, buffer[:], 0)
	if err != nil {
		return fmt.Errorf("cannot watch a worker: %w", err)
	}
	m.keeper = int(statusNumber(buffer[:n], "PPid"))
	if m.keeper <= 1 {
		return fmt.Errorf("cannot watch a worker: its keeper is process %d", m.keeper)
	}
	return nil
}

// use gives the memory in use, in bytes, and the number of threads, of all processes of
// the run; it stops counting when there are more than most. Memory that processes have
// in common counts for each. cpu is the processor time of all together, or zero if there
// is only one, which the kernel itself holds to its limit.
func (m *meter) use(most int) (memory int64, threads int, cpu time.Duration) {
	memory, threads = m.peak()
	if m.keeper == 0 {
		return memory, threads, 0
	}
	sum, tasks := int64(0), 0
	pids := childrenOf(m.keeper)
	for i := 0; i < len(pids) && tasks <= most; i++ {
		pids = append(pids, childrenOf(pids[i])...)
		base := "/proc/" + strconv.Itoa(pids[i])
		// What cannot be read has ended.
		if status, err := os.ReadFile(base + "/status"); err == nil {
			sum += (statusNumber(status, "RssAnon") + statusNumber(status, "RssShmem")) << 10
			tasks += int(statusNumber(status, "Threads"))
		}
		if stat, err := os.ReadFile(base + "/stat"); err == nil {
			cpu += statTimes(stat)
		}
	}
	return max(memory, sum), max(threads, tasks), cpu
}

// childrenOf lists the children of a process, of any of its threads.
func childrenOf(pid int) []int {
	tasks := "/proc/" + strconv.Itoa(pid) + "/task"
	directory, err := os.Open(tasks)
	if err != nil {
		return nil // it has ended
	}
	names, _ := directory.Readdirnames(taskNames) // as many as could be read
	directory.Close()
	var pids []int
	for _, name := range names {
		text, err := os.ReadFile(tasks + "/" + name + "/children")
		if err != nil {
			continue
		}
		for field := range bytes.FieldsSeq(text) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// statusNumber reads one line of /proc/PID/status; zero if it is not there.
func statusNumber(status []byte, key string) int64 {
	_, rest, _ := bytes.Cut(status, []byte("\n"+key+":"))
	fields := bytes.Fields(rest[:min(len(rest), 40)])
	if len(fields) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// statTimes adds up the times of a process and of the children it has waited for.
func statTimes(stat []byte) time.Duration {
	// The name, in parentheses, may hold anything.
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0
	}
	fields := bytes.Fields(stat[end+1:])
	var ticks int64
	for i := 11; i <= 14 && i < len(fields); i++ { // utime, stime, cutime, cstime
		if n, err := strconv.ParseInt(string(fields[i]), 10, 64); err == nil {
			ticks += n
		}
	}
	return time.Duration(ticks) * clockTick
}
