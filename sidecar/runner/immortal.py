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


def mark_all():
    """Mark every object that can be found. Before 3.12 there is no such mark."""
    if sys.version_info < (3, 12) or sys.implementation.name != "cpython":
        return
    if getattr(sys, "_is_gil_enabled", lambda: True)() is False:
        return  # a free-threaded build counts references elsewhere
    count = ctypes.c_uint32.from_address
    mark = count(id(None)).value
    seen = set()
    # What is found stays here until it is marked, also what only the search brings about:
    # a mark in memory that has come to be something else would be the end.
    alive = []
    pending = gc.get_objects()
    while pending:
        found = []
        for thing in pending:
            if id(thing) not in seen:
                seen.add(id(thing))
                found.append(thing)
        alive += found
        pending = gc.get_referents(*found)
        for thing in found:
            if type(thing) is types.CodeType:  # which the collector does not look into
                pending += (
                    thing.co_consts, thing.co_names, thing.co_name, thing.co_qualname,
                    thing.co_filename, thing.co_linetable, thing.co_exceptiontable,
                )
                pending += thing.co_consts + thing.co_names
    ours = {id(seen), id(alive), id(pending), id(found)}
    for thing in alive:
        if id(thing) not in ours:
            count(id(thing)).value = mark
