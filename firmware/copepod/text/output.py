"""What a formatter writes with: runs, tags and styles, either counted or sent. Memory: fixed, in the object.

The same walk over the Markdown is made with no sink (then it counts, and notes where the piece could end)
and with a sink. Everything visible goes through _run, _put and _blank, every tag through _tag.
"""

from array import array

from micropython import const

from .chars import columns, encode, reference, safe_cut, size, units, visible
from .marks import CLOSE, OPEN

_FAR = const(0xFFFF)
_LIMIT = const(4096)  # UTF-16 units of a message, after its entities are parsed
_ENTITIES = const(100)  # more are silently dropped
_TAG_BYTES = const(12000)  # with 4096 units of five bytes (&amp;) this stays under the 32768 a text may have

# Walk state, in an array of 16-bit numbers that can be saved and restored.
_QUOTES = const(1)
_QUOTE_OPEN = const(2)
_GAP = const(3)
_STYLES = const(7)  # how many are open, then which (eight are remembered)
_KEPT = const(8)

# Ranks of a place to cut at.
_WORD = const(3)
_SENTENCE = const(2)
_LINE = const(1)
_BLOCK = const(0)

_SPACES = b"                                "
_DASHES = b"--------------------------------"
_SENTENCES = (b". ", b"! ", b"? ", b"\xe3\x80\x82", b"\xef\xbc\x81", b"\xef\xbc\x9f")
_RAW = b"&<>\t\0"
_ESCAPED = b"&<>"


class Full(Exception):
    """Counting has gone as far as it has to."""


class Output:
    """The writing half of the formatter; `_st` is the state of the walk (see blocks.py for its layout)."""

    # What the classes on top of this one bring along; for the type check only.
    _st: "Any"
    _held: int
    _resolved: int
    _wide: bool
    _live_at: "Any"
    _finished: bool
    _odd: bool
    _code: bool
    _bars: bool
    _definitions: bool
    _rows: "Any"
    _table: "Any"
    _table_columns: "Any"

    def __init__(self, buf):
        self._buf = buf
        self._find = buf.find
        self._needle = bytearray(1)
        self._raw_at = array("H", bytes(10))
        self._escaped_at = array("H", bytes(6))
        self._tiny = bytearray(4)
        self._place = array("H", bytes(8))  # for each rank the best place to cut seen, and its units
        self._place_units = array("H", bytes(8))
        self._index = bytearray(64)  # of a byte in _live
        self._sink = None
        self._measuring = self._quick = False
        self._exact = self._fine = self._mute = self._solid = False

    def _restart(self, sink):
        self._sink = sink
        self._units = self._entities = self._tags = self._top = 0
        self._top_units = self._top_entities = self._top_tags = 0
        self._max = _LIMIT
        self._over = self._seen = self._fits = self._mute = self._solid = False
        self._here = self._link = self._nest = self._alt = 0

    # Looking for the next of several bytes, at the speed of find().

    def _aim(self, at, chars, n, p, end):
        """Note in `at` where each of the first n of `chars` comes next, before `end`."""
        needle = self._needle
        find = self._find
        k = 0
        while k < n:
            needle[0] = chars[k]
            q = find(needle, p, end)
            at[k] = q if q >= 0 else _FAR
            k += 1
        n = len(at)
        while k < n:
            at[k] = _FAR
            k += 1

    def _seek(self, at, chars, p, end, scope):
        """The nearest of `chars` from p on, or `end`. What is noted in `at` holds up to `scope`; p must not go back."""
        while True:
            q = min(at)
            if q >= p:
                return q if q < end else end
            k = self._index[self._buf[q] & 63] if at is self._live_at else 0
            if at[k] != q:
                k = 0
                while at[k] != q:
                    k += 1
            self._needle[0] = chars[k]
            q = self._find(self._needle, p, scope)
            at[k] = q if q >= 0 else _FAR

    # Text.

    def _run(self, p, end):
        """Text that needs no escaping."""
        if self._measuring:
            self._widen(self._buf, p, end)
            return
        if self._sink:
            self._sink(self._buf, p, end)
            return
        if not self._seen:
            self._seen = visible(self._buf, p, end)
        n = units(self._buf, p, end) if self._exact else end - p
        if self._units + n > self._max:
            self._burst(p, end, n)
        elif self._fine:
            self._note_run(p, end)
        self._units += n

    def _put(self, text, n=1):
        """Text that is not in the buffer, of n units (and columns)."""
        if self._measuring:
            self._width += n
        elif self._sink:
            self._sink(text, 0, len(text))
        else:
            self._seen = True
            self._grow(n)

    def _blank(self, n, text=_SPACES):
        """n blanks (or dashes)."""
        if self._measuring:
            self._width += n
            return
        if not self._sink:
            self._grow(n)
            return
        while n > 0:
            k = min(n, len(text))
            self._sink(text, 0, k)
            n -= k

    def _break(self, n=1):
        """n line feeds."""
        if self._sink:
            self._sink(b"\n\n", 0, n)
        else:
            self._grow(n)

    def _point(self, code):
        """One character by its code point."""
        if code == 38:
            self._put(b"&amp;")
        elif code == 60:
            self._put(b"&lt;")
        elif code == 62:
            self._put(b"&gt;")
        else:
            n = encode(code, self._tiny)
            if self._measuring:
                self._widen(self._tiny, 0, n)
            elif self._sink:
                self._sink(self._tiny, 0, n)
            else:
                self._seen = self._seen or visible(self._tiny, 0, n)
                self._grow(2 if n == 4 else 1)

    def _reference(self, p, end):
        """The ampersand at p, and the reference that it may begin; return what follows."""
        found = reference(self._buf, p, end)
        if found:
            self._point(found >> 6)
            return p + (found & 63)
        self._put(b"&amp;")
        return p + 1

    def _raw(self, p, end, column=0):
        """Literal text: escaped, nothing else; tabs go to the next fourth column, the text being at `column`."""
        if not (self._sink or self._odd) or self._measuring and not self._odd:
            if p < end:
                self._run(p, end)
            return
        at = self._raw_at
        chars = _RAW
        if not self._odd:
            at = self._escaped_at
            chars = _ESCAPED
        self._aim(at, chars, len(at), p, end)
        start = p
        while p < end:
            q = self._seek(at, chars, p, end, end)
            if q > p:
                self._run(p, q)
            if q < end:
                c = self._buf[q]
                if c == 9:
                    n = 4 - (column + units(self._buf, start, q) & 3)
                    column += n - 1
                    self._blank(n)
                else:
                    self._point(c or 0xFFFD)
            p = q + 1

    def _widen(self, buf, p, end):
        self._width += columns(buf, p, end) if self._wide or buf is self._tiny else end - p

    # Tags.

    def _tag(self, text, opens=0):
        if self._mute:
            return
        if self._sink:
            self._sink(text, 0, len(text))
            return
        self._tags += len(text)
        self._entities += opens
        if self._entities > self._top_entities + _ENTITIES or self._tags > self._top_tags + _TAG_BYTES:
            raise Full
        if not self._over and (self._entities > _ENTITIES or self._tags > _TAG_BYTES):
            self._burst(0, 0, 0)

    def _style_on(self, style):
        st = self._st
        n = st[_STYLES]
        if n < 8:
            st[_KEPT + n] = style
            if self._first_of(n):
                self._tag(OPEN[style], 1)
        st[_STYLES] = n + 1

    def _style_off(self):
        st = self._st
        n = st[_STYLES] - 1
        if n >= 0:
            st[_STYLES] = n
            if n < 8 and self._first_of(n):
                self._tag(CLOSE[st[_KEPT + n]])

    def _first_of(self, n):
        """True if the n-th open style is not open already."""
        st = self._st
        i = 0
        while i < n:
            if st[_KEPT + i] == st[_KEPT + n]:
                return False
            i += 1
        return True

    def _styles_close(self):
        n = min(self._st[_STYLES], 8)
        while n:
            n -= 1
            if self._first_of(n):
                self._tag(CLOSE[self._st[_KEPT + n]])

    def _styles_open(self):
        i = 0
        while i < min(self._st[_STYLES], 8):
            if self._first_of(i):
                self._tag(OPEN[self._st[_KEPT + i]], 1)
            i += 1

    # Counting, and where to cut.

    def _grow(self, n):
        if self._units + n > self._max:
            self._burst(0, 0, n)
        self._units += n

    def _burst(self, p, end, n):
        """n more units do not fit; p to end is the run that they are, if it may be cut."""
        if self._fine:
            if end and not (self._solid or self._link or self._mute):
                room = self._max - self._units
                cut = p
                if self._exact:
                    while room > 0:
                        c = self._buf[cut]
                        room -= 2 if c > 0xEF else 1
                        cut += size(c)
                    if room < 0:
                        cut -= 4
                else:
                    cut += room
                self._note_run(p, min(cut + 1, end))
                cut = safe_cut(self._buf, cut, p)
                if cut > p:
                    self._here = cut
            raise Full
        if not self._over:
            self._over = True
            self._max = self._top_units + _LIMIT  # the block that goes over may fit the next piece
        if self._units + n > self._max:
            raise Full

    def _note(self, rank, p):
        """The piece could be cut at p."""
        if self._fine and not (self._link or self._mute) and p:
            self._place[rank] = p
            self._place_units[rank] = self._units

    def _note_run(self, p, end):
        """The last word and sentence that end inside a run."""
        if self._solid or self._link or self._mute:
            return
        buf = self._buf
        q = buf.rfind(b" ", p, end)
        if q > p:
            self._place[_WORD] = q + 1
            self._place_units[_WORD] = self._units + (units(buf, p, q) if self._exact else q - p)
        if self._code:
            q = buf.rfind(b"\n", p, end)
            rank = _LINE
            size = 1
        else:
            rank = _SENTENCE
            q = -1
            for mark in _SENTENCES:
                k = buf.rfind(mark, p, end)
                if k > q:
                    q = k
                    size = len(mark)
        if q > p and q + size <= end:  # pyright: ignore[reportPossiblyUnboundVariable]
            self._place[rank] = q + size  # pyright: ignore[reportPossiblyUnboundVariable]
            self._place_units[rank] = self._units + (units(buf, p, q) if self._exact else q - p)
