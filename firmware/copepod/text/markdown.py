"""Markdown in, Telegram HTML out, in pieces that are each a whole message. Memory: one buffer, made at start.

    fmt = Formatter()
    fmt.begin()
    taken = fmt.feed(text)      # UTF-8 bytes taken; less than all: a piece is ready
    fmt.finish()
    while fmt.ready():
        fmt.write(sink)         # sink(buffer, start, end): HTML, in order, valid only during the call
        fmt.drop()

The buffer is the window: what decides how a piece looks and where it ends lies inside it. The Markdown of
the piece stays there until drop(), so that it can be written again, or as plain text.
"""

from micropython import const

from .chars import safe_cut, size
from .marks import ORIGINAL
from .output import Full
from .tables import Tables

_BUFFER = const(12544)
_SLACK = const(8)  # bytes kept free after the text: a line feed that ends it, and room to look ahead
_LIMIT = const(4096)
_SHORT = const(3600)  # bytes up to which it is worth trying to show that all fits, without counting

# The eight lowest last: the controls but NUL, tab, line feed and return.
_CONTROLS = (
    b"\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x01\x02\x03\x04\x05\x06\x07\x08"
)

_DEPTH = const(0)
_QUOTES = const(1)
_QUOTE_OPEN = const(2)
_KIND = const(5)
_MIDDLE = const(6)
_STYLES = const(7)
_STACK = const(37)
_PARAGRAPH = const(1)
_LINK = const(23)
_IMAGE = const(24)


class Formatter(Tables):
    """One answer at a time; `buffer` may be lent by the caller: a bytearray of 1,024 to 16,000 bytes."""

    def __init__(self, buffer=None):
        if buffer is None:
            buffer = bytearray(_BUFFER)
        super().__init__(buffer)
        self._view = memoryview(buffer)
        self._room = len(buffer) - _SLACK
        self._saved = self._st[:]
        self.begin()

    def begin(self):
        """Start a new answer; whatever was held is forgotten."""
        self._held = self._cut = self._resolved = 0
        self._quick = self._fine = False
        self._finished = self._wide = self._odd = self._return = self._written = False
        self._unmark()
        st = self._st
        st[_DEPTH] = st[_QUOTES] = st[_QUOTE_OPEN] = st[_KIND] = st[_MIDDLE] = st[_STYLES] = st[_STACK] = 0

    def feed(self, text, start=0):
        """Take UTF-8 of `text` (a str, or bytes-like) from its byte `start` on; return how many bytes were taken."""
        view = memoryview(_utf8(text))
        end = len(view)
        p = start
        while p < end and not self._cut and not self._full():
            n = min(end - p, max(self._room - self._held, 1))  # beyond it only what completes a character
            self._view[self._held : self._held + n] = view[p : p + n]
            p += n
            held = self._held
            self._held = held + n
            self._clean(held)
        return max(p - start, 0)

    def adopt(self, size_b):
        """Take the first `size_b` bytes of the buffer as the text so far: the caller has put UTF-8 there."""
        self._held = size_b
        self._clean(0)

    def finish(self):
        """No more text comes."""
        self._finished = True

    def ready(self):
        """True if a whole piece can be written now."""
        while not self._cut and self._held and (self._finished or self._full()):
            self._choose()
        return self._cut > 0

    def done(self):
        """True when the answer is finished and nothing is left to write."""
        return self._finished and not self.ready()

    def write(self, sink):
        """The piece as HTML; the same each time."""
        self._st[:] = self._saved
        self._walk(self._cut, sink)
        self._written = True

    def write_plain(self, sink):
        """The Markdown of the piece, as it was given (but for characters Telegram would not take)."""
        live = self._live
        at = self._live_at
        p = 0
        self._aim_live(0, self._cut)
        while p < self._cut:
            q = self._seek(at, live, p, self._cut, self._cut)
            c = self._buf[q] if q < self._cut else 32
            if c in b"\n\t&<>":
                q += 1
            if q > p:
                sink(self._buf, p, q)
            p = q
            if c == 0:
                sink(b"\xef\xbf\xbd", 0, 3)
                p += 1
            elif c < 32 and c != 9 and c != 10:
                p += 1
                if c < 4 and c > 1:
                    sink(self._buf, p, p + 1)
                else:
                    sink(ORIGINAL, c, c + 1)

    def drop(self):
        """The piece was accepted: make room for the next."""
        if not self._written:
            self.write(_nowhere)
        cut = self._cut
        held = self._held - cut
        self._view[0:held] = self._view[cut : self._held]
        self._held = held
        self._resolved = max(self._resolved - cut, 0)
        self._cut = 0
        self._written = False

    def _full(self):
        """True if the window is full, with whole characters."""
        held = self._held
        if held < self._room:
            return False
        p = held - 1
        while self._buf[p] & 0xC0 == 0x80 and p:
            p -= 1
        return p + size(self._buf[p]) <= held

    def _clean(self, p):
        """Text was added at p: no returns, controls or lone surrogates; note what else it has."""
        buf = self._buf
        held = self._held
        if self._return and p < held:
            self._return = False
            if buf[p] == 10:
                held -= 1
                self._view[p:held] = self._view[p + 1 : held + 1]
        q = self._find(b"\r", p, held)
        if q >= 0:
            held = self._no_returns(q, held)
        self._held = held
        if p == held:
            return
        view = self._view[p:held]
        c = min(view)
        if c < 32:
            self._controls(c, p, held)
        c = max(view)
        if c > 126:
            q = p
            while True:
                q = self._find(b"\x7f", q, held)
                if q < 0:
                    break
                buf[q] = 32
            self._wide = self._wide or c > 127
        if not self._wide:
            return
        p = max(p - 2, 0)
        q = p
        while True:
            q = self._find(b"\xc2", q, held - 1)
            if q < 0:
                break
            q += 1
            if buf[q] < 0xA0:
                buf[q] = 0xA0
        q = p
        while True:
            q = self._find(b"\xed", q, held - 2)
            if q < 0:
                break
            if buf[q + 1] > 0x9F:
                buf[q] = 0xEF
                buf[q + 1] = 0xBF
                buf[q + 2] = 0xBD
            q += 1

    def _controls(self, lowest, p, held):
        """Controls but tabs and line feeds become blanks, as the server would have it; NULs stay, to be U+FFFD."""
        k = len(_CONTROLS) - 8
        if lowest < 10:
            k += 8
            for c in b"\t\0":
                self._needle[0] = c
                if not self._index[c] and self._find(self._needle, p, held) >= 0:
                    self._use(c)
                    self._odd = True
        while k:
            k -= 1
            self._needle[0] = _CONTROLS[k]
            q = p
            while True:
                q = self._find(self._needle, q, held)
                if q < 0:
                    break
                self._buf[q] = 32

    def _no_returns(self, q, held):
        """Take the returns out of the text from q on: CR LF and CR become LF."""
        buf = self._buf
        p = q
        while q < held:
            c = buf[q]
            q += 1
            if c == 13:
                c = 10
                if q == held:
                    self._return = True
                elif buf[q] == 10:
                    q += 1
            buf[p] = c
            p += 1
        return p

    def _choose(self):
        """Decide where the piece ends; what has nothing to show is dropped."""
        st = self._st
        saved = self._saved
        saved[:] = st
        self._buf[self._held] = 10
        self._bars = self._find(b"|", 0, self._held) >= 0
        self._definitions = self._find(b"]:", 0, self._held) >= 0
        self._exact = self._fine = False
        self._aim_passes()
        self._table_at = -1
        cut = 0
        if self._finished and self._held < _SHORT and not self._resolved:
            self._quick = True
            self._opened = self._codes = 0
            cut = self._count()
            self._quick = False
            if cut < self._held or not self._seen:
                cut = 0
        cut = cut or self._count()
        if cut < self._held and self._wide and self._over:
            self._exact = True
            cut = self._count()
        if not cut:
            cut = self._cut_inside()
        st[:] = saved
        self._cut = cut
        if not self._seen:
            self.drop()

    def _count(self):
        """Walk until the piece is full; return where to end it between blocks, or 0 if that can not be."""
        self._st[:] = self._saved
        try:
            self._walk(self._held, None)
        except Full:
            return self._top if self._fits else 0
        if self._finished and not self._over:
            return self._held
        return self._top if self._seen else self._held

    def _cut_inside(self):
        """No end between blocks will do: find the best place inside one."""
        self._fine = True
        place = self._place
        place_units = self._place_units
        while True:
            k = 0
            while k < 4:
                place[k] = place_units[k] = 0
                k += 1
            self._st[:] = self._saved
            try:
                self._walk(self._held, None)
                self._here = self._held
            except Full:
                pass
            best = 0
            for k in range(4):
                if place_units[k] >= _LIMIT >> 1:
                    best = place[k]
                    break
                if place[k] > best and place_units[k] >= _LIMIT >> 2:
                    best = place[k]
            best = best or self._here
            if best:
                break
            # A span that is longer than a message: let it be text.
            c = self._buf[0]
            if not 11 < c < 32:
                best = safe_cut(self._buf, min(self._held, _LIMIT >> 2), 0)
                break
            self._buf[0] = ORIGINAL[c]
        self._fine = False
        self._seen = True
        return best


def _nowhere(buf, start, end):
    pass


def _utf8(text):
    """The UTF-8 of a str without a copy where MicroPython lets it, or bytes as they are."""
    if not isinstance(text, str):
        return text
    try:
        return memoryview(text)  # pyright: ignore[reportArgumentType]
    except TypeError:
        return text.encode("utf-8", "surrogatepass")
