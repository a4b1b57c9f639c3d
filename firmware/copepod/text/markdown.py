"""Markdown in, Telegram HTML out, in pieces that are each a whole message. Memory: one buffer, made at start.

    fmt = Formatter()
    fmt.begin()
    taken = fmt.feed(text)      # UTF-8 bytes taken; less than all: a piece is ready, or the text is not finished
    fmt.finish()
    while fmt.ready():
        fmt.write(sink)         # sink(buffer, start, end): HTML, in order, valid only during the call
        fmt.drop()

The Markdown of the piece stays in the buffer until drop(), so that it can be written again or as plain text.
"""

from micropython import const

_UNITS = const(4096)  # a message's limit, in UTF-16 units; bytes of UTF-8 are never fewer
_BUFFER = const(12544)
_ESCAPES = {38: b"&amp;", 60: b"&lt;", 62: b"&gt;"}


class Formatter:
    """One answer at a time; `buffer` may be lent by the caller (a bytearray, at least 4,200 bytes)."""

    def __init__(self, buffer=None):
        self._buf = bytearray(_BUFFER) if buffer is None else buffer
        self._view = memoryview(self._buf)
        self.begin()

    def begin(self):
        """Start a new answer; whatever was held is forgotten."""
        self._held = self._cut = 0
        self._finished = False

    def feed(self, text, start=0):
        """Take UTF-8 bytes of `text` (str or bytes-like) from byte `start`; return how many were taken."""
        if isinstance(text, str):
            text = _utf8(text)
        taken = min(len(text) - start, len(self._buf) - self._held)
        if taken > 0:
            self._view[self._held : self._held + taken] = memoryview(text)[start : start + taken]
            self._held += taken
        return max(taken, 0)

    def finish(self):
        """No more text comes."""
        self._finished = True

    def ready(self):
        """True if a whole piece can be written now."""
        if not self._cut and self._held and (self._finished or self._held == len(self._buf)):
            self._choose()
        return self._cut > 0

    def done(self):
        """True when finished and nothing is left to write."""
        return self._finished and not self.ready()

    def drop(self):
        """The piece was accepted: make room for the next."""
        held = self._held - self._cut
        self._view[0:held] = self._view[self._cut : self._held]
        self._held, self._cut = held, 0

    def write(self, sink):
        """The piece as HTML; the same each time."""
        buf = self._buf
        start = 0
        for i in range(self._cut):
            escape = _ESCAPES.get(buf[i])
            if escape:
                sink(buf, start, i)
                sink(escape, 0, len(escape))
                start = i + 1
        sink(buf, start, self._cut)

    def write_plain(self, sink):
        """The piece's own Markdown, for when the server refuses the HTML."""
        sink(self._buf, 0, self._cut)

    def _choose(self):
        buf = self._buf
        while self._held:
            start = 0
            while start < self._held and buf[start] in b" \n\r\t":
                start += 1
            self._cut = start
            if start:
                self.drop()
            end = min(_UNITS, self._held)
            if end < self._held:
                for mark in (b"\n\n", b"\n", b" "):
                    at = buf.rfind(mark, 0, end)
                    if at > 0:
                        end = at
                        break
                while end < self._held and buf[end] & 0xC0 == 0x80:
                    end -= 1
            self._cut = end
            break


def _utf8(text):
    try:
        return memoryview(text)
    except TypeError:
        return text.encode("utf-8", "replace")
