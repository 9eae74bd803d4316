"""What calling a streaming tool gives: its rows, one after another."""

import struct
import threading

from . import values
from .channel import CREDIT, FAILURE, ROWS, Inbox, LoopInbox


class _Stream:
    """A call of a streaming tool. It is told to stop when nobody reads it any more."""

    def __init__(self, tool, inbox, payload):
        self._tool = tool
        self._channel = tool._connection.channel
        self._inbox = inbox
        self._batch = iter(())
        self._taken = 0  # bytes that the program has taken, and the tool was not told of
        self._open = True
        self._identity = self._channel.start(inbox, *payload)

    def _acknowledge(self):
        if self._taken * 2 >= self._channel.window:
            self._channel.send(CREDIT, self._identity, struct.pack("<I", self._taken))
            self._taken = 0

    def _accept(self, frame):
        """Take what has arrived, and say whether it was rows."""
        kind, payload = frame
        if kind == ROWS:
            self._taken += len(payload)
            self._batch = iter(values.decode(payload))
            return True
        self._open = False
        if kind == FAILURE:
            raise self._tool._error(payload)
        return False

    def close(self):
        """Read no more: the tool is told to stop."""
        if self._open:
            self._open = False
            self._batch = iter(())
            self._channel.stop(self._identity)

    def __del__(self):
        if getattr(self, "_identity", None):
            self.close()

    def __getitem__(self, index):
        raise TypeError(f"{self._called} gives its rows one after another, {self._advice}")

    def __len__(self):
        raise TypeError(f"{self._called} does not know how many rows there are; {self._advice}")

    def __bool__(self):
        return True

    def __repr__(self):
        return f"<rows of {self._called}>"

    @property
    def _called(self):
        return f"tools.{self._tool.__qualname__}()"


class Rows(_Stream):
    """An iterator over the rows."""

    _advice = "so loop over it; list() of it holds them all, itertools.islice() takes some"

    def __init__(self, tool, payload):
        self._lock = threading.Lock()
        super().__init__(tool, Inbox(), payload)

    def __iter__(self):
        return self

    def __next__(self):
        for row in self._batch:
            return row
        with self._lock:
            for row in self._batch:  # another thread may have fetched it
                return row
            while self._open:
                self._acknowledge()
                if self._accept(self._channel.wait(self._inbox)):
                    for row in self._batch:
                        return row
        raise StopIteration

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class AsyncRows(_Stream):
    """An asynchronous iterator over the rows."""

    _advice = "so use async for; [row async for row in it] holds them all"

    def __init__(self, tool, payload, loop):
        tool._connection.channel.watch(loop)
        super().__init__(tool, LoopInbox(loop), payload)

    def __aiter__(self):
        return self

    async def __anext__(self):
        for row in self._batch:
            return row
        while self._open:
            self._acknowledge()
            if self._accept(await self._inbox.get()):
                for row in self._batch:
                    return row
        raise StopAsyncIteration

    async def aclose(self):
        """Read no more: the tool is told to stop."""
        self.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()

    def __iter__(self):
        raise TypeError(f"{self._called} came from arun(): use async for, or call it without arun")

    def __await__(self):
        raise TypeError(f"{self._called} gives many rows: use async for, and no await")
