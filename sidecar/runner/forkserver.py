"""The fork server: a warm interpreter that is told to make workers.

It runs no program and reads nothing but the executor's messages. When the executor's
end of the control socket closes, it ends, and every worker with it.
"""

import base64
import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import struct
import sys

from . import confine, forking, immortal, keeper, kernel, network, preload, worker

# Executor to fork server.
FORK = b"F"
FORK_NOW = b"N"
# Fork server to executor.
HELLO, STARTED, ENDED, REFUSED, IMPORTS, UNFIT = b"H", b"S", b"X", b"E", b"M", b"U"

_FORK = struct.Struct("<cQ")
_FDS, _FD = struct.Struct("iii"), struct.Struct("i")
_ENDED = struct.Struct("<cQiQQQ")  # endedSize in forkserver_linux.go
# So often the interpreter has specialised the code that every run goes through.
_REHEARSALS = 8
_AT_ONCE = 8  # forks before the executor is told of the first
_MOST = 2000  # bytes of a reason


def main(control, plan, registered):
    """Serve until the executor is gone. plan says how to confine; see sandbox.Plan."""
    kernel.load(plan["syscalls"])
    server = _Server(control, plan, registered)
    try:
        confined = server.confine()
    except preload.Unfit as error:
        reason = " ".join(str(error).split())
        control.send(UNFIT + reason.encode(errors="backslashreplace")[:_MOST])
        os._exit(1)  # whatever threads there are
    control.send(HELLO + json.dumps(confined).encode())
    server.serve()


class _Server:
    def __init__(self, control, plan, registered):
        self.control = control
        self.registered = registered
        self.plan = plan
        self.workers = {}  # pid -> id
        self.keepers = keeper.Keepers(plan["keeper"]) if plan["keeper"] else None
        self._pid = ctypes.c_int()
        self._open_pid = kernel.Call("pidfd_open", self._pid, 0)

    def confine(self):
        plan = self.plan
        for name in plan["warm"]:
            importlib.import_module(name)
        statm, maps = open("/proc/self/statm"), open("/proc/self/maps")
        modules = preload.Preload(
            plan["preload"] or (), lambda name: self.control.send(IMPORTS + name.encode())
        )
        egress = plan["worker"]["egress"]
        outlet = network.Outlet(egress) if egress else None
        if plan["root"] is not None:
            confine.enter_root(plan["root"])
        self.confinement = confine.WorkerConfinement(plan["worker"], outlet)
        if plan["hostname"]:
            socket.sethostname("sandbox")
        confine.become(plan["user"], plan["set_groups"], plan["capabilities"])
        # After the change of user, which would undo it.
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        os.environ.clear()
        os.environ.update(plan["environment"])
        modules.run()
        os.umask(0o077)
        os.environ["HOME"] = os.environ["TMPDIR"] = self.confinement.scratch
        worker.prepare()
        self._wake, self._wake_write = socket.socketpair()
        self._wake.setblocking(False)
        self._wake_write.setblocking(False)
        if plan["filter"] is not None:
            kernel.Filter(base64.b64decode(plan["filter"])).install()
        memory = forking.Memory(maps)
        self._make_child = forking.Fork(self.registered)
        immortal.mark_constants()
        self._rehearse()
        modules.close()
        gc.collect()
        memory.fill()
        self._rehearse()
        self._worker = worker.Worker(self.confinement)
        # What is here now is shared by all workers: keep the collector from writing to it.
        gc.collect()
        immortal.mark_all()
        memory.trim()
        gc.freeze()
        memory.use_huge_pages(self.plan["patience"])
        maps.close()
        self.confinement.measure(statm)
        statm.close()
        return {"python": sys.version.split()[0]}

    def _rehearse(self):
        rehearsal = worker.Rehearsal(self.confinement)
        for _ in range(_REHEARSALS):
            self._make_child.mend()
            rehearsal.play()
            worker.rehearse()
        self._watch_children()

    def _watch_children(self):
        """Have _wake become readable when a worker has ended."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)

    def serve(self):
        import select

        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self._wake.fileno():
                    self._wake.recv(4096)
                    self._reap()
                elif not self._make_workers():
                    os._exit(0)

    def _make_workers(self):
        """Make the workers that have been asked for; False if the executor is gone.

        The fork server copies the pages that it writes to after each fork: it forks for
        all of those who ask at once, and then does the rest.
        """
        requests = [self._receive()]
        while requests[-1] and len(requests) < _AT_ONCE:
            try:
                requests.append(self._receive(socket.MSG_DONTWAIT))
            except BlockingIOError:
                break
        alive = requests[-1] is not None
        if not alive:
            requests.pop()
        for identity, pid in [(request[0], self._start(*request)) for request in requests]:
            try:
                if isinstance(pid, OSError):
                    raise pid
                self.workers[pid] = identity
                if self.keepers is None:
                    self._tell(identity, pid)
            except OSError as error:
                self.control.send(_FORK.pack(REFUSED, identity) + str(error).encode())
        for _, _, _, fds, _ in requests:
            for fd in fds:
                os.close(fd)
        return alive

    def _receive(self, flags=0):
        data, ancillary, _, _ = self.control.recvmsg(4096, 256, flags)
        if not data:
            return None
        operation, identity = _FORK.unpack_from(data)
        if operation not in (FORK, FORK_NOW) or len(ancillary) != 1 or len(ancillary[0][2]) != _FDS.size:
            os._exit(2)
        scratch, outputs = os.fsdecode(data[_FORK.size :]).split("\0")
        return identity, scratch, outputs, _FDS.unpack(ancillary[0][2]), operation == FORK_NOW

    def _start(self, identity, scratch, outputs, fds, awaited):
        """Fork a worker, or a keeper, which tells of its worker itself; gives the pid or the error."""
        parent = os.getpid()
        try:
            if self.keepers is not None:
                return self.keepers.start(
                    self.control,
                    _FORK.pack(STARTED, identity),
                    lambda parent: self._worker.live(scratch, outputs, parent, fds, awaited),
                )
            pid = self._make_child()
        except OSError as error:
            return error
        if pid == 0:
            self._worker.live(scratch, outputs, parent, fds, awaited)
            os._exit(1)
        return pid

    def _tell(self, identity, pid):
        self._pid.value = pid
        handle = self._open_pid()
        try:
            self.control.sendmsg(
                [_FORK.pack(STARTED, identity)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, _FD.pack(handle))]
            )
        finally:
            os.close(handle)

    def _reap(self):
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            identity = self.workers.pop(pid, None)
            if identity is None:
                continue  # something that outlived a worker
            if self.keepers is not None:
                status = self.keepers.status(pid, status)
            self.control.send(
                _ENDED.pack(
                    ENDED,
                    identity,
                    status,
                    int(usage.ru_utime * 1e6),
                    int(usage.ru_stime * 1e6),
                    usage.ru_maxrss * 1024,
                )
            )
