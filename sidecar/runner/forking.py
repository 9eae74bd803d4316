"""Forking, and the memory that is forked, for as little as it can cost.

What os.fork() does to the interpreter in the child (locks made anew, threads of the
parent forgotten, callbacks of modules) is there for parents with threads. The fork server
has one thread, so that nothing needs mending; and doing it anyway writes to a hundred
pages, which the child has to copy before it has done anything of use.
"""

import ctypes
import os
import sys
import threading
import time

from . import kernel

# From asm-generic/mman-common.h and linux/mman.h.
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE = 0x2, 0x20, 0x100000
MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
MADV_COLLAPSE = 25

_HUGE = 2 << 20  # bytes of a huge page
_SMALLEST = 1 << 20  # bytes of a mapping that is worth one

# What to fill holes with: byte strings of every size that the interpreter's own allocator
# has, and of fewer and fewer bytes for the C library's, which has the rest.
_SIZES = [
    size - sys.getsizeof(b"")
    for size in (*range(48, 513, 16), 65536, 16384, 8192, 4096, 2048, 1536, 1024, 768, 640, 576, 528)
]
_FILL = 64 << 20  # bytes at most, of each size

_SPARE = 128 << 10  # bytes of the heap that workers find free

# What modules of the standard library do in a forked child for the sake of threads that
# the parent does not have.
_NEEDLESS = {"asyncio.events", "concurrent.futures.thread", "logging", "threading"}


class Fork:
    """Forks as os.fork() does, for a process with one thread.

    registered is what modules have asked to be called in a child so far.
    """

    def __init__(self, registered):
        self._fork = os.fork
        self._calls = []
        if getattr(sys, "_is_gil_enabled", lambda: True)():
            # The interpreter's lock is kept all the time, and so is the child's.
            self._fork = ctypes.PyDLL(None, use_errno=True).fork
            self._calls = [call for call in registered if getattr(call, "__module__", None) not in _NEEDLESS]
            self._calls.append(threading.main_thread()._set_native_id)
        # Else it is a free-threaded interpreter, which keeps more about its threads.

    def __call__(self):
        pid = self._fork()
        if pid < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"fork: {os.strerror(code)}")
        if pid == 0:
            self.mend()
        return pid

    def mend(self):
        """What is still to be done in a child; in its parent it does no harm."""
        for call in self._calls:
            call()


class Memory:
    """The memory of this process, to be forked. maps is its /proc/self/maps, open.

    A fork copies the table of the pages that there are, and the end of a worker goes
    through it once more: with pages 512 times as large both are short. A worker that
    writes gets a small page of its own all the same.
    """

    def __init__(self, maps):
        self._maps = maps
        self._ranges = []
        self._filling = []

    def fill(self):
        """Take all the room that is left in the heap as it is now.

        What is allocated from here on, here and in every worker, then lies together in a
        few new pages, and not in the holes of all the old ones.
        """
        self._ranges = [
            self._pad(start, end, name)
            for start, end, rights, name in self._mappings()
            if rights == "rw-p" and name in ("", "[heap]") and end - start >= _SMALLEST
        ]
        keep = self._filling.append
        for size in _SIZES:
            self._take(keep, size)

    def _take(self, keep, size):
        ranges, limit = self._ranges, _FILL // size
        while limit:
            piece = bytes(size)
            keep(piece)
            place = id(piece)
            if not any(start <= place < end for start, end in ranges):
                return
            limit -= 1

    def _pad(self, start, end, name):
        """Widen a mapping so that it has whole huge pages only, if what is beside it is free."""
        low, high = start // _HUGE * _HUGE, -(-end // _HUGE) * _HUGE
        if low < start and _map(low, start - low, fixed=True) == low:
            start = low
        if name == "[heap]":
            ctypes.CDLL(None).sbrk(ctypes.c_long(high - end))
            end = high
        elif end < high and _map(end, high - end, fixed=True) == end:
            end = high
        return start, end

    def trim(self):
        """Give back what lies free at the heap's end: forks would copy the table of its pages."""
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not every C library has it
        if trim is not None:
            trim(ctypes.c_size_t(_SPARE))

    def use_huge_pages(self, patience):
        """Put the heap that was filled, and the interpreter's code, into huge pages.

        patience is how long to spend on it, in seconds.
        """
        until = time.monotonic() + patience
        for start, end in self._ranges:
            _collapse(-(-start // _HUGE) * _HUGE, end, until)
        for start, end, rights, name in list(self._mappings()):
            if name.startswith("/") and rights in ("r-xp", "r--p"):
                low, high = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
                if low < high:
                    _replace(low, high - low, PROT_READ | (PROT_EXEC if "x" in rights else 0), until)

    def _mappings(self):
        self._maps.seek(0)
        for line in self._maps.read().splitlines():
            addresses, rights, _, _, _, *name = line.split(None, 5)
            start, end = addresses.split("-")
            yield int(start, 16), int(end, 16), rights, name[0] if name else ""


def _map(address, size, fixed=False):
    flags = MAP_PRIVATE | MAP_ANONYMOUS | (MAP_FIXED_NOREPLACE if fixed else 0)
    try:
        return kernel.call("mmap", address, size, PROT_READ | PROT_WRITE, flags, -1, 0)
    except OSError:
        return -1


def _collapse(place, end, until):
    """Whether all of it is in huge pages now."""
    while place + _HUGE <= end:
        if time.monotonic() > until:
            return False
        try:
            kernel.call("madvise", place, _HUGE, MADV_COLLAPSE)
        except OSError:
            return False  # no huge page to be had; it works without
        place += _HUGE
    return True


def _replace(place, size, protection, until):
    """Put a copy of what is read only, in huge pages, in the place of the original.

    The kernel exchanges them in one step: the code that asks for it may be among it.
    """
    reserved = _map(0, size + _HUGE)
    if reserved < 0:
        return
    copy = -(-reserved // _HUGE) * _HUGE
    ctypes.memmove(copy, place, size)
    try:
        if _collapse(copy, copy + size, until):
            kernel.call("mprotect", copy, size, protection)
            kernel.call("mremap", copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place)
    except OSError:
        pass  # some systems forbid code that comes from no file
    kernel.call("munmap", reserved, size + _HUGE)
