"""The HTTP client's window, sent elsewhere: to a file, to a second host. Memory: two windows, or one.

Each has Client's write(), write_int() and write_json(). See also request.py, which counts.
"""

import errno
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

from copepod.net.http import Client


class Line(Client):
    """Writes one line of a file from `at` on, over what is left there of a line that was cut short.

    Nothing is truncated, which MicroPython can't: blanks fill the place up to `old_end`, and the line's end comes
    last, so that a line that has one is whole.
    """

    WINDOW_B = 256

    def __init__(self, path, at, old_end, window=None):
        self._tx = window or bytearray(self.WINDOW_B)
        self._view = memoryview(self._tx)
        self._n = 0
        self._old_end = old_end
        try:
            self._file = open(path, "r+b")
        except OSError:
            self._file = open(path, "wb")
        self._file.seek(at)
        self.end = at  # where the next line begins, once this one is complete

    def complete(self):
        """End the line; it is on its way to the disk then."""
        spare = self._old_end - self.end - self._n
        while spare > 0:
            self.write(b" ")
            spare -= 1
        self.write(b"\n")
        self._send(b"")
        self._file.close()

    def discard(self):
        """Leave the line without its end: the next one is written over it."""
        self._file.close()

    def _send(self, tail):
        n = self._n
        self._file.write(self._view[:n])
        self.end += n
        self._n = 0


class Connection(Client):
    """The connection to the model's server. A request: its head and what was counted, then sent()."""

    def begin_head(self):
        """Whatever was written before is gone."""
        self._n = 0
        self._path = None

    def sent(self):
        """The request is complete."""
        self._send(b"")
        self.requests += 1

    def outgoing(self):
        """The window of requests, which nobody needs until the next one is begun."""
        return self._tx

    def silence(self, deadline):
        """From now on the answer's next bytes must come by `deadline`, in ticks_ms."""
        self._deadline = deadline

    def _send(self, tail):
        if self._socket is None:
            raise OSError(errno.ENOTCONN)
        at = self._primed  # the P is there already
        end = self._n
        self._primed = self._n = 0
        deadline = ticks_add(ticks_ms(), self.STALL_MS)
        while at < end:
            n = self._socket.write(self._tx, at, end - at)  # pyright: ignore[reportCallIssue]
            if n:
                at += n
            elif ticks_diff(deadline, ticks_ms()) <= 0:
                raise OSError(errno.ETIMEDOUT)
            else:
                sleep_ms(1)
