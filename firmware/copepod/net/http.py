"""HTTP/1.1 client for one kept connection. Memory: two windows of WINDOW_B bytes and 0.5 kB, once.

Request and answer go through the windows in pieces, so neither is ever held. POST and JSON only:

    client.begin(b"/path/", b"name")
    client.write(b'{"text":"'); client.write_json(text, 0, len(text)); client.write(b'"}')
    await client.flush()
    status = await client.response(20000)
    while await client.fill():
        …client.buffer[client.start : client.end]…

flush(), response() and fill() return the client, its own awaitable: an await allocates nothing, and waits for
nothing while bytes are there. One task at a time. Bodies are sent chunked: nobody knows their length before.
"""

import errno
from micropython import const
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

import asyncio.core as core  # pyright: ignore[reportMissingImports]
from copepod.net.wait import READ
from copepod.once import forget

_SIZE_LINE = const(5)  # three digits and a line end, before each chunk
_SPARE = const(16)  # left free in the window: a chunk's end, an escape
_TURNS = const(16)  # windows served in a row before other tasks have a turn
_SMALL = const(1 << 29)  # ints below are not made on the heap
_SHORT_PIECE = const(48)  # bytes that are copied one by one

_FLUSH = const(0)  # what the awaitable is waiting for
_HEAD = const(1)
_BODY = const(2)

_UNCHUNKED = const(0)  # how the body of the answer is framed: by its length or the connection's end,
_SIZE = const(1)  # or chunked, at a size line (or the line end before it),
_CHUNK = const(2)  # in a chunk,
_TRAILER = const(3)  # after the last one.
_OVER = const(4)

_DIGITS = b"0123456789abcdef"


def _errors():
    # What seldom happens.
    from copepod.net import http_errors

    forget("copepod.net.http_errors")
    return http_errors


class Client:
    """One connection to `host`; with a TLS context in `tls` it is encrypted and verified.

    Raises OSError (with an errno; ETIMEDOUT for a missed deadline) and ValueError (TLS verification, or an answer
    that is no HTTP, too long in a header, or cut short). After either the connection is of no use: close(). No
    error's text holds what was sent. Only sending blocks: while the TCP send buffer is full, STALL_MS at most.
    """

    WINDOW_B = 512  # at most 4,095; longer lines of an answer's head are passed over
    HEAD_B = 16384  # of headers in an answer
    CONNECT_MS = 20000
    STALL_MS = 10000

    # Made by http_connect.py:
    host: str
    port: int
    tls: "Any"
    connections: int  # opened so far
    requests: int
    buffer: bytearray
    start: int  # buffer[start:end] are the body bytes that fill() found
    end: int
    _view: memoryview
    _tx: bytearray
    _head: bytes
    _socket: "Any"
    _raw: "Any"
    _waiter: "Any"
    stream: "Any"  # an awaitable that flush() gives in its place: see http_body.py
    _stop: StopIteration  # what an await is told: nothing, or the value that is usual
    _stop_200: StopIteration
    _stop_true: StopIteration

    # Connection -----------------------------------------------------------------------------

    def close(self):
        """Drop the connection; nothing happens when there is none."""
        self._framing = _OVER
        self.stream = None
        if self._waiter is not None:
            self._waiter.close()
            self._waiter = None
        for stream in (self._socket, self._raw):  # TLS does not close it after a failed handshake
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
        self._socket = self._raw = None

    def alive(self):
        """Whether the connection is open and idle, as far as we can know; closes it if not."""
        if self._socket is not None:
            try:
                if self._framing == _OVER and self._socket.readinto(self.buffer, 1) is None:
                    return True
            except OSError:
                pass
            self.close()
        return False

    def is_open(self):
        """Whether there is a connection, which the server may have closed meanwhile."""
        return self._socket is not None

    # Request --------------------------------------------------------------------------------

    def begin(self, path, name):
        """Start a POST to `path` + `name` (bytes). A connection that the server closed is dropped.

        ValueError if they are longer than half a window.
        """
        self.alive()
        if len(path) + len(name) > self.WINDOW_B // 2:
            _errors().too_long(False)
        if path is not self._path:  # it is not written anew for each request
            self._n = 0
            self.write(b"POST ")
            self.write(path)
            self._path = path
        self._n = 5 + len(path)
        self.write(name)
        self.write(self._head)
        self._first = self._n

    def write(self, data):
        """Add bytes (or a str of ASCII, for 32 B of garbage) to the body: up to half a window."""
        if isinstance(data, str):
            data = memoryview(data)  # pyright: ignore[reportArgumentType]
        size = len(data)
        if size > self.WINDOW_B // 2:
            _errors().too_long(False)
        if self._n + size > self.WINDOW_B - _SPARE:
            self._send(b"\r\n")
        n = self._n
        self._n = n + size
        tx = self._tx
        if size > _SHORT_PIECE:
            tx[n : n + size] = data  # up to MicroPython 1.26 16 B of garbage, 32 on 64 bits
        else:
            for c in data:
                tx[n] = c
                n += 1

    def write_int(self, value):
        """Add an int in decimal; a large one costs garbage unless it is the same as the last one."""
        if not -_SMALL < value < _SMALL:
            if value != self._big:
                self._big = value
                self._big_text = str(value).encode()
            self.write(self._big_text)
            return
        if self._n > self.WINDOW_B - 2 * _SPARE:
            self._send(b"\r\n")
        tx = self._tx
        n = self._n
        if value < 0:
            tx[n] = 45
            n += 1
            value = -value
        unit = 1
        while unit * 10 <= value:
            unit *= 10
        while unit:
            tx[n] = 48 + value // unit % 10
            n += 1
            unit //= 10
        self._n = n

    def write_json(self, data, start, end):
        """Add data[start:end], UTF-8, as the inside of a JSON string; it may be of any length."""
        tx = self._tx
        while start < end:
            n = self._n
            stop = min(end, start + self.WINDOW_B - _SPARE - n)
            if start >= stop:
                self._send(b"\r\n")
                continue
            c = 32
            while start < stop:
                c = data[start]
                if c < 32 or c == 34 or c == 92:
                    break
                tx[n] = c
                n += 1
                start += 1
            if start < stop:
                start += 1
                tx[n] = 92
                n += 2
                if c >= 32:
                    tx[n - 1] = c
                elif c == 10:
                    tx[n - 1] = 110
                else:
                    _errors().write_control(tx, n, c)
                    n += 4
            self._n = n

    def _send(self, tail):
        # Send the window as a chunk. Blocks while the TCP send buffer is full: see the class.
        if self._socket is None:
            raise OSError(errno.ENOTCONN)
        tx = self._tx
        size = self._n - self._first
        at = self._first - _SIZE_LINE
        tx[at] = _DIGITS[size >> 8]
        tx[at + 1] = _DIGITS[size >> 4 & 15]
        tx[at + 2] = _DIGITS[size & 15]
        tx[at + 3] = 13
        tx[at + 4] = 10
        end = self._n
        for c in tail:
            tx[end] = c
            end += 1
        if len(tail) == 2:
            self._path = None  # more will be written over it
        self._n = self._first = _SIZE_LINE
        at = self._primed  # the P is there already
        self._primed = 0
        deadline = ticks_add(ticks_ms(), self.STALL_MS)
        while at < end:
            n = self._socket.write(tx, at, end - at)  # pyright: ignore[reportCallIssue]
            if n:
                at += n
            elif ticks_diff(deadline, ticks_ms()) <= 0:
                raise OSError(errno.ETIMEDOUT)
            else:
                sleep_ms(1)

    def flush(self) -> "Any":
        """Awaitable: end the request and send what is left; OSError(ENOTCONN) without a connection."""
        stream, self.stream = self.stream, None
        if stream is not None:
            return stream
        self._want = _FLUSH
        self._send(b"\r\n0\r\n\r\n")
        self.requests += 1
        return self

    # Answer ---------------------------------------------------------------------------------

    def response(self, timeout_ms):
        """Awaitable: read the head of the answer; the status. `timeout_ms` is for all of it, body included."""
        self._deadline = ticks_add(ticks_ms(), timeout_ms)
        self._want = _HEAD
        self._framing = _UNCHUNKED
        self.retry_after_s = 0  # what the header of that name says
        self._left = -1  # body bytes that are to come; -1: until the connection ends
        self._status = self._head_b = self._at = self._limit = self._turn = 0
        return self

    def fill(self):
        """Awaitable: find body bytes, buffer[start:end], to be used before the next call.

        Returns True, or None when the body is over.
        """
        self._want = _BODY
        return self

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        want = self._want
        stop = self._stop
        if want != _FLUSH:
            self._turn += 1
            if self._turn > _TURNS:
                self._turn = 0
                next(core.sleep_ms(0))
                return None
            found = self._read_head() if want == _HEAD else self._read_body()
            if found is None:
                if ticks_diff(self._deadline, ticks_ms()) <= 0:
                    raise OSError(errno.ETIMEDOUT)
                self._turn = 0
                self._waiter.park(READ, self._deadline)
                return None
            if want == _HEAD:
                stop = self._stop_200 if self._status == 200 else StopIteration(self._status)
            elif found:
                stop = self._stop_true
        stop.__traceback__ = None
        raise stop

    def _receive(self, most):
        # Read up to `most` more bytes into the window: None when none are there yet, 0 at the end.
        if self._socket is None:
            raise OSError(errno.ENOTCONN)
        at = self._at
        limit = self._limit
        if at == limit:
            self._at = limit = 0
            n = self._socket.readinto(self.buffer, min(most, self.WINDOW_B))
        else:
            if at:
                limit -= at
                self.buffer[:limit] = self._view[at : at + limit]
                self._at = 0
            elif limit == self.WINDOW_B:
                limit = _errors().pass_over(self)
            n = self._socket.readinto(self._view[limit:])
        self._limit = limit + (n or 0)
        return n

    def _line(self):
        # Find a line: its length without its end, which are buffer[start:end]. None: not here yet.
        while True:
            end = self.buffer.find(b"\n", self._at, self._limit)
            if end >= 0:
                break
            n = self._receive(self.WINDOW_B)
            if n is None:
                return None
            if n == 0:
                _errors().broken(True)
        self.start = self._at
        self._at = end + 1
        self._head_b += self._at - self.start
        if self._head_b > self.HEAD_B:
            _errors().too_long(True)
        if end > self.start and self.buffer[end - 1] == 13:
            end -= 1
        self.end = end
        return end - self.start

    def _read_head(self):
        while True:
            size = self._line()
            if size is None:
                return None
            if not self._status:
                self._keep = self._named(b"http/1.1")
                if not self._keep:
                    _errors().older(self)
                self._status = self._number(10)
            elif not size:
                if self._status >= 200:
                    if self._framing == _UNCHUNKED and self._left < 0:
                        self._keep = False
                    return True
                self._status = 0  # 100: the answer itself is to come
            elif self._named(b"content-length:"):
                self._left = self._number(10)
            elif self._named(b"transfer-encoding:"):
                if not self._named(b"chunked"):
                    _errors().broken(False)
                self._framing = _SIZE
                self._left = 0
            elif self._named(b"connection:"):
                if self._named(b"close"):
                    self._keep = False
            elif self._status != 200:
                _errors().header(self)

    def _named(self, name):
        # Take `name`, in lower case, and the blanks after it from the line; False if it is not there.
        buffer = self.buffer
        at = self.start
        if self.end - at < len(name):
            return False
        for c in name:
            if buffer[at] != c and buffer[at] | 32 != c:
                return False
            at += 1
        while at < self.end and (buffer[at] == 32 or buffer[at] == 9):
            at += 1
        self.start = at
        return True

    def _number(self, base):
        # The number that the line begins with, up to a blank or semicolon.
        number = 0
        first = self.start
        if first == self.end:
            _errors().broken(False)
        for at in range(first, self.end):
            c = self.buffer[at]
            if at > first and (c == 32 or c == 59 or c == 9):
                break
            c = c - 48 if c < 58 else (c | 32) - 87
            if not 0 <= c < base or at > first + 8:
                _errors().broken(False)
            number = number * base + c
        return number

    def _read_size(self, framing):
        # A line between two chunks; None: not here yet. After the last one the body is _UNCHUNKED and over.
        self._head_b = 0
        size = self._line()
        if size is not None:
            if framing == _TRAILER:
                if not size:
                    self._framing = _UNCHUNKED
            elif size:
                self._left = self._number(16)
                self._framing = _CHUNK if self._left else _TRAILER
        return size

    def _read_body(self):
        # True with bytes in buffer[start:end], False at the end, None when it must be waited for.
        while True:
            framing = self._framing
            left = self._left
            if framing == _OVER:
                return False
            if framing == _SIZE or framing == _TRAILER:
                size = self._read_size(framing)
                if size is None:
                    return None
                if self._framing != _UNCHUNKED:
                    continue
                left = 0
            if left and self._at == self._limit:
                n = self._receive(self.WINDOW_B if left < 0 else left)
                if n is None:
                    return None
                if n == 0:
                    if left > 0:
                        _errors().broken(True)
                    left = 0
            if not left:
                self._framing = _OVER
                if not self._keep or self._at != self._limit:
                    self.close()
                continue
            n = self._limit - self._at
            if 0 < left < n:
                n = left
            if left > 0:
                self._left = left - n
                if n == left and framing == _CHUNK:
                    self._framing = _SIZE
            self.start = self._at
            self.end = self._at = self.start + n
            return True
