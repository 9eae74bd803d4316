"""Importing modules once, in the fork server, so that every worker has them."""

import importlib
import os
import sys
import time

_PATIENCE = 20  # looks, for a thread that is just ending
_PAUSE = 0.005


class Unfit(Exception):
    """A module cannot be had in a process that is forked; the text says which and why."""


class Preload:
    """Made before the root directory changes: it takes what it needs of /proc along."""

    def __init__(self, names, tell):
        self._names, self._tell = names, tell
        self._tasks = os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._files = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def run(self):
        """Import them. Only the thread that forks is in the child, and the child closes
        what it did not open, so neither threads nor descriptors may be left behind."""
        for name in self._names:
            before = self._open_files()
            self._tell(name)
            try:
                importlib.import_module(name)
            except BaseException as error:
                raise Unfit(f"{name} cannot be imported: {type(error).__name__}: {error}") from None
            self._check_threads(name)
            opened = [target for fd, target in self._open_files().items() if fd not in before]
            if opened:
                raise Unfit(f"{name} holds {len(opened)} descriptors open: {', '.join(opened[:3])}")
            self._check_processes(name)
        # numpy's global generator would give the same numbers in every worker.
        random = sys.modules.get("numpy.random")
        if random is not None:
            os.register_at_fork(after_in_child=random.seed)

    def close(self):
        """Look once more, after what modules do in a forked child has been rehearsed."""
        if self._names:
            self._check_threads(" or ".join(self._names))
            self._check_processes(" or ".join(self._names))
        os.close(self._tasks)
        os.close(self._files)

    def _check_threads(self, name):
        for _ in range(_PATIENCE):
            threads = len(os.listdir(self._tasks))
            if threads == 1:
                return
            time.sleep(_PAUSE)
        raise Unfit(f"{name} starts threads: {threads - 1} run after its import")

    def _check_processes(self, name):
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        raise Unfit(f"{name} starts processes")

    def _open_files(self):
        found = {}
        for fd in os.listdir(self._files):
            try:
                found[fd] = os.readlink(fd, dir_fd=self._files)
            except FileNotFoundError:
                pass  # it was there to list them
        return found
