"""A worker's one way out in network mode restricted; see sandbox/network_linux.go."""

import errno
import os
import socket

from . import channel as wire
from . import kernel


def _named(method, address):
    original = getattr(socket.socket, method)

    def named(self):
        found = original(self)
        return address if self.family == socket.AF_INET and not found else found

    return named


class Outlet:
    """How a worker gives its socket() and connect() into the executor's hands."""

    def __init__(self, plan):
        self._address = (plan["host"], plan["port"])
        # In the fork server, before it has a root directory without /proc.
        self._proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        # What stands in for a TCP socket has no addresses; libraries expect some.
        socket.socket.getpeername = _named("getpeername", self._address)
        socket.socket.getsockname = _named("getsockname", (plan["host"], 0))

    def hand_over_memory(self, channel):
        """Let the executor read the addresses that this process passes to connect().

        Nothing but the error that a program sees depends on what is read there.
        """
        # Its own memory is not open to an undumpable process.
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        try:
            memory = os.open("self/mem", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        finally:
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        channel.hand_over(memory, wire.NETWORK)
        os.close(memory)

    def hand_over(self, channel, filter_):
        """Let the executor answer; and try it, before any program depends on it."""
        try:
            listener = filter_.install(listen=True)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            raise OSError(
                error.errno,
                "network.mode restricted has no way to be enforced: something else that confines "
                "this executor listens to its system calls already, and there can be only one",
            ) from None
        channel.hand_over(listener, wire.NETWORK)
        os.close(listener)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.connect(self._address)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            if trial.connect_ex(("192.0.2.1", 80)) == 0:
                raise OSError("a connection past the proxy was not refused")
