"""A worker: confined, ready, then one program, then gone."""

import gc
import json
import os
import resource
import signal
import struct
import sys

from . import channel as wire
from . import check, program, tools, values


def serve(fd, confine, lower_memory):
    """Confine this process, run the one program it is sent, and never return."""
    channel = wire.Channel(fd)
    try:
        confine(channel)
    except BaseException as error:
        channel.send(wire.FAILED, 0, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    try:
        rehearse()
        channel.send(wire.READY, 0, b"")
        kind, _, payload = channel.receive()
    except (wire.Lost, OSError):
        os._exit(1)
    if kind != wire.RUN:
        os._exit(1)
    run(channel, payload, lower_memory)
    # The executor ends this process once it has the result; nothing runs after it.
    signal.pause()
    os._exit(0)


def run(channel, payload, lower_memory):
    options, source, manifest = _sections(payload)
    options = json.loads(options)
    lower_memory(options["memory"])
    channel.part, channel.window = options["part"], options["window"]
    names = program.main_module()
    names["tools"] = connected = tools.Tools(
        lambda: tools.Connection(channel, manifest, options["tool_value_size"])
    )
    sys.modules["tools"] = connected
    names["agents"] = tools.Agents(connected)
    signal.signal(signal.SIGUSR1, _deadline)
    gc.enable()
    value, meta = b"", _OK
    try:
        value = _run(source, names, options, connected)
    except check.Problems as error:
        meta = {"status": "error", "exit_code": 1, "error": error.report()}
    except wire.Lost:
        os._exit(1)
    except MemoryError as error:
        _raise_memory_limit()
        meta = {"status": "memory_limit", "exit_code": 1, "error": program.describe(error)}
    except SystemExit as error:
        meta = _exited(error)
    except program.Deadline as error:
        meta = {"status": "timeout", "exit_code": 1, "error": program.describe(error)}
    except BaseException as error:
        meta = {"status": "error", "exit_code": 1, "error": program.describe(error)}
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    channel.send(wire.DONE, 0, _done(meta, channel.send_parts(0, value)))


def _done(meta, value):
    head = json.dumps(meta).encode()
    return struct.pack("<I", len(head)) + head + value


_OK = {"status": "ok", "exit_code": 0}


def _run(source, names, options, connected=None):
    examine = None
    if connected is not None:
        examine = lambda tree, text: check.examine(tree, text, connected._connected)
    try:
        result = program.Program(source.decode(), examine).run(names)
    finally:
        program.finish()
    return b"" if result is None else _encode(result, options["result_size"])


def rehearse():
    """Go once through what every run goes through.

    In the fork server it warms the interpreter; in a worker it touches, while nobody
    waits, the pages that the run would otherwise copy.
    """
    payload = b"".join(struct.pack("<I", len(part)) + part for part in _REHEARSAL)
    options, source, _ = _sections(payload)
    options = json.loads(options)
    names = program.main_module()
    names["tools"] = connected = tools.Tools(None)
    names["agents"] = tools.Agents(connected)
    value = _run(source, names, options)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    _done(_OK, value)


_REHEARSAL = (b'{"tool_value_size":1,"result_size":1000,"memory":1}', b"[1 + 1]", b"")


def _encode(result, limit):
    try:
        return values.encode(result, "result", limit)
    except values.TooLarge as error:
        raise ValueError(f"{error}; return less, or print a part") from None


def _sections(payload):
    """The parts of a RUN frame, each behind its length."""
    start = 0
    while start < len(payload):
        (length,) = struct.unpack_from("<I", payload, start)
        start += 4
        yield payload[start : start + length]
        start += length


def _exited(error):
    """sys.exit() as the interpreter itself treats it."""
    code = error.code
    if code is None or code == 0:
        return {"status": "ok", "exit_code": 0}
    if isinstance(code, int):
        code &= 0xFF
    else:
        print(code, file=sys.stderr, flush=True)
        code = 1
    meta = program.describe(error)
    meta["type"], meta["message"] = "SystemExit", f"the program ended with exit code {code}"
    return {"status": "error", "exit_code": code, "error": meta}


def _deadline(*_):
    raise program.Deadline("the time for the run is over")


def _raise_memory_limit():
    """Use the few pages between the soft and the hard limit for the report."""
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (hard, hard))


def prepare():
    """What every worker inherits: done once, in the fork server."""
    tools.install()
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = _stream(1)
    sys.stderr = _stream(2)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


def _stream(fd):
    return open(fd, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
