package sandbox

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Two filters are stacked. The fork server installs the first, an allow-list, on
// itself; workers inherit it for nothing. Each worker adds the second, a short list of
// what the fork server alone may do and of what depends on the worker's pid: the kernel
// compiles it anew for each. A call is let through only if both agree. Everything refused
// gets EPERM, which an innocent program survives, rather than a kill, which it does not.

// harmless are the calls that a CPython with numpy and pandas makes on what it
// already holds: memory, files that Landlock lets it open, clocks, its own threads.
var harmless = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64,
	unix.SYS_PWRITE64, unix.SYS_PREADV, unix.SYS_PWRITEV, unix.SYS_PREADV2, unix.SYS_PWRITEV2,
	unix.SYS_LSEEK, unix.SYS_CLOSE, unix.SYS_CLOSE_RANGE, unix.SYS_DUP, unix.SYS_DUP3,
	unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_FSTAT, unix.SYS_STATX, unix.SYS_STATFS,
	unix.SYS_FSTATFS, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2, unix.SYS_READLINKAT,
	unix.SYS_GETCWD, unix.SYS_CHDIR, unix.SYS_FCHDIR, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT,
	unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT, unix.SYS_SYMLINKAT,
	unix.SYS_TRUNCATE, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_FADVISE64,
	unix.SYS_READAHEAD, unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_UTIMENSAT, unix.SYS_UMASK,
	unix.SYS_GETDENTS64, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNC_FILE_RANGE,
	unix.SYS_GETXATTR, unix.SYS_LGETXATTR, unix.SYS_FGETXATTR,
	unix.SYS_LISTXATTR, unix.SYS_LLISTXATTR, unix.SYS_FLISTXATTR, unix.SYS_SENDFILE,
	unix.SYS_COPY_FILE_RANGE, unix.SYS_SPLICE, unix.SYS_TEE, unix.SYS_PIPE2,

	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP, unix.SYS_MADVISE,
	unix.SYS_BRK, unix.SYS_MSYNC, unix.SYS_MINCORE, unix.SYS_MEMBARRIER, unix.SYS_RSEQ,

	unix.SYS_FUTEX_WAITV, unix.SYS_SET_ROBUST_LIST, unix.SYS_SET_TID_ADDRESS,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_GETPARAM,
	unix.SYS_SCHED_GETSCHEDULER, unix.SYS_SCHED_GET_PRIORITY_MAX, unix.SYS_SCHED_GET_PRIORITY_MIN,
	unix.SYS_GETCPU, unix.SYS_GETPRIORITY, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	unix.SYS_RESTART_SYSCALL, unix.SYS_WAIT4, unix.SYS_WAITID,

	unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID,
	unix.SYS_GETGID, unix.SYS_GETEGID, unix.SYS_GETGROUPS, unix.SYS_GETRESUID,
	unix.SYS_GETRESGID, unix.SYS_GETPGID, unix.SYS_GETSID, unix.SYS_CAPGET, unix.SYS_UNAME,
	unix.SYS_SYSINFO, unix.SYS_GETRLIMIT, unix.SYS_GETRUSAGE, unix.SYS_TIMES,
	unix.SYS_GETTIMEOFDAY, unix.SYS_NANOSLEEP, unix.SYS_GETRANDOM,

	unix.SYS_SETITIMER, unix.SYS_GETITIMER, unix.SYS_TIMERFD_CREATE, unix.SYS_TIMERFD_SETTIME,
	unix.SYS_TIMERFD_GETTIME, unix.SYS_EVENTFD2, unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL,
	unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_PPOLL, unix.SYS_PSELECT6,

	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN,
	unix.SYS_RT_SIGPENDING, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_RT_SIGSUSPEND, unix.SYS_SIGALTSTACK,

	// On sockets that it already has: its own pairs, and the control socket.
	unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_SHUTDOWN,
	unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME,
}

// confining are the calls with which the fork server makes workers, and workers confine
// themselves. The second filter refuses them all.
var confining = []uint32{
	unix.SYS_UNSHARE, unix.SYS_MOUNT, unix.SYS_CAPSET, unix.SYS_SECCOMP, unix.SYS_LANDLOCK_CREATE_RULESET,
	unix.SYS_LANDLOCK_ADD_RULE, unix.SYS_LANDLOCK_RESTRICT_SELF, unix.SYS_PIDFD_OPEN,
}

// From asm-generic/ioctls.h; package unix lacks them.
const (
	ioFIONBIO  = 0x5421
	ioFIONCLEX = 0x5450
	ioFIOCLEX  = 0x5451
)

// Of futexes, waiting on any address and everything on private ones; see linux/futex.h.
const (
	futexWait       = 0
	futexWaitBitset = 9
	futexPrivate    = 128
	futexLast       = 13
	futexClock      = 256 // by which clock; it does not matter
)

var futexOperations = func() []uint32 {
	operations := []uint32{futexWait, futexWaitBitset}
	for operation := range uint32(futexLast + 1) {
		operations = append(operations, futexPrivate|operation)
	}
	return operations
}()

// lockAnswer gives an answer to those who lock a part of a file, and locks nothing.
func lockAnswer(errno uint32) decision {
	return decision{
		checks:    []check{argIn(1, unix.F_SETLK, unix.F_SETLKW)},
		otherwise: retAllow, holds: retErrno | errno,
	}
}

// shareLocks lets those who share a directory that they can write to lock its files.
func shareLocks(policy map[uint32]decision) { delete(policy, unix.SYS_FCNTL) }

const cloneThread = unix.CLONE_THREAD | unix.CLONE_VM | unix.CLONE_SIGHAND

// checked are the calls that stand or fall by an argument, by a rule that the fork
// server keeps to as well. Locks that readers of a file could tell each other by (flock,
// F_GETLK, those of open file descriptions) are refused: the library is one for all runs.
func checked() map[uint32]decision {
	return map[uint32]decision{
		// Not those that could send elsewhere: a datagram socket takes any address.
		unix.SYS_SOCKETPAIR: allowIf(ePERM, argIn(0, unix.AF_UNIX), argMasked(1, ^uint32(socketFlags), unix.SOCK_STREAM)),
		unix.SYS_IOCTL: allowIf(eNOTTY, argIn(1,
			unix.TCGETS, unix.TIOCGWINSZ, unix.TIOCINQ, ioFIOCLEX, ioFIONCLEX, ioFIONBIO)),
		unix.SYS_FCNTL: allowIf(ePERM, argIn(1,
			unix.F_DUPFD, unix.F_DUPFD_CLOEXEC, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL,
			unix.F_SETFL, unix.F_SETLK, unix.F_SETLKW, unix.F_GETPIPE_SZ)),
		// No process but itself is to be timed: the clocks of others have negative numbers.
		unix.SYS_CLOCK_GETTIME:   allowIf(ePERM, argMasked(0, ^uint32(15), 0)),
		unix.SYS_CLOCK_GETRES:    allowIf(ePERM, argMasked(0, ^uint32(15), 0)),
		unix.SYS_CLOCK_NANOSLEEP: allowIf(ePERM, argMasked(0, ^uint32(15), 0)),
		// A page of a library is one for all runs: who waits there may only be woken by
		// the kernel. Its own threads wait on private addresses.
		unix.SYS_FUTEX: allowIf(ePERM, check{arg: 1, mask: ^uint32(futexClock), values: futexOperations}),
		// A filter program of its own in the kernel is more than a socket pair needs.
		unix.SYS_SETSOCKOPT: {
			checks: []check{
				argIn(1, unix.SOL_SOCKET),
				argIn(2, unix.SO_ATTACH_FILTER, unix.SO_ATTACH_BPF, unix.SO_ATTACH_REUSEPORT_CBPF, unix.SO_ATTACH_REUSEPORT_EBPF, unix.SO_PASSPIDFD),
			},
			otherwise: retAllow, holds: retErrno | ePERM,
		},
		// The peer of its control socket is the executor, which is not to be held.
		unix.SYS_GETSOCKOPT: {
			checks:    []check{argIn(1, unix.SOL_SOCKET), argIn(2, unix.SO_PEERPIDFD)},
			otherwise: retAllow, holds: retErrno | ePERM,
		},
	}
}

// forkServerFilter is the allow-list, with what is allowed besides.
func forkServerFilter(extra ...uint32) Filter {
	policy := checked()
	for _, list := range [][]uint32{harmless, harmlessHere, confining, extra} {
		for _, number := range list {
			policy[number] = allow()
		}
	}
	for _, number := range []uint32{
		unix.SYS_CLONE, unix.SYS_PRCTL, unix.SYS_KILL, unix.SYS_TGKILL, unix.SYS_PRLIMIT64,
		unix.SYS_SETRLIMIT,
	} {
		policy[number] = allow()
	}
	// glibc falls back to clone, whose flags a filter can read.
	policy[unix.SYS_CLONE3] = refuse(eNOSYS)
	return assemble(auditArch, policy, refuse(ePERM))
}

// attributes are the calls that change the mode and the times of a file. Landlock does
// not hold them, so that where a worker has no root of its own they would reach every
// file of its user; then they are refused even for files of its own.
var attributes = []uint32{unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_UTIMENSAT}

// workerFilter is what a worker adds; ownRoot says whether it sees only files of its own.
func workerFilter(ownRoot bool, changes ...func(map[uint32]decision)) Filter {
	policy := map[uint32]decision{
		// Threads, no processes.
		unix.SYS_CLONE: allowIf(ePERM, argMasked(0, cloneThread, cloneThread),
			argMasked(0, newNamespaces, 0)),
		// Signals to itself.
		unix.SYS_KILL:   allowIf(ePERM, argIn(0, selfPID)),
		unix.SYS_TGKILL: allowIf(ePERM, argIn(0, selfPID)),
		// Limits of its own, which it can only lower.
		unix.SYS_PRLIMIT64: allowIf(ePERM, argIn(0, 0, selfPID)),
		unix.SYS_PRCTL: allowIf(ePERM, argIn(0,
			unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_GET_DUMPABLE, unix.PR_GET_NO_NEW_PRIVS,
			unix.PR_CAPBSET_READ, unix.PR_SET_VMA)),
		unix.SYS_SCHED_GETAFFINITY: allowIf(ePERM, argIn(0, 0, selfPID)),
		// No process but itself is to be seen, let alone counted.
		unix.SYS_GETPGID:            allowIf(ePERM, argIn(0, 0, selfPID)),
		unix.SYS_GETSID:             allowIf(ePERM, argIn(0, 0, selfPID)),
		unix.SYS_SCHED_GETPARAM:     allowIf(ePERM, argIn(0, 0, selfPID)),
		unix.SYS_SCHED_GETSCHEDULER: allowIf(ePERM, argIn(0, 0, selfPID)),
		unix.SYS_GETPRIORITY:        allowIf(ePERM, argIn(0, unix.PRIO_PROCESS), argIn(1, 0, selfPID)),
		// /dev/null is one for all runs, and a lock on it would tell them of each other.
		// A single process never meets its own locks, so that it need not really have them.
		unix.SYS_FCNTL: lockAnswer(0),
	}
	refused := slices.Clone(confining)
	if !ownRoot {
		refused = slices.Concat(refused, attributes, attributesHere)
	}
	for _, number := range refused {
		policy[number] = refuse(ePERM)
	}
	for _, change := range changes {
		change(policy)
	}
	return assemble(auditArch, policy, allow())
}
