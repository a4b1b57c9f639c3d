"""HTTP/1.1 client for one kept connection. Memory: two windows of WINDOW_B bytes and about 0.5 kB, made once.

Request and answer go through the windows in pieces, so neither is ever held. Only POST, only JSON:

    client.begin(b"/path/", b"name")
    client.write(b'{"text":"'); client.write_json(text, 0, len(text)); client.write(b'"}')
    await client.flush()
    status = await client.response(20000)
    while await client.fill():
        …client.buffer[client.start : client.end]…

flush(), response() and fill() return the client itself, which is its own awaitable: nothing is allocated
for an await, and nothing is waited for while bytes are there. One task at a time.
"""

import errno
import select
import socket
from micropython import const
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

import asyncio.core as core  # pyright: ignore[reportMissingImports]
from copepod.net.wait import READ, WRITE, Waiter

_RESERVE = const(5)  # before the body: blanks, or the size of the first chunk
_END = const(7)  # after the body: the chunk's line end and the last chunk
_TURNS = const(16)  # windows served in a row before other tasks have a turn
_SHORT_RUN = const(48)  # bytes that are copied one by one
_SMALL = const(1 << 29)  # ints below are not made on the heap

_FLUSH = const(0)  # what the awaitable is waiting for
_HEAD = const(1)
_BODY = const(2)
_YIELD = const(3)

_PLAIN = const(0)  # how the body of the answer is framed: by its length or the connection's end,
_SIZE = const(1)  # or chunked, at a size line,
_DATA = const(2)  # in a chunk,
_LINE_END = const(3)  # after it,
_TRAILER = const(4)  # after the last one.
_OVER = const(5)

_LENGTH = b"Content-Length:           "
_CHUNKED = b"Transfer-Encoding: chunked"  # of the same length as _LENGTH, whose place it takes
_DIGITS = b"0123456789abcdef"


class HttpError(ValueError):
    """The server does not speak HTTP as we know it, or ends in the middle of an answer."""


class Client:
    """One connection to `host`; with a TLS context in `tls` it is encrypted and verified.

    Raises OSError (with an errno; ETIMEDOUT for a missed deadline) and ValueError (TLS verification
    and HttpError). After either the connection is of no use: close(). No text of an error holds what
    was sent. Sending is the one thing that blocks: while the TCP send buffer is full, at most STALL_MS.
    """

    WINDOW_B = 1024  # a header line must fit in; at most 4,095
    HEAD_LINES = 100  # header lines in an answer
    HEAD_B = 16384  # and bytes of them
    CONNECT_MS = 20000
    STALL_MS = 10000

    def __init__(self, host, port, tls=None):
        self.host = host
        self.port = port
        self.tls = tls
        self.connections = 0  # opened so far
        self.requests = 0
        self.status = 0
        self.buffer = bytearray(self.WINDOW_B)
        self.start = self.end = 0  # the body bytes that fill() found
        self._view = memoryview(self.buffer)
        self._at = self._limit = 0  # bytes in the buffer that are not taken yet
        self._tx = bytearray(self.WINDOW_B)
        self._n = 0
        self._path = None  # the path that stands in the window
        name = host if port == 443 or port == 80 else "%s:%d" % (host, port)
        self._head = (
            b" HTTP/1.1\r\nHost: "
            + name.encode()
            + b"\r\nContent-Type: application/json\r\n"
            + _LENGTH
            + b"\r\n\r\n     "
        )
        self._socket = self._raw = self._waiter = None
        self._deadline = 0
        self._want = _FLUSH
        self._framing = _OVER
        self._big = self._big_text = None  # the last large int that was written
        self._stop = StopIteration()
        self._stop_200 = StopIteration(200)
        self._stop_true = StopIteration(True)

    # Connection -----------------------------------------------------------------------------

    async def connect(self):
        """Open the connection, TLS handshake included; an open one is closed before.

        getaddrinfo blocks, everything else lets other tasks run. Allocates about 1 kB.
        """
        self.close()
        found = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
        deadline = ticks_add(ticks_ms(), self.CONNECT_MS)
        while True:
            info = found.pop(0)
            try:
                await self._connect(info, deadline)
                break
            except OSError:
                self.close()
                if not found:
                    raise
        self.connections += 1

    async def _connect(self, info, deadline):
        self._raw = self._socket = raw = socket.socket(info[0], info[1], info[2])
        raw.setblocking(False)
        try:
            raw.connect(info[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        # The raw socket is what is polled, also under TLS: it has a file number, so that a Unix
        # poll() sleeps instead of asking every millisecond. TLS may hold bytes that it already
        # read, so each wait comes after a read that found nothing.
        self._waiter = waiter = Waiter(raw)
        poll = select.poll()
        poll.register(raw, WRITE)
        while not poll.poll(0):
            await waiter.until(WRITE, deadline)
        if self.tls is not None:
            self._socket = self.tls.wrap_socket(
                raw, server_hostname=self.host, do_handshake_on_connect=False
            )
        # The first byte of the first request drives the handshake: a write is done once TLS is.
        # Until then TLS nearly always waits for the server; a look every 100 ms serves the rest.
        while not self._socket.write(b"P"):
            await waiter.until(READ, deadline, 100)
        self._primed = True

    def close(self):
        """Drop the connection; nothing happens when there is none."""
        self._framing = _OVER
        if self._waiter is not None:
            self._waiter.close()
            self._waiter = None
        for stream in (
            self._socket,
            self._raw,
        ):  # after a failed handshake TLS no longer closes the raw one
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

    # Request --------------------------------------------------------------------------------

    def begin(self, path, name):
        """Start a POST to `path` + `name` (bytes). A connection that the server has closed is dropped."""
        self.alive()
        self._chunked = False
        self._first = self.WINDOW_B  # of the body; from here on the head is complete
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
        """Add bytes (or a str of ASCII, for 32 B of garbage) to the body."""
        n = self._n
        end = n + len(data)
        if isinstance(data, str):
            data = memoryview(data)  # pyright: ignore[reportArgumentType]
        if end > self.WINDOW_B - _END:
            for c in data:
                self._byte(c)
            return
        self._n = end
        tx = self._tx
        if len(data) > _SHORT_RUN:
            tx[n:end] = data  # up to MicroPython 1.26 the slice is 16 B of garbage (32 on 64 bits)
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
        if value < 0:
            self._byte(45)
            value = -value
        unit = 1
        while unit * 10 <= value:
            unit *= 10
        while unit:
            self._byte(48 + value // unit % 10)
            unit //= 10

    def write_json(self, data, start, end):
        """Add data[start:end], UTF-8, as the inside of a JSON string."""
        tx = self._tx
        n = self._n
        room = self.WINDOW_B - _END
        while start < end:
            stop = min(end, start + room - n)
            while start < stop:
                c = data[start]
                if c < 32 or c == 34 or c == 92:
                    break
                tx[n] = c
                n += 1
                start += 1
            self._n = n
            if start < end:
                if start < stop:
                    start += 1
                    self._escape(c)  # pyright: ignore[reportPossiblyUnboundVariable]
                else:
                    self._overflow()
                n = self._n

    def _escape(self, c):
        self._byte(92)
        if c >= 32:
            self._byte(c)
        elif c == 10:
            self._byte(110)
        else:
            self.write(b"u00")
            self._byte(48 + (c >> 4))
            self._byte(_DIGITS[c & 15])

    def _byte(self, c):
        if self._n >= self.WINDOW_B - _END:
            self._overflow()
        self._tx[self._n] = c
        self._n += 1

    def _overflow(self):
        # The window is full: from now on the body is chunked, and this is a chunk.
        if self._first == self.WINDOW_B:
            raise ValueError("the head of the request is too long")
        if not self._chunked:
            at = self._first - _RESERVE - 4
            self._tx[at - len(_LENGTH) : at] = _CHUNKED
            self._chunked = True
        self._path = None
        self._chunk()
        self._send(self._n)
        self._n = self._first = _RESERVE

    def _chunk(self):
        tx = self._tx
        size = self._n - self._first
        at = self._first - _RESERVE
        for shift in (8, 4, 0):
            tx[at] = _DIGITS[size >> shift & 15]
            at += 1
        tx[at : at + 2] = b"\r\n"
        tx[self._n : self._n + 2] = b"\r\n"
        self._n += 2

    def _send(self, end):
        # Blocks while the TCP send buffer is full: see the class.
        if self._socket is None:
            raise OSError(errno.ENOTCONN)
        at = 0
        if self._primed:
            self._primed = False
            at = 1  # the P is there already
        deadline = ticks_add(ticks_ms(), self.STALL_MS)
        while at < end:
            n = self._socket.write(self._tx, at, end - at)  # pyright: ignore[reportCallIssue]
            if n:
                at += n
            elif ticks_diff(deadline, ticks_ms()) <= 0:
                raise OSError(errno.ETIMEDOUT)
            else:
                sleep_ms(1)

    def flush(self):
        """Awaitable: end the request and send what is left of it, on a new connection if there is none."""
        if self._socket is None and not self._chunked:
            return self._connect_and_finish()
        self._finish()
        self._want = _FLUSH
        return self

    async def _connect_and_finish(self):
        await self.connect()
        self._finish()

    def _finish(self):
        if self._chunked:
            if self._n > self._first:
                self._chunk()
            else:
                self._n = 0
            self._tx[self._n : self._n + 5] = b"0\r\n\r\n"
            self._n += 5
        else:
            size = self._n - self._first + _RESERVE
            at = self._first - _RESERVE - 4
            while size:
                at -= 1
                self._tx[at] = 48 + size % 10
                size //= 10
        self._send(self._n)
        self.requests += 1

    # Answer ---------------------------------------------------------------------------------

    def response(self, timeout_ms):
        """Awaitable: read the head of the answer; returns the status.

        `timeout_ms` is for the whole answer, body included.
        """
        self._deadline = ticks_add(ticks_ms(), timeout_ms)
        self._want = _HEAD
        self._at = self._limit = self._turn = 0
        self._new_head()
        return self

    def fill(self):
        """Awaitable: find body bytes, buffer[start:end], which stay until the next call; True unless the body is over."""
        if self._want == _HEAD:
            self._want = _BODY
        return self

    def __iter__(self):
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
                stop = self._stop_200 if self.status == 200 else StopIteration(self.status)
            elif found:
                stop = self._stop_true
        stop.__traceback__ = None
        raise stop

    def _receive(self, most):
        # Read up to `most` more bytes into the buffer; False when none are there yet, 0 at the end.
        if self._socket is None:
            raise OSError(errno.ENOTCONN)
        if self._at == self._limit:
            self._at = self._limit = 0
            n = self._socket.readinto(self.buffer, min(most, self.WINDOW_B))
        else:
            if self._limit == self.WINDOW_B:
                if not self._at:
                    raise HttpError("a line of the answer is too long")
                self.buffer[: self._limit - self._at] = self._view[self._at : self._limit]
                self._limit -= self._at
                self._at = 0
            n = self._socket.readinto(self._view[self._limit :])
        if n:
            self._limit += n
        return n

    def _line(self):
        # Find a line: buffer[start:end] without its end. None when it is not complete yet.
        while True:
            end = self.buffer.find(b"\n", self._at, self._limit)
            if end >= 0:
                break
            n = self._receive(self.WINDOW_B)
            if n is None:
                return None
            if n == 0:
                raise HttpError("the connection ends before the answer does")
        self.start = self._at
        self._at = end + 1
        self._head_b += end + 1 - self.start
        self._head_lines += 1
        if self._head_lines > self.HEAD_LINES or self._head_b > self.HEAD_B:
            raise HttpError("the head of the answer is too long")
        if end > self.start and self.buffer[end - 1] == 13:
            end -= 1
        self.end = end
        return end - self.start

    def _new_head(self):
        self.status = self._head_lines = self._head_b = 0
        self._left = -1  # body bytes that are to come; -1: until the connection ends
        self._framing = _PLAIN

    def _read_head(self):
        while True:
            size = self._line()
            if size is None:
                return None
            at = self.start
            buffer = self.buffer
            if not self.status:
                self._keep = buffer.startswith(b"HTTP/1.1 ", at)
                if not self._keep and not buffer.startswith(b"HTTP/1.0 ", at):
                    raise HttpError("the answer is not HTTP/1")
                self.status = self._number(at + 9, min(at + 12, self.end), 10)
            elif size:
                self._header(at)
            elif self.status >= 200:
                self._head_lines = self._head_b = 0
                if self.status == 204 or self.status == 304:
                    self._left = 0
                    self._framing = _PLAIN
                if self._framing == _PLAIN and self._left < 0:
                    self._keep = False
                return True
            else:
                self._new_head()  # 100: the answer itself is to come

    def _header(self, at):
        if self._named(at, b"content-length:"):
            size = self._number(self._value, self.end, 10)
            if self._left >= 0 and self._left != size:
                raise HttpError("two lengths in one answer")
            self._left = size
        elif self._named(at, b"transfer-encoding:"):
            if not self._named(self._value, b"chunked"):
                raise HttpError("unknown transfer encoding")
            self._framing = _SIZE
        elif self._named(at, b"connection:") and self._named(self._value, b"close"):
            self._keep = False

    def _named(self, at, name):
        # Whether `name`, in lower case, stands at `at`; what follows the blanks after it is at _value.
        buffer = self.buffer
        if self.end - at < len(name):
            return False
        for c in name:
            if buffer[at] | 32 != c:
                return False
            at += 1
        while at < self.end and (buffer[at] == 32 or buffer[at] == 9):
            at += 1
        self._value = at
        return True

    def _number(self, at, end, base):
        # The number at `at`, up to a blank or semicolon.
        number = 0
        first = at
        while at < end:
            c = self.buffer[at]
            if at > first and (c == 32 or c == 59 or c == 9):
                break
            c = c - 48 if c < 58 else (c | 32) - 87
            if not 0 <= c < base or at - first > 9:
                raise HttpError("a number was expected in the answer")
            number = number * base + c
            at += 1
        if at == first:
            raise HttpError("a number was expected in the answer")
        return number

    def _read_body(self):
        # True with bytes in buffer[start:end], False at the end of the body, None when it must be waited for.
        while True:
            framing = self._framing
            if framing == _OVER:
                self.start = self.end = 0
                return False
            if framing == _PLAIN or framing == _DATA:
                left = self._left
                if not left:
                    if framing == _DATA:
                        self._framing = _LINE_END
                    else:
                        self._body_over()
                    continue
                if self._at == self._limit:
                    n = self._receive(self.WINDOW_B if left < 0 else left)
                    if n is None:
                        return None
                    if n == 0:
                        if left > 0:
                            raise HttpError("the connection ends before the answer does")
                        self._body_over()
                        continue
                n = self._limit - self._at
                if 0 <= left < n:
                    n = left
                if left > 0:
                    self._left = left - n
                self.start = self._at
                self.end = self._at = self.start + n
                return True
            size = self._line()
            if size is None:
                return None
            if framing == _SIZE:
                self._left = self._number(self.start, self.end, 16)
                self._framing = _DATA if self._left else _TRAILER
                self._head_lines = 0
            elif framing == _LINE_END:
                if size:
                    raise HttpError("a chunk is longer than it says")
                self._framing = _SIZE
            elif not size:
                self._body_over()

    def _body_over(self):
        self._framing = _OVER
        if not self._keep or self._at != self._limit:
            self.close()
