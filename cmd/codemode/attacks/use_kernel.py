# Tries system calls that widen what a process can do: namespaces, mounts, bpf, keyrings.
import ctypes

NAMESPACES = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "pid": 0x20000000}


def unshare(flag):
    syscall("unshare", flag)
    return "unshared"


def mount():
    syscall("mount", ctypes.c_char_p(b"none"), ctypes.c_char_p(os.getcwd().encode()),
            ctypes.c_char_p(b"tmpfs"), 0, None)
    syscall("umount2", ctypes.c_char_p(os.getcwd().encode()), 2)
    return "mounted"


def bpf():
    attributes = ctypes.create_string_buffer(128)
    ctypes.memmove(attributes, b"\2\0\0\0\4\0\0\0\4\0\0\0\1\0\0\0", 16)  # an array of one
    return f"descriptor {syscall('bpf', 0, attributes, 128)}"


def descriptor(name, *arguments):
    return f"descriptor {syscall(name, *arguments)}"


attempt("a keyring", lambda: syscall("keyctl", 0, -3, 1))
attempt("a key", lambda: syscall("add_key", ctypes.c_char_p(b"user"), ctypes.c_char_p(b"canary"),
                                 ctypes.c_char_p(b"x"), 1, -2))
attempt("bpf", bpf)
attempt("memfd_create", descriptor, "memfd_create", ctypes.c_char_p(b"canary"), 0)
attempt("io_uring", descriptor, "io_uring_setup", 1, ctypes.create_string_buffer(120))
attempt("userfaultfd", descriptor, "userfaultfd", 1)
attempt("perf_event_open", descriptor, "perf_event_open",
        ctypes.create_string_buffer(b"\1\0\0\0\x80" + bytes(123)), 0, -1, -1, 0)
attempt("setuid 0", lambda: os.setuid(0) or "root")
attempt("mount", mount)
for name, flag in NAMESPACES.items():
    attempt(f"a {name} namespace", unshare, flag)
attempt("chroot", lambda: os.chroot(".") or "chroot")
verdict()
