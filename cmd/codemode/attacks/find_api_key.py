# Tries to find the executor's API key in this process: environment, objects, memory.
import ctypes
import gc
import re

# Written so that this source is no match.
key = re.compile(b"codemode-" + b"canary-[0-9a-f]{32}")


def search(data):
    found = key.search(data)
    return found and found.group()


def environment():
    return search(repr(dict(os.environ)).encode())


def c_environment():
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    i, entries = 0, []
    while environ and environ[i]:
        entries.append(environ[i])
        i += 1
    return search(b"\n".join(entries))


def objects():
    for thing in gc.get_objects():
        for part in gc.get_referents(thing):
            if isinstance(part, str):
                part = part.encode(errors="replace")
            if isinstance(part, bytes) and search(part):
                return search(part)


def memory():
    """All of it, where /proc says what there is."""
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            mem.seek(start)
            if found := search(mem.read(end - start)):
                return found


def arguments():
    return search("\n".join(sys.orig_argv).encode())


attempt("os.environ", environment)
attempt("environ of the C library", c_environment)
attempt("Python objects", objects)
attempt("arguments", arguments)
attempt("memory", memory)
verdict()
