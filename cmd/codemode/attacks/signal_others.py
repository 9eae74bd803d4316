# Tries to signal, trace and read other processes, and to change their limits.
import ctypes
import resource

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_ALL = 0x40000000

# In a pid namespace of its own, this process may have the number by chance.
pids = {"the executor": target["pid"], "the fork server": os.getppid()}
pids = {name: pid for name, pid in pids.items() if pid != os.getpid()}


def signal_zero(pid):
    os.kill(pid, 0)  # whether it may, without doing it
    return f"pid {pid}"


def group():
    os.killpg(os.getpgid(pids["the fork server"]), 0)
    return "killpg"


def trace(pid):
    syscall("ptrace", PTRACE_SEIZE, pid, 0, 0)
    try:  # and let it go on
        syscall("ptrace", PTRACE_INTERRUPT, pid, 0, 0)
        os.waitpid(pid, WAIT_ALL)
        syscall("ptrace", PTRACE_DETACH, pid, 0, 0)
    except OSError as error:
        print(f"letting go: {error}")
    return f"pid {pid}"


def read_memory():
    class Piece(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    buffer = ctypes.create_string_buffer(target["length"])
    local = Piece(ctypes.addressof(buffer), target["length"])
    remote = Piece(target["address"], target["length"])
    syscall("process_vm_readv", target["pid"], ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    return buffer.raw


def limits(pid):
    return resource.prlimit(pid, resource.RLIMIT_CORE)


def choose_cpus(pid):
    os.sched_setaffinity(pid, os.sched_getaffinity(pid))  # those that it has
    return f"pid {pid}"


def open_handle(pid):
    fd = syscall("pidfd_open", pid, 0)
    os.close(fd)
    return f"pid {pid}"


for name, pid in pids.items():
    attempt(f"signal {name}", signal_zero, pid)
    attempt(f"trace {name}", trace, pid)
    attempt(f"limits of {name}", limits, pid)
    attempt(f"a handle on {name}", open_handle, pid)
    attempt(f"choose CPUs for {name}", choose_cpus, pid)
attempt("signal pid 1", signal_zero, 1)
attempt("signal every process", signal_zero, -1)
attempt("signal the fork server's group", group)
attempt("read the executor's memory", read_memory)
verdict()
