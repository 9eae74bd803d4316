"""System calls that the standard library does not wrap.

Everything here runs before a program is let in: in the fork server, and in a worker
until its last filter is in place.
"""

import ctypes
import os
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long

# The numbers of this machine, by name; filled in by load().
NR = {}

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND = 0x20, 0x1000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
MNT_DETACH = 2
CLONE_NEWNS = 0x20000
CLONE_NEWPID = 0x20000000

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
LANDLOCK_RULE_PATH_BENEATH = 1


def load(numbers):
    """Take the system call numbers of this architecture."""
    NR.update(numbers)


def call(name, *args):
    """Make one system call; raises OSError as the standard library would."""
    converted = [
        ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) if isinstance(a, bytes) else a
        for a in args
    ]
    result = _syscall(ctypes.c_long(NR[name]), *converted)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def mount(source, target, kind, flags, data):
    call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())


def open_tree(path, recursive=True):
    """Detach a copy of the mounts at path, to be put elsewhere by move_mount."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (AT_RECURSIVE if recursive else 0)
    return call("open_tree", AT_FDCWD, os.fsencode(path), flags)


def move_mount(fd, path):
    call("move_mount", fd, b"", AT_FDCWD, os.fsencode(path), MOVE_MOUNT_F_EMPTY_PATH)


def set_mount_attributes(fd, attributes, recursive=True):
    arg = struct.pack("=QQQQ", attributes, 0, 0, 0)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    call("mount_setattr", fd, b"", flags, arg, len(arg))


def change_root(path):
    """Make path the root directory and let go of everything that was outside it."""
    os.chdir(path)
    call("pivot_root", b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/")


def prctl(option, arg2=0, arg3=0):
    call("prctl", option, arg2, arg3, 0, 0)


def set_capabilities(effective):
    """Keep the given capabilities (a bit mask) and nothing else, not even to inherit."""
    header = struct.pack("=Ii", 0x20080522, 0)
    low, high = effective & 0xFFFFFFFF, effective >> 32
    call("capset", header, struct.pack("=IIIIII", low, low, 0, high, high, 0))


def landlock(handled_fs, handled_net, scoped, size, rules):
    """Confine this process. rules is a list of (directory or file descriptor, access)."""
    attr = struct.pack("=QQQ", handled_fs, handled_net, scoped)[:size]
    ruleset = call("landlock_create_ruleset", attr, len(attr), 0)
    try:
        for fd, access in rules:
            call(
                "landlock_add_rule",
                ruleset,
                LANDLOCK_RULE_PATH_BENEATH,
                struct.pack("=Qi", access, fd),
                0,
            )
        call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


class _Fprog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Filter:
    """A seccomp program: an array of struct sock_filter."""

    def __init__(self, program, pid_offsets=()):
        self._code = ctypes.create_string_buffer(program, len(program))
        self._prog = _Fprog(len(program) // 8, ctypes.addressof(self._code))
        self._pid_offsets = pid_offsets

    def install(self, listen=False):
        """Put it over this process; it may know its own pid.

        With listen, gives a descriptor from which the calls that it hands over are answered.
        """
        pid = struct.pack("=I", os.getpid())
        for offset in self._pid_offsets:
            ctypes.memmove(ctypes.addressof(self._code) + offset, pid, len(pid))
        flags = SECCOMP_FILTER_FLAG_NEW_LISTENER if listen else 0
        return call("seccomp", SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(self._prog))
