"""Says what the interpreter that runs this is, as JSON after a marker.

The marker is there because site-packages may hold .pth files that print.
Runs on any Python 3, so that an old one is told apart from a broken one.
"""

import json
import os
import sys


def mapped_files():
    """The files this process has mapped: the loader and the shared libraries."""
    try:
        with open("/proc/self/maps") as maps:
            lines = maps.read().splitlines()
    except OSError:
        return []
    fields = (line.split(None, 5) for line in lines)
    names = set(field[5] for field in fields if len(field) == 6)
    return sorted(name for name in names if os.path.isabs(name) and os.path.exists(name))


def why_no_ctypes():
    try:
        import ctypes

        ctypes.CDLL(None)
    except Exception as error:
        return "%s: %s" % (type(error).__name__, error)
    return ""


info = {
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "executable": sys.executable,
    "prefix": sys.prefix,
    "exec_prefix": sys.exec_prefix,
    "base_prefix": sys.base_prefix,
    "base_exec_prefix": sys.base_exec_prefix,
    "path": [entry for entry in sys.path if os.path.isabs(entry)],
    "stdlib": os.path.dirname(os.path.abspath(os.__file__)),
    "no_ctypes": why_no_ctypes(),
    "mapped": mapped_files(),
}
sys.stdout.write("\ncodemode-probe:" + json.dumps(info) + "\n")
