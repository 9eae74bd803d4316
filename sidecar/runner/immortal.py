"""Making what a fork server holds immortal, so that workers can share its memory.

A reference count is in the object. After a fork, whoever so much as looks at an object
writes to its page, and the kernel must copy it: most of what a worker costs is that.
Since 3.12 CPython does not count references to objects that are marked immortal
(PEP 683). It marks only a few itself; here all that exist are marked, which is safe in
a process whose objects live as long as it does.
"""

import ctypes
import gc
import sys
import types


_LEAST = 3 << 30  # the count from which on CPython 3.14 takes an object as immortal


def mark_all():
    """Mark every object that can be found. Before 3.12 there is no such mark."""
    if sys.version_info < (3, 12) or sys.implementation.name != "cpython":
        return
    if getattr(sys, "_is_gil_enabled", lambda: True)() is False:
        return  # a free-threaded build counts references elsewhere
    # All memory, by words of the size of a reference count. A mark is also what tells
    # that an object has been seen: a set of addresses would leave holes in the heap that
    # every fork had to copy.
    memory = (ctypes.c_uint32 * (1 << 46)).from_address(0)
    mark = memory[id(None) >> 2]
    if mark == _LEAST:
        # From 3.14 on, what the interpreter put on its stack as a mortal it takes off as
        # one. Below the least count, the next use would write again.
        mark |= _LEAST >> 2
    referents = gc.get_referents
    pending = gc.get_objects()
    while pending:
        found = []
        for thing in pending:
            place = id(thing) >> 2
            if memory[place] != mark:
                memory[place] = mark
                found.append(thing)
        pending = referents(*found)
        for thing in found:
            if type(thing) is types.CodeType:  # which the collector does not look into
                pending += (
                    thing.co_consts, thing.co_names, thing.co_name, thing.co_qualname,
                    thing.co_filename, thing.co_linetable, thing.co_exceptiontable,
                )
                pending += thing.co_consts + thing.co_names
