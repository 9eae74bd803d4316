package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A process is one of those that this process has started, and they in turn.
type process struct {
	pid, parent int
	innermost   int // its id in the namespace it lives in
	zombie      bool
}

// descendants gives all of them, in no order.
func descendants() ([]process, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return nil, err
	}
	below := map[int][]process{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // gone
		}
		p := process{pid: number(text, "Pid:"), parent: number(text, "PPid:")}
		inner := strings.Fields(line(text, "NSpid:"))
		if len(inner) == 0 {
			return nil, fmt.Errorf("%s has no NSpid", path)
		}
		p.innermost, _ = strconv.Atoi(inner[len(inner)-1])
		p.zombie = strings.HasPrefix(line(text, "State:"), "Z")
		below[p.parent] = append(below[p.parent], p)
	}
	all := below[os.Getpid()]
	for i := 0; i < len(all); i++ {
		all = append(all, below[all[i].pid]...)
	}
	return all, nil
}

// forkServers gives the processes that this one started and that live. While nothing but
// an executor is measured, those are its fork servers.
func forkServers(all []process) []int {
	var pids []int
	for _, p := range all {
		if p.parent == os.Getpid() && !p.zombie {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// line gives what follows a key at the beginning of a line.
func line(text []byte, key string) string {
	_, rest, found := bytes.Cut(append([]byte("\n"), text...), []byte("\n"+key))
	if !found {
		return ""
	}
	rest, _, _ = bytes.Cut(rest, []byte("\n"))
	return string(bytes.TrimSpace(rest))
}

// number gives the first number that follows a key; zero if there is none.
func number(text []byte, key string) int {
	field, _, _ := strings.Cut(line(text, key), " ")
	n, _ := strconv.Atoi(field) // zero, as documented
	return n
}

// memory is what a process holds, in bytes.
type memory struct {
	resident     int64
	proportional int64 // shared pages count for each by its part
	anonymous    int64 // the same without pages of files, which the kernel can drop
	own          int64 // shared with nobody
}

func memoryOf(pid int) (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, err
	}
	size := func(key string) int64 { return int64(number(text, key)) << 10 }
	return memory{
		resident: size("Rss:"), proportional: size("Pss:"), anonymous: size("Pss_Anon:") + size("Pss_Shmem:"),
		own: size("Private_Clean:") + size("Private_Dirty:"),
	}, nil
}

// ended says whether a process could not be looked at because it is no more.
func ended(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// descriptorsOf counts the descriptors of a process.
func descriptorsOf(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries), err
}
