"""What stands between the fork server and a worker that may start commands.

A worker of that kind is not a single process, so its end is not the end of all that it
started. Each gets a keeper: the init process of a pid namespace, with which the kernel
ends everything in it; or, where there are no namespaces, a process that inherits every
orphan and is in a Landlock domain of its own, so that a signal to everyone reaches what
the worker started and nothing else.
"""

import os
import signal
import socket
import struct
import traceback

from . import kernel

_STATUS = struct.Struct("<i")
_STATUS_FD = 3


class Keepers:
    def __init__(self, plan):
        self._namespace = plan["namespace"]
        self._size = plan["size"]
        self._scoped = plan["scoped"]
        self._statuses = {}  # pid -> where the keeper writes its worker's status

    def start(self, control, started, become_worker):
        """Fork a keeper, which forks the worker; gives the keeper's pid."""
        parent = os.getpid()
        read, write = os.pipe()
        try:
            if self._namespace:
                # In place of os.fork(): the namespace must be the child's, not the parent's.
                pid = kernel.call("clone", kernel.CLONE_NEWPID | signal.SIGCHLD, 0, 0, 0, 0)
            else:
                pid = os.fork()
        except OSError:
            os.close(read)
            os.close(write)
            raise
        if pid == 0:
            try:
                self._keep(parent, control, started, become_worker, write)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(write)
        self._statuses[pid] = read
        return pid

    def status(self, pid, status):
        """The worker's wait status, for a keeper that has ended with a status of its own."""
        fd = self._statuses.pop(pid)
        try:
            data = os.read(fd, _STATUS.size)
        finally:
            os.close(fd)
        return _STATUS.unpack(data)[0] if len(data) == _STATUS.size else status

    def _keep(self, parent, control, started, become_worker, write):
        signal.set_wakeup_fd(-1)
        # As init, it is deaf to signals that it does not handle.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in self._statuses.values():
            os.close(fd)
        if not self._namespace:
            self._adopt(parent)
        worker = os.fork()
        if worker == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(write)
            become_worker(os.getppid())
            os._exit(1)
        handle = kernel.call("pidfd_open", worker, 0)
        socket.send_fds(control, [started], [handle])
        # Nothing that is open here may keep others from seeing an end.
        os.dup2(write, _STATUS_FD, inheritable=False)
        kernel.call("close_range", _STATUS_FD + 1, 0xFFFFFFFF, 0)
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == worker:
                break
        if not self._namespace:
            _end_all()
        os.write(_STATUS_FD, _STATUS.pack(status))
        os._exit(0)

    def _adopt(self, parent):
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        kernel.landlock(0, 0, self._scoped, self._size, [])
        signal.signal(signal.SIGTERM, lambda *_: (_end_all(), os._exit(1)))
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            raise OSError("the fork server ended")


def _end_all():
    """Kill everything in this process's Landlock domain, and wait until it is gone.

    The kernel goes through all processes at once, so none can fork out of its way, and
    leaves alone those outside the domain.
    """
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except OSError:
            pass  # there is nobody left
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
