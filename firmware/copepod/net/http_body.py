"""Requests that are no JSON: a body of known length, the GET of a file. Memory: loaded for one, dropped after it.

    body = Body(client)
    formatter.write(body.run)               # which is counted only: body.size_b
    body.begin(b"POST ", (path, b"name"), b"Content-Length: …\r\n")
    formatter.write(body.run)               # and now it is sent
    whole = await body.stream(reader, of_the_file)
    body.text(b"--x--"); await body.stream()

All of it goes through the window that the client has for its requests. What flush() should give meanwhile is put in
client.stream. See http.py for who raises what.
"""

import errno
from asyncio import sleep_ms
from micropython import const
from time import sleep_ms as stand_still
from time import ticks_add, ticks_diff, ticks_ms

from copepod.platform import port

_IN_A_ROW = const(16)  # windows before other tasks have a turn
_FULL_MS = const(5)  # between two looks whether the TCP send buffer takes more


class Body:
    """One request. `size_b` counts what was written to it before begin()."""

    def __init__(self, client):
        self._client = client
        self._counts = True
        self._at = self._n = 0  # window[at:n] is to be sent
        self.size_b = 0

    def begin(self, verb, path, header=b""):
        """Start the request; what is written is sent from now on. All are bytes, `path` parts, `header` whole lines.

        `verb` is b"POST " on a new connection, which has sent its first letter already.
        """
        client = self._client
        client._path = None  # it will be written over
        self._at = client._primed  # the P is there already
        client._primed = 0
        client.requests += 1
        self._counts = False
        self.text(verb)
        for part in path:
            self.text(part)
        head = client._head
        self.run(head, 0, head.find(b"Content-Type"))
        self.text(header)
        self.text(b"\r\n")

    def text(self, data):
        """Add bytes."""
        self.run(data, 0, len(data))

    def run(self, data, start, end):
        """Add data[start:end]. Blocks while the TCP send buffer is full, as the client does."""
        if self._counts:
            self.size_b += end - start
            return
        window = self._client._tx
        n = self._n
        while start < end:
            if n == len(window):
                self._n = n
                self._send()
                n = 0
            window[n] = data[start]
            n += 1
            start += 1
        self._n = n

    def _send(self):
        deadline = ticks_add(ticks_ms(), self._client.STALL_MS)
        while not self._sent():
            if ticks_diff(deadline, ticks_ms()) <= 0:
                raise OSError(errno.ETIMEDOUT)
            stand_still(1)

    def _sent(self):
        # Send what can be; True when that was all. The window is empty then.
        client = self._client
        if client._socket is None:
            raise OSError(errno.ENOTCONN)
        while self._at < self._n:
            n = client._socket.write(client._tx, self._at, self._n - self._at)
            if not n:
                return False
            self._at += n
        self._at = self._n = 0
        return True

    async def stream(self, reader=None, left_b=0):
        """Send what was written, and then `left_b` bytes that reader.readinto() gives; False when it gives no more.

        Lets other tasks run. OSError(ETIMEDOUT) when nothing moves for STALL_MS. Half of the system's heap stays free:
        what waits in TCP's buffers could not go out without the memory for a frame.
        """
        client = self._client
        least_b = (port.heap()[1] or 0) // 2
        window = memoryview(client._tx)
        turn = 0
        deadline = ticks_add(ticks_ms(), client.STALL_MS)
        while True:
            at = self._at
            if (port.heap()[1] or 0) < least_b or not self._sent():
                if self._at != at:
                    deadline = ticks_add(ticks_ms(), client.STALL_MS)
                if ticks_diff(deadline, ticks_ms()) <= 0:
                    raise OSError(errno.ETIMEDOUT)
                await sleep_ms(_FULL_MS)
                continue
            if not left_b:
                return True
            n = reader.readinto(window[:left_b] if left_b < len(window) else window)
            if not n:
                return False
            left_b -= n
            self._n = n
            turn += 1
            if turn == _IN_A_ROW:
                turn = 0
                await sleep_ms(0)
            deadline = ticks_add(ticks_ms(), client.STALL_MS)


def length(client):
    """How many bytes of the answer's body are still to come; -1: nobody knows."""
    return client._left if not client._framing else -1


def go_on(client, timeout_ms):
    """The answer may take so long from now on."""
    client._deadline = ticks_add(ticks_ms(), timeout_ms)
