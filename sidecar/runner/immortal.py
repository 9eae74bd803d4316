"""Making what a fork server holds immortal, so that workers can share its memory.

A reference count is in the object. After a fork, whoever so much as looks at an object
writes to its page, and the kernel must copy it: most of what a worker costs is that.
Since 3.12 CPython does not count references to objects that are marked immortal
(PEP 683). It marks only a few itself; here all that exist are marked, which is safe in
a process whose objects live as long as it does.
"""

import ctypes
import gc
import itertools
import sys
import types


_LEAST = 3 << 30  # the count from which on CPython 3.14 takes an object as immortal
_FLAG = 1 << 16  # in the upper half of the word, how it tells that sooner
_BATCH = 1000  # objects that are looked at in one go
_WORDS = 1 << 46  # all memory, in words of the size of a reference count


def mark_all():
    """Mark every object that can be found. Before 3.12 there is no such mark."""
    # A mark is also what tells that an object has been seen: a set of addresses would leave
    # holes in the heap that every fork had to copy.
    _mark(gc.get_objects())


def mark_constants():
    """Mark what the code of all functions loads.

    Code notes when it is run first whether a constant counts its references.
    """
    functions = (thing for thing in gc.get_objects() if type(thing) is types.FunctionType)
    _mark([constant for function in functions for constant in _constants(function.__code__)], through=False)


def _constants(code):
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            yield from _constants(constant)
        else:
            yield constant


def _mark(things, through=True):
    if sys.version_info < (3, 12) or sys.implementation.name != "cpython":
        return
    if getattr(sys, "_is_gil_enabled", lambda: True)() is False:
        return  # a free-threaded build counts references elsewhere
    memory = memoryview((ctypes.c_uint32 * _WORDS).from_address(0)).cast("B").cast("I")
    highest = memoryview((ctypes.c_ubyte * (4 * _WORDS)).from_address(3)).cast("B").__getitem__
    none = id(None) >> 2
    # From 3.14 on, what the interpreter put on its stack as a mortal it takes off as one.
    # Below the least count, the next use would write again.
    least, flag = memory[none], memory[none + 1] & _FLAG
    mark = least | least >> 2 if least == _LEAST else least
    if not through:
        mark ^= 1 << 24  # mark_all() has yet to go through it
    # Most of what objects refer to is marked already, which the highest byte of a count tells.
    unmarked = bytearray(b"\1" * 256)
    unmarked[mark >> 24] = 0
    batches = [things]
    while batches:
        batch = batches.pop()
        if len(batch) > _BATCH:
            batches.append(batch[_BATCH:])
            batch = batch[:_BATCH]
        found = []
        for thing in itertools.compress(batch, bytes(map(highest, map(id, batch))).translate(unmarked)):
            place = id(thing) >> 2
            if memory[place] != mark:
                memory[place] = mark
                if flag:
                    memory[place + 1] |= flag
                found.append(thing)
        if not through or not found:
            continue
        referents = gc.get_referents(*found)
        for thing in found:
            if type(thing) is types.CodeType:  # which the collector does not look into
                referents += (
                    thing.co_consts, thing.co_names, thing.co_name, thing.co_qualname,
                    thing.co_filename, thing.co_linetable, thing.co_exceptiontable,
                )  # fmt: skip
                referents += thing.co_consts + thing.co_names
        batches.append(referents)
