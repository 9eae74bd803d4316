"""The worker's end of its control socket.

A frame is a little-endian header (payload length, kind, call id) and the payload. A large
value comes in several: the one that it belongs to with MORE added to its kind, then PARTs.

Several threads and event loops of one program may have calls under way at once: a
thread that waits becomes the reader if there is none, and hands what it reads to
whoever waits for it.
"""

import asyncio
import collections
import itertools
import select
import socket
import struct
import threading
import weakref

HEADER = struct.Struct("<IBI")

# Worker to executor.
READY, FAILED, CALL, DONE, OUTPUTS, NETWORK, CREDIT, STOP, CODE = 1, 2, 3, 4, 5, 6, 8, 9, 10
# Executor to worker.
RUN, VALUE, FAILURE, ROWS = 16, 17, 18, 19
# Both ways.
PART, MORE = 7, 0x80

_READ = (1 << 16) + 512  # a whole part
_NOW = socket.MSG_DONTWAIT


_ABANDONED = b'{"kind": "unavailable", "message": "the run in which the call was made is over"}'


class Lost(BaseException):
    """The executor is gone; so is this execution."""


class Inbox:
    """Where the answer of one call arrives, as (kind, payload)."""

    __slots__ = ("frames", "parts")

    def __init__(self):
        self.frames = collections.deque()
        self.parts = None  # the kind and what is here of a frame that comes in parts

    def put(self, frame, loop):
        self.frames.append(frame)


class LoopInbox(Inbox):
    """One that a coroutine waits at."""

    __slots__ = ("loop", "waiter")

    def __init__(self, loop):
        super().__init__()
        self.loop = loop
        self.waiter = None

    def put(self, frame, loop):
        if loop is self.loop:
            self._arrive(frame)
            return
        try:
            self.loop.call_soon_threadsafe(self._arrive, frame)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    def _arrive(self, frame):
        self.frames.append(frame)
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def get(self):
        while not self.frames:
            if self.waiter is not None:
                raise RuntimeError("two tasks read the same rows at once")
            self.waiter = self.loop.create_future()
            try:
                await self.waiter
            finally:
                self.waiter = None
        return self.frames.popleft()


class Channel:
    __slots__ = (
        "part", "window", "_socket", "_rest", "_needed", "_ids", "_inboxes", "_reading",
        "_writing", "_later", "_arrived", "_waiting_threads", "_loops",
    )  # fmt: skip

    def __init__(self, fd):
        # A value of more bytes goes in parts of this size; 0 for an executor that takes none.
        self.part = 0
        # What the executor sends of rows before it gets credit, in bytes.
        self.window = 0
        # With what it is: the descriptor may come to be one only later.
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fd)
        self._rest = bytearray()  # the beginning of a frame
        self._needed = 0  # how long that has to become
        self._ids = itertools.count(1)
        self._inboxes = {}
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._later = collections.deque()
        self._arrived = threading.Condition()
        self._waiting_threads = 0
        self._loops = weakref.WeakSet()

    def send(self, kind, identity, payload):
        with self._writing:
            self._write(HEADER.pack(len(payload), kind, identity) + payload)
        if self._later:
            self._send_later()

    def send_parts(self, identity, data):
        """Send data but for the last part, which it gives."""
        data = memoryview(data)
        while self.part and len(data) > self.part:
            self.send(PART | MORE, identity, data[: self.part])
            data = data[self.part :]
        return data

    def hand_over(self, fd, kind=OUTPUTS):
        """Give the executor a descriptor; before READY, and before any program."""
        socket.send_fds(self._socket, [HEADER.pack(0, kind, 0)], [fd])

    def exchange(self, kind, payload):
        """Say what is no call, and wait for what the executor says then: (kind, payload)."""
        # The inbox comes first: a thread that an earlier program left may be the reader.
        inbox = self._inboxes[0] = Inbox()
        self.send(kind, 0, payload)
        return self.wait(inbox)

    def abandon(self):
        """Fail the calls under way: the run in which they were made is over."""
        for identity in list(self._inboxes):
            inbox = self._inboxes.pop(identity, None)
            if inbox is not None:
                inbox.put((FAILURE, _ABANDONED), None)
        with self._arrived:
            self._arrived.notify_all()

    def call(self, name, arguments):
        """Send a call and wait for its answer: (kind, payload)."""
        inbox = Inbox()
        self.start(inbox, name, arguments)
        return self.wait(inbox)

    async def call_async(self, name, arguments):
        """As call, and other coroutines run meanwhile."""
        loop = asyncio.get_running_loop()
        inbox = LoopInbox(loop)
        self.watch(loop)
        identity = next(self._ids)
        self._inboxes[identity] = inbox
        try:
            if self._fits(arguments):
                self.send(CALL, identity, name + arguments)
            else:
                self.send(CALL | MORE, identity, name)
                for start in range(0, len(arguments), self.part):
                    part = memoryview(arguments)[start : start + self.part]
                    self.send(PART | (start + self.part < len(arguments) and MORE), identity, part)
                    await asyncio.sleep(0)
            return await inbox.get()
        finally:
            self._inboxes.pop(identity, None)

    def start(self, inbox, name, arguments):
        """Send a call whose answer goes to inbox; gives its id."""
        identity = next(self._ids)
        self._inboxes[identity] = inbox
        if self._fits(arguments):
            self.send(CALL, identity, name + arguments)
        else:
            self.send(CALL | MORE, identity, name)
            self.send(PART, identity, self.send_parts(identity, arguments))
        return identity

    def _fits(self, arguments):
        return not self.part or len(arguments) <= self.part

    def stop(self, identity):
        """Read no more rows of a call. It may be called at any point, by a destructor."""
        if self._inboxes.pop(identity, None) is not None:
            self._later.append(HEADER.pack(0, STOP, identity))
            self._send_later()

    def wait(self, inbox):
        """Wait for what arrives at inbox."""
        frames = inbox.frames
        while not frames:
            if self._reading.acquire(False):
                try:
                    while not frames:
                        self._receive()
                finally:
                    self._release()
                break
            with self._arrived:
                self._waiting_threads += 1
                try:
                    # The reader may have delivered, or stopped reading, in between.
                    if not frames and self._reading.locked():
                        self._arrived.wait(1.0)
                finally:
                    self._waiting_threads -= 1
        return frames.popleft()

    def watch(self, loop):
        """Have an event loop read what arrives."""
        if loop not in self._loops:
            loop.add_reader(self._socket.fileno(), self._readable, loop)
            self._loops.add(loop)

    def _readable(self, loop):
        if not self._reading.acquire(False):
            return  # a thread is at it, and delivers to us
        try:
            self._receive(_NOW, loop)
        except BlockingIOError:
            pass  # a thread has read it in between
        finally:
            self._release()

    def _release(self):
        """Stop reading, and let a thread that waits take over."""
        self._reading.release()
        if self._waiting_threads:
            with self._arrived:
                self._arrived.notify_all()

    def _receive(self, flags=0, loop=None):
        """Read once, and deliver every frame that is whole."""
        rest = self._rest
        data = self._socket.recv(max(_READ, min(self._needed - len(rest), 4 * _READ)), flags)
        if not data:
            raise Lost
        if rest:
            rest += data
            if len(rest) < self._needed:
                return
            data = rest
        position, size = 0, len(data)
        self._needed = 0
        while size - position >= HEADER.size:
            length, kind, identity = HEADER.unpack_from(data, position)
            start = position + HEADER.size
            if start + length > size:
                self._needed = HEADER.size + length
                break
            position = start + length
            self._deliver(kind, identity, bytes(data[start:position]), loop)
        if data is rest:
            del rest[:position]
        elif position < size:
            rest += data[position:]
        if self._waiting_threads:
            with self._arrived:
                self._arrived.notify_all()

    def _deliver(self, kind, identity, payload, loop):
        inbox = self._inboxes.get(identity)
        if inbox is None:
            return  # nobody waits any more
        if kind & MORE:
            if kind == PART | MORE:
                inbox.parts.append(payload)
            else:
                inbox.parts = [kind & ~MORE, payload]
            return
        if kind == PART:
            kind, *parts = inbox.parts
            payload = b"".join((*parts, payload))
            inbox.parts = None
        if kind != ROWS:
            del self._inboxes[identity]
        inbox.put((kind, payload), loop)

    def _write(self, data):
        try:
            sent = self._socket.send(data, _NOW)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._write_rest(memoryview(data)[sent:])

    def _write_rest(self, data):
        """Send what the socket has no room for yet.

        What arrives is read meanwhile: the executor may be unable to go on before that.
        """
        poll = select.poll()
        while data:
            reader = self._reading.acquire(False)
            try:
                poll.register(self._socket, select.POLLOUT | (reader and select.POLLIN))
                # Who reads now may stop, and then it is on us.
                ready = poll.poll(None if reader else 20)
                if reader and ready and ready[0][1] & ~select.POLLOUT:
                    self._receive(_NOW)
            finally:
                if reader:
                    self._release()
            try:
                data = data[self._socket.send(data, _NOW) :]
            except BlockingIOError:
                pass

    def _send_later(self):
        while self._later and self._writing.acquire(False):
            try:
                while self._later:
                    self._write(self._later.popleft())
            finally:
                self._writing.release()
