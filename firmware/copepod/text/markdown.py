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

from array import array

from micropython import const

from .chars import safe_cut
from .marks import ORIGINAL
from .output import Full
from .rich import Rich

_BUFFER = const(12544)
_SLACK = const(8)  # bytes kept free after the text: a line feed that ends it, and room to look ahead
_LIMIT = const(4096)
_DEPTH = const(36)
_QUOTES = const(40)
_QUOTE_OPEN = const(42)
_KIND = const(37)
_MIDDLE = const(38)
_STYLES = const(41)
_STACK = const(56)
_CODE = const(22)
# Scalars of the walk, in the same array.
_TOP = const(-16)
_OVER_AT = const(22)
_SEEN = const(10)
_FITS = const(-10)
_HERE = const(11)
_RESOLVED = const(16)
_HELD = const(0)
_FINISHED = const(25)
_CUT = const(5)
_SAVED = const(-6)
_RETURN_ = const(-11)
_WRITTEN = const(27)
_ROOM = const(-4)
_TABLE_AT = const(-13)
_WIDE = const(-15)
_ODD = const(20)
_FINE = const(13)
_EXACT = const(19)
_PLACE = const(88)
_PLACE_UNITS = const(92)
_KEPT = const(36)
_KEPT_END = const(83)
_NOWHERE = const(0xFFFF)


class Formatter(Rich):
    """One answer at a time; `buffer` may be lent by the caller: a bytearray of 1,024 to 16,000 bytes."""

    def __init__(self, buffer=None):
        if buffer is None:
            buffer = bytearray(_BUFFER)
        super().__init__(buffer)
        self._st[_ROOM] = len(buffer) - _SLACK
        self._kept = memoryview(self._st)[_KEPT:_KEPT_END]  # what a piece begins with
        self._saved = memoryview(array("H", bytes(2 * (_KEPT_END - _KEPT))))
        self.begin()

    def begin(self):
        """Start a new answer; whatever was held is forgotten."""
        st = self._st
        st[_HELD] = st[_CUT] = st[_RESOLVED] = 0
        st[_FINE] = False
        st[_FINISHED] = st[_WIDE] = st[_ODD] = st[_RETURN_] = st[_WRITTEN] = st[_SAVED] = False
        self._unmark()
        self._restore()

    def _restore(self):
        """Go back to what the piece begins with: nothing, for the first one, or what was saved."""
        st = self._st
        if st[_SAVED]:
            self._kept[:] = self._saved
        else:
            st[_DEPTH] = st[_QUOTES] = st[_QUOTE_OPEN] = st[_KIND] = st[_MIDDLE] = st[_STYLES] = st[_STACK] = 0

    def feed(self, text, start=0):
        """Take UTF-8 of `text` (a str, or bytes-like) from its byte `start` on; return how many bytes were taken."""
        st = self._st
        view = _utf8(text)
        end = len(view)
        p = start
        while p < end and not st[_CUT] and not self._full():
            held = st[_HELD]
            n = end - p
            if held + n > st[_ROOM]:
                n = max(st[_ROOM] - held, 1)  # beyond it only what completes a character
            part = view if n == end else view[p : p + n]
            self._view[held : held + n] = part
            p += n
            st[_HELD] = held + n
            self._clean(held, part)
        return max(p - start, 0)

    def adopt(self, size_b):
        """Take the first `size_b` bytes of the buffer as the text so far: the caller has put UTF-8 there."""
        st = self._st
        st[_HELD] = size_b
        self._clean(0, self._view[0:size_b])

    def finish(self):
        """No more text comes."""
        st = self._st
        st[_FINISHED] = True

    def ready(self):
        """True if a whole piece can be written now."""
        st = self._st
        while not st[_CUT] and st[_HELD] and (st[_FINISHED] or self._full()):
            self._choose()
        return st[_CUT] > 0

    def done(self):
        """True when the answer is finished and nothing is left to write."""
        st = self._st
        return st[_FINISHED] and not self.ready()

    def write(self, sink):
        """The piece as HTML; the same each time."""
        st = self._st
        if st[_WRITTEN]:
            self._restore()
        st[_WRITTEN] = 1  # begun, at least
        self._walk(st[_CUT], sink)
        st[_WRITTEN] = 2

    def write_plain(self, sink):
        """The Markdown of the piece, as it was given (but for characters Telegram would not take)."""
        st = self._st
        cut = end = st[_CUT]  # of the piece, and of the code span that p lies in
        p = 0
        self._aim_live(0, cut)
        while p < cut:
            q = self._seek(self._live_at, self._live, p, end, cut)
            c = self._buf[q] if q < cut else 32
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
                    end = self._find(b"\x1e", p, cut) if c == _CODE else cut

    def write_markdown(self, sink):
        """The piece as Markdown that stands alone, for a server that formats; the same each time.

        A fence that the cut lies in is closed, and opened again with its language, in the items and quotes that it
        is in. A table goes on below a header without text; one of 16 columns or more, or of which a row is cut,
        goes on as text. Styles do not go on: of a pair around the cut each mark is text, as it has to be when
        it is not known which marks they were. A list that is numbered 1. 1. 1. begins anew.
        """
        if self._st[_WRITTEN]:
            self._restore()
        self._sink = sink
        self._reopen()
        self.write_plain(sink)
        self.write(_nowhere)  # as drop() would: where does it end?
        self._sink = sink
        self._reclose()

    def give_up(self, lost=True):
        """Make the piece in hand, or else a message's worth of what is held, one for write_plain().

        For when there is no memory to format it; False when nothing is held. Not `lost`: it was written, and
        only a piece that is longer than a message with its marks becomes another.
        """
        st = self._st
        buf = self._buf
        cut = st[_CUT]
        if lost or cut > _LIMIT:
            held = st[_HELD]
            c = 30
            while c:  # the cut, or the failure, may part what belongs together: all is Markdown again
                self._needle[0] = c
                p = self._find(self._needle, 0, held)
                while p >= 0:
                    buf[p] = buf[p + 1] if c < 4 and c > 1 else ORIGINAL[c]
                    p = self._find(self._needle, p + 1, held)
                c -= 1
            if not cut or cut > _LIMIT:
                cut = held
                if cut > _LIMIT:
                    cut = max(buf.rfind(b"\n", 0, _LIMIT), buf.rfind(b" ", 0, _LIMIT)) + 1 or _LIMIT
                    while cut and buf[cut] & 0xC0 == 0x80:
                        cut -= 1
            st[_CUT] = cut
            st[_RESOLVED] = st[_DEPTH] = st[_QUOTES] = st[_QUOTE_OPEN] = 0
            st[_KIND] = st[_MIDDLE] = st[_STYLES] = st[_STACK] = 0
            st[_WRITTEN] = 2  # what it opens and closes does not matter
        return cut > 0

    def drop(self):
        """The piece was accepted: make room for the next."""
        st = self._st
        if st[_WRITTEN] < 2:
            self.write(_nowhere)
        if st[_KIND]:
            self._keep()
        cut = st[_CUT]
        held = st[_HELD] - cut
        if held:
            self._view[0:held] = self._view[cut : st[_HELD]]
        st[_HELD] = held
        st[_RESOLVED] = max(st[_RESOLVED] - cut, 0)
        st[_CUT] = 0
        st[_WRITTEN] = False

    def _choose(self):
        """Decide where the piece ends; what has nothing to show is dropped."""
        st = self._st
        st[_SAVED] = st[_DEPTH] or st[_KIND] or st[_STACK]
        if st[_SAVED]:
            self._saved[:] = self._kept
        # A line ends where the text does: the end of any line can be found without asking if there is one.
        self._buf[st[_HELD]] = self._buf[st[_HELD] + 1] = 10
        st[_EXACT] = st[_FINE] = False
        self._aim_passes()
        st[_TABLE_AT] = _NOWHERE
        if st[_FINISHED] and not st[_RESOLVED] and self._fits():
            st[_CUT] = st[_HELD]
            return
        st[_WIDE] = max(self._view[0 : st[_HELD]]) > 127
        if st[_WIDE] and st[_HELD] > _LIMIT + 512:
            st[_EXACT] = True
        cut = self._count()
        if not st[_EXACT] and cut < st[_HELD] and st[_WIDE] and st[_OVER_AT]:
            st[_EXACT] = True
            cut = self._count()
        if not cut:
            cut = self._cut_inside()
        self._restore()
        st[_CUT] = cut
        if not st[_SEEN]:
            self.drop()

    def _count(self):
        """Walk until the piece is full; return where to end it between blocks, or 0 if that can not be."""
        st = self._st
        self._restore()
        try:
            self._walk(st[_HELD], None)
        except Full:
            return st[_TOP] if st[_FITS] else 0
        if st[_FINISHED] and not st[_OVER_AT]:
            return st[_HELD]
        return st[_TOP] if st[_SEEN] else st[_HELD]

    def _cut_inside(self):
        """No end between blocks will do: find the best place inside one."""
        st = self._st
        st[_FINE] = True
        while True:
            k = 0
            while k < 4:
                st[_PLACE + k] = st[_PLACE_UNITS + k] = 0
                k += 1
            self._restore()
            try:
                self._walk(st[_HELD], None)
                st[_HERE] = st[_HELD]
            except Full:
                pass
            best = 0
            for k in range(4):
                place = st[_PLACE + k]
                if st[_PLACE_UNITS + k] >= _LIMIT >> 1:
                    best = place
                    break
                if place > best and st[_PLACE_UNITS + k] >= _LIMIT >> 2:
                    best = place
            best = best or st[_HERE]
            if best:
                break
            # A span that is longer than a message: let it be text.
            c = self._buf[0]
            if not 11 < c < 32:
                best = safe_cut(self._buf, min(st[_HELD], _LIMIT >> 2), 0)
                break
            self._buf[0] = ORIGINAL[c]
            if c == _CODE:
                self._buf[self._find(b"\x1e", 0)] = 96
        st[_FINE] = False
        st[_SEEN] = True
        return best


def _nowhere(buf, start, end):
    pass


def _utf8(text):
    """A view of the UTF-8 of a str (a copy only where MicroPython's own way is not to be had) or of bytes."""
    if not isinstance(text, str):
        return text if isinstance(text, memoryview) else memoryview(text)
    try:
        return memoryview(text)  # pyright: ignore[reportArgumentType]
    except TypeError:
        return memoryview(text.encode("utf-8", "surrogatepass"))
