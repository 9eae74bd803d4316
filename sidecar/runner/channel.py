"""The worker's end of its control socket.

A frame is a little-endian header (payload length, kind, call id) and the payload.
Several threads and event loops of one program may have calls under way at once: a
thread that waits becomes the reader if there is none, and hands what it reads to
whoever waits for it.
"""

import itertools
import socket
import struct
import threading

HEADER = struct.Struct("<IBI")

# Worker to executor.
READY, FAILED, CALL, DONE, OUTPUTS, NETWORK = 1, 2, 3, 4, 5, 6
# Executor to worker.
RUN, VALUE, FAILURE = 16, 17, 18


class Lost(BaseException):
    """The executor is gone; so is this execution."""


class Channel:
    def __init__(self, fd):
        self._socket = socket.socket(fileno=fd)
        self._buffer = bytearray()
        self._ids = itertools.count(1)
        self._pending = {}
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._arrived = threading.Condition()
        self._waiting_threads = 0

    def send(self, kind, identity, payload):
        data = HEADER.pack(len(payload), kind, identity) + payload
        with self._writing:
            self._socket.sendall(data)

    def hand_over(self, fd, kind=OUTPUTS):
        """Give the executor a descriptor; before READY, and before any program."""
        socket.send_fds(self._socket, [HEADER.pack(0, kind, 0)], [fd])

    def receive(self):
        """Wait for one frame: (kind, id, payload)."""
        while True:
            frame = self._next()
            if frame is not None:
                return frame
            self._fill()

    def call(self, payload):
        """Send a call and wait for its answer: (kind, payload)."""
        identity = next(self._ids)
        self._pending[identity] = answer = _Answer()
        self.send(CALL, identity, payload)
        while answer.frame is None:
            if self._reading.acquire(blocking=False):
                try:
                    while answer.frame is None:
                        self._deliver(self.receive())
                    self._deliver_rest()
                finally:
                    self._release()
                break
            with self._arrived:
                self._waiting_threads += 1
                try:
                    # The reader may have delivered, or stopped reading, in between.
                    if answer.frame is None and self._reading.locked():
                        self._arrived.wait(1.0)
                finally:
                    self._waiting_threads -= 1
        return answer.frame

    def call_async(self, payload, loop):
        """Send a call; the future's result is its answer: (kind, payload)."""
        identity = next(self._ids)
        future = loop.create_future()
        self._pending[identity] = _Future(future, loop, self)
        watch = _watches.setdefault(loop, _Watch())
        if not watch.calls:
            loop.add_reader(self._socket.fileno(), self._readable)
        watch.calls += 1
        try:
            self.send(CALL, identity, payload)
        except BaseException:
            self._pending.pop(identity)
            self.unwatch(loop)
            raise
        return future

    def unwatch(self, loop):
        watch = _watches[loop]
        watch.calls -= 1
        if not watch.calls:
            del _watches[loop]
            if not loop.is_closed():
                loop.remove_reader(self._socket.fileno())

    def _readable(self):
        if not self._reading.acquire(blocking=False):
            return  # a thread is at it, and delivers to us
        try:
            self._fill(socket.MSG_DONTWAIT)
            self._deliver_rest()
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

    def _deliver_rest(self):
        """Deliver what was read already: no event loop would be told of it again."""
        while (frame := self._next()) is not None:
            self._deliver(frame)

    def _deliver(self, frame):
        kind, identity, payload = frame
        waiter = self._pending.pop(identity, None)
        if waiter is not None:
            waiter.deliver((kind, payload))
        if self._waiting_threads:
            with self._arrived:
                self._arrived.notify_all()

    def _next(self):
        buffer = self._buffer
        if len(buffer) < HEADER.size:
            return None
        length, kind, identity = HEADER.unpack_from(buffer)
        end = HEADER.size + length
        if len(buffer) < end:
            return None
        payload = bytes(buffer[HEADER.size : end])
        del buffer[:end]
        return kind, identity, payload

    def _fill(self, flags=0):
        data = self._socket.recv(1 << 18, flags)
        if not data:
            raise Lost
        self._buffer += data


class _Watch:
    calls = 0


_watches = {}


class _Answer:
    frame = None

    def deliver(self, frame):
        self.frame = frame


class _Future:
    def __init__(self, future, loop, channel):
        self.future = future
        self.loop = loop
        self.channel = channel

    def deliver(self, frame):
        try:
            self.loop.call_soon_threadsafe(self._set, frame)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    def _set(self, frame):
        self.channel.unwatch(self.loop)
        if not self.future.done():  # cancelled by the program
            self.future.set_result(frame)
