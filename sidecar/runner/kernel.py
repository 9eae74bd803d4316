"""System calls that the standard library does not wrap.

Everything here runs before a program is let in: in the fork server, and in a worker
until its last filter is in place.
"""

import copy
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
    return Call(name, *args)()


class Call:
    """A system call, ready to be made."""

    __slots__ = ("_name", "_arguments")

    def __init__(self, name, *args):
        self._name = name
        self._arguments = [
            ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) if isinstance(a, bytes) else a
            for a in (NR[name], *args)
        ]

    def __call__(self):
        result = _syscall(*self._arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"{self._name}: {os.strerror(code)}")
        return result


def mount(source, target, kind, flags, data):
    mounting(source, target, kind, flags, data)()


def mounting(source, target, kind, flags, data):
    return Call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())


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
    setting_capabilities(effective)()


def setting_capabilities(effective):
    """Keep the given capabilities (a bit mask) and nothing else, not even to inherit."""
    header = struct.pack("=Ii", 0x20080522, 0)
    low, high = effective & 0xFFFFFFFF, effective >> 32
    return Call("capset", header, struct.pack("=IIIIII", low, low, 0, high, high, 0))


def landlock(handled_fs, handled_net, scoped, size, rules):
    """Confine this process. rules is a list of (directory or file descriptor, access)."""
    Landlock(handled_fs, handled_net, scoped, size).restrict(rules)


class Landlock:
    """What a process is to be confined in, but for the rules."""

    __slots__ = ("_create", "_restrict")

    def __init__(self, handled_fs, handled_net, scoped, size):
        attr = struct.pack("=QQQ", handled_fs, handled_net, scoped)[:size]
        self._create = Call("landlock_create_ruleset", attr, len(attr), 0)
        self._restrict = "landlock_restrict_self"

    def rehearsal(self):
        """The same, without an effect."""
        other = copy.copy(self)
        other._restrict = "getpid"
        return other

    def restrict(self, rules):
        """Confine this process. rules is a list of (directory or file descriptor, access)."""
        ruleset = self._create()
        try:
            for fd, access in rules:
                rule = struct.pack("=Qi", access, fd)
                call("landlock_add_rule", ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0)
            call(self._restrict, ruleset, 0)
        finally:
            os.close(ruleset)


class _Fprog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Filter:
    """A seccomp program: an array of struct sock_filter."""

    __slots__ = ("_code", "_prog", "_pid_offsets", "_install")

    def __init__(self, program, pid_offsets=()):
        self._code = ctypes.create_string_buffer(program, len(program))
        self._prog = _Fprog(len(program) // 8, ctypes.addressof(self._code))
        self._pid_offsets = pid_offsets
        self._install = "seccomp"

    def rehearsal(self):
        """The same, without an effect."""
        other = copy.copy(self)
        other._install = "getpid"
        return other

    def install(self, listen=False):
        """Put it over this process; it may know its own pid.

        With listen, gives a descriptor from which the calls that it hands over are answered.
        """
        pid = struct.pack("=I", os.getpid())
        for offset in self._pid_offsets:
            ctypes.memmove(ctypes.addressof(self._code) + offset, pid, len(pid))
        flags = SECCOMP_FILTER_FLAG_NEW_LISTENER if listen else 0
        return call(self._install, SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(self._prog))
