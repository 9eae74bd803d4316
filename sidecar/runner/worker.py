"""A worker: confined, ready, then one program, or those of one session, then gone."""

import _signal
import gc
import json
import os
import resource
import socket
import struct
import sys
import traceback

from . import channel as wire
from . import check, program, tools, values


CONTROL = 3  # the descriptor of a worker's control socket


class Worker:
    """A worker of which all is ready but the process, which comes by a fork.

    What a worker makes, or looks up for the first time, costs it pages; what it finds
    costs it nothing.
    """

    __slots__ = ("confinement", "channel", "run", "_fd", "_end")

    def __init__(self, confinement, fd=CONTROL, end=_signal.pause):
        self.confinement = confinement
        self.channel = wire.Channel(fd)
        self.run = Run(self.channel, confinement.lower)
        self._fd = fd
        self._end = end

    def live(self, scratch, outputs, parent, fds, awaited):
        """Be that worker in the process that parent has just forked, to its end.

        fds are its control socket, and where its standard output and error go. awaited
        says that somebody waits for it already.
        """
        try:
            self.take(fds)
            if self.confine(scratch, outputs, parent):
                if not awaited:  # else it would only come later
                    rehearse()
                self.serve()
        except (wire.Lost, OSError):
            pass
        except BaseException:
            traceback.print_exc()

    def take(self, fds):
        """Leave the fork server's business behind, and have these descriptors."""
        _signal.set_wakeup_fd(-1)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        control, stdout, stderr = fds
        # Not the fork server's own: its flags would be those of all workers.
        stdin = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(stdin, 0)
        os.close(stdin)
        if control == self._fd:
            control = os.dup(control)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.dup2(control, self._fd, False)

    def confine(self, scratch, outputs, parent):
        """Whether it is confined; if not, the executor has been told."""
        if scratch != self.confinement.scratch:
            os.environ["HOME"] = os.environ["TMPDIR"] = scratch
        try:
            self.confinement.apply(scratch, outputs, parent, self.channel)
        except BaseException as error:
            self.channel.send(wire.FAILED, 0, f"{type(error).__name__}: {error}".encode())
            return False
        return True

    def serve(self):
        """Run the programs that the executor sends."""
        run = self.run
        run.begin()
        kind, payload = self.channel.exchange(wire.READY, b"")
        while kind == wire.RUN:
            done = run.run(payload)
            if not run.session:
                self.channel.send(wire.DONE, 0, done)
                # The executor ends this process once it has the result; nothing runs after it.
                self._end()
                return
            # The executor holds this process still until there is another program for it.
            kind, payload = self.channel.exchange(wire.DONE, done)
            self.channel.abandon()
            program.next_file()
            run.prepare()
            run.begin()


class Rehearsal:
    """A worker played by the fork server, which stays what it is.

    It warms the interpreter: a worker that is the first to go some way has to copy the
    pages in which the interpreter takes note of it.
    """

    def __init__(self, confinement):
        self._executor, self._own = socket.socketpair()
        self._executor.setblocking(False)  # all that there is to read is there
        self._compiled = False
        # Of the same types as a worker's: what the interpreter notes is by type.
        self._worker = Worker(confinement.rehearsal(), self._own.fileno(), lambda: None)

    def play(self):
        fds = [os.dup(fd) for fd in (self._own.fileno(), 1, 2)]
        self._compiled = not self._compiled
        request = _rehearsal(program.Program(_PROGRAM).dump() if self._compiled else b"")
        self._executor.send(wire.HEADER.pack(len(request), wire.RUN, 0) + request)
        self._worker.live(self._worker.confinement.scratch or "/", "", os.getppid(), fds, True)
        gc.disable()
        for fd in fds:
            os.close(fd)
        self._worker.run.prepare()
        said = self._executor.recv(1 << 16)
        if said[4] != wire.READY:
            raise OSError(said[wire.HEADER.size :].decode())


# What the executor says about a run: the most bytes of a value of a tool and of the
# result, the memory if it is less than the worker's, the bytes of a part and of a window,
# and _KEEP if the compiled program is wanted, _SESSION if others follow in this process;
# see options in execution_linux.go.
_OPTIONS = struct.Struct("<QQQIIB")
_KEEP, _SESSION = 1, 2
# A compiled program of more bytes is not worth keeping; codeLimit in codecache_linux.go.
_MAX_CODE = 256 << 10


class Run:
    """A run of which all is ready that does not depend on the program; then the session's next."""

    __slots__ = ("channel", "lower", "main", "names", "session", "tools", "result_size")

    def __init__(self, channel, lower=None):
        self.channel = channel
        self.lower = lower
        self.main = program.main_module()
        self.names = self.main.__dict__
        self.session = False
        self.prepare()

    def prepare(self):
        self.names["tools"] = self.tools = tools.Tools(None)
        self.names["agents"] = tools.Agents(self.tools)
        self.result_size = 0

    def begin(self):
        """From here on it is what this process runs."""
        sys.modules["__main__"] = self.main
        sys.modules["tools"] = self.tools
        _signal.signal(_signal.SIGUSR1, _deadline)
        gc.enable()

    def run(self, payload):
        """Run the program; gives what there is to say about its end."""
        channel = self.channel
        value, meta = b"", None
        try:
            value = self.value(payload)
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
            meta = {"status": "error", "exit_code": 1, "error": check.complete(error, program.describe(error))}
        _signal.signal(_signal.SIGUSR1, _signal.SIG_IGN)
        return _done(meta, channel.send_parts(0, value))

    def value(self, payload):
        """Run the program; gives its value, encoded."""
        options, source, manifest, code = _sections(payload)
        tool_value_size, self.result_size, memory, part, window, flags = _OPTIONS.unpack(options)
        self.session = bool(flags & _SESSION)
        if self.lower is not None:
            self.lower(memory, self.session)
            self.lower = None  # what the program lowers further stays so
        channel = self.channel
        channel.part, channel.window = part, window
        self.tools._connect = lambda: tools.Connection(channel, manifest, tool_value_size)
        source = source.decode()
        try:
            if code:
                ready = program.Program.load(source, code)
            else:
                ready = program.Program(source, self.examine)
                asked = self.tools._connection is not None and self.tools._connection.asked
                if flags & _KEEP and not asked and len(code := ready.dump()) <= _MAX_CODE:
                    # The first message of all, before anything of the program has run: it
                    # cannot have had a hand in it.
                    channel.send(wire.CODE, 0, code)
            result = ready.run(self.names)
        finally:
            program.finish(self.session)
        return b"" if result is None else _encode(result, self.result_size)

    def examine(self, tree, source):
        check.examine(tree, source, self.tools._connected)


def _done(meta, value):
    head = _OK if meta is None else json.dumps(meta).encode()
    return struct.pack("<I", len(head)) + head + value


_OK = b'{"status": "ok", "exit_code": 0}'


def rehearse():
    """Go once through what every run goes through.

    In the fork server it warms the interpreter; in a worker it touches, while nobody
    waits, the pages that the run would otherwise copy.
    """
    rehearsal = Run(_Nobody())
    rehearsal.begin()
    gc.disable()
    _done(None, rehearsal.value(_rehearsal()))
    _signal.signal(_signal.SIGUSR1, _signal.SIG_IGN)


class _Nobody:
    """The channel of a rehearsal."""


_PROGRAM = "[1 + 1]"


def _rehearsal(code=b""):
    """What the executor would send of the program, with code if it is compiled."""
    parts = _OPTIONS.pack(1, 1000, 0, 0, 0, 0), _PROGRAM.encode(), b"", code
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


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
        return None
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
