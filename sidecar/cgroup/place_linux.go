package cgroup

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// leaf is the cgroup that the executor's own processes move to: a cgroup that hands
// controllers on to others may hold no process itself.
const leaf = "codemode-executor"

// A place is where this process is in the hierarchy, and what is known of it.
type place struct {
	mount     string // of the hierarchy
	own       string // this process's cgroup, below mount
	euid      int
	delegated func(path string) bool // marked as such by systemd
	owner     func(path string) int  // user id
	ours      func(pid int) bool     // this process, or one that it started
}

// here finds the place of this process.
func here() (place, error) {
	p := place{euid: os.Geteuid(), delegated: delegated, owner: owner, ours: ours}
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return p, fmt.Errorf("this process's cgroup is not to be seen: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return p, fmt.Errorf("the mounts are not to be seen: %w", err)
	}
	p.mount, p.own, err = locate(string(membership), string(mounts))
	return p, err
}

// locate reads /proc/self/cgroup and /proc/self/mountinfo.
func locate(membership, mounts string) (mount, own string, err error) {
	found := false
	for line := range strings.Lines(membership) {
		if path, is := strings.CutPrefix(line, "0::"); is {
			own, found = strings.TrimSuffix(path, "\n"), true
		}
	}
	if !found {
		return "", "", fmt.Errorf("there is no cgroup v2 hierarchy")
	}
	if strings.HasPrefix(own, "/..") {
		return "", "", fmt.Errorf("this process's cgroup %s is outside its cgroup namespace", own)
	}
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(kind) < 1 || kind[0] != "cgroup2" {
			continue
		}
		inside, err := filepath.Rel(unescape(fields[3]), own)
		if err != nil || inside == ".." || strings.HasPrefix(inside, "../") {
			continue // it shows another part of the hierarchy
		}
		return unescape(fields[4]), filepath.Join("/", inside), nil
	}
	return "", "", fmt.Errorf("no mount shows the cgroup v2 hierarchy at %s", own)
}

// unescape undoes the octal escapes of mountinfo.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// base gives the cgroup that the executor may divide, or why there is none. Its parent
// is somebody else's: systemd's, as a rule.
func (p place) base() (string, error) {
	own := filepath.Join(p.mount, p.own)
	switch parent := filepath.Dir(own); {
	case p.own != "/" && filepath.Base(own) == leaf:
		own = parent // an executor of this process, or its parent's, has been here
	case p.own == "/":
		// All of the hierarchy, or a container's own part of it.
	case p.delegated(own):
	case p.delegated(parent) && len(processes(parent)) == 0:
		own = parent // systemd's DelegateSubgroup
	case p.euid != 0 && p.owner(own) == p.euid:
		for _, pid := range processes(own) {
			if !p.ours(pid) {
				return "", fmt.Errorf("process %d is in the executor's cgroup %s too; start the executor as a unit with Delegate=yes", pid, p.own)
			}
		}
	default:
		return "", fmt.Errorf("the executor's cgroup %s is not delegated to it; start it as a unit with Delegate=yes", p.own)
	}
	for _, path := range []string{own, filepath.Join(own, "cgroup.procs")} {
		if err := unix.Access(path, unix.W_OK); err != nil {
			return "", fmt.Errorf("%s cannot be written to: %w", path, err)
		}
	}
	return own, nil
}

// processes lists who is in a cgroup; nobody if it cannot be read.
func processes(path string) []int {
	text, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var pids []int
	for field := range bytes.FieldsSeq(text) {
		if pid, err := strconv.Atoi(string(field)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// controllersOf lists the controllers that a file of that kind names.
func controllersOf(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(strings.Fields(string(text)), func(name string) bool {
		return !slices.Contains(wanted, name)
	})
}

// wanted are the controllers that bound a worker.
var wanted = []string{"memory", "pids", "cpu"}

func delegated(path string) bool {
	var value [8]byte
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		if n, err := unix.Getxattr(path, name, value[:]); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	return false
}

func owner(path string) int {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return -1
	}
	return int(stat.Uid)
}

// ours says whether a process is this one or a descendant of it.
func ours(pid int) bool {
	for range 100 { // deeper trees are nobody's
		if pid == os.Getpid() {
			return true
		}
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if err != nil || len(fields) < 2 {
			return false
		}
		if pid, err = strconv.Atoi(string(fields[1])); err != nil || pid <= 1 {
			return false
		}
	}
	return false
}
