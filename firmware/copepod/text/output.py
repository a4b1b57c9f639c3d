"""What a formatter writes with: runs, tags and styles, either counted or sent. Memory: fixed, in the object.

The same walk over the Markdown is made with no sink (then it counts, and notes where the piece could end)
and with a sink. Everything visible goes through _run, _put and _blank, every tag through _tag.
"""

from array import array

from micropython import const

from .chars import columns_of, put_character, reference, safe_cut, size, units, visible
from .marks import EDGES, TAGS

_FAR = const(0xFFFF)
_COLUMNS = const(28)
_KEPT_LANGUAGE = const(62)
_LONGEST_LANGUAGE = const(24)
_LIMIT = const(4096)  # UTF-16 units of a message, after its entities are parsed
_ENTITIES = const(100)  # more are silently dropped
_TAG_BYTES = const(12000)  # with 4096 units of five bytes (&amp;) this stays under the 32768 a text may have

# Walk state, in an array of 16-bit numbers that can be saved and restored.
_QUOTES = const(40)
_QUOTE_OPEN = const(42)
_GAP = const(39)
_STYLES = const(41)  # how many are open, then which (eight are remembered)
_STYLE_KEPT = const(48)

# Ranks of a place to cut at.
_WORD = const(3)
_SENTENCE = const(2)
_LINE = const(1)
_BLOCK = const(0)

_SPACES = b"                                "
_DASHES = b"--------------------------------"
_SENTENCES = (b". ", b"! ", b"? ", b"\xe3\x80\x82", b"\xef\xbc\x81", b"\xef\xbc\x9f")

# Scalars of the walk, in the same array.
_UNITS = const(8)
_ENTITIES_AT = const(34)
_TAGS_AT = const(29)
_TOP = const(-16)
_TOP_UNITS = const(-9)
_TOP_ENTITIES = const(-1)
_TOP_TAGS = const(-3)
_MOST_UNITS = const(28)
_OVER_AT = const(22)
_SEEN = const(10)
_FITS = const(-10)
_HERE = const(11)
_LINK_AT = const(9)
_NEST = const(21)
_ALT = const(-7)
_WIDTH = const(14)
_LIVES = const(12)
_SCOPE = const(83)
_IN_CODE = const(-8)
_WIDE = const(-15)
_ODD = const(20)
_FINE = const(13)
_EXACT = const(19)
_MUTE = const(3)
_SOLID = const(32)
_MEASURING = const(18)


class Full(Exception):
    """Counting has gone as far as it has to."""
_PLACE = const(88)  # for each rank the best place to cut seen, and its units
_PLACE_UNITS = const(92)
_SIZE = const(112)


class Output:
    """The writing half of the formatter; `_st` is the state of the walk (see blocks.py for its layout)."""

    # What the classes on top of this one bring along; for the type check only.
    _st: "Any"
    _held: int
    _resolved: int
    _wide: bool
    _live: bytearray
    _runs: "Any"
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
        self._st = array("H", bytes(2 * _SIZE))
        self._needle = bytearray(1)
        # One character; the language of the code; of a table how many columns, then alignment << 6 | width of each;
        # the columns of the table, and the language of the code, that the piece begins with.
        self._tiny = bytearray(_KEPT_LANGUAGE + _LONGEST_LANGUAGE)
        self._sink = None

    def _restart(self, sink):
        st = self._st
        self._sink = sink
        st[_UNITS] = st[_ENTITIES_AT] = st[_TAGS_AT] = st[_TOP] = 0
        st[_TOP_UNITS] = st[_TOP_ENTITIES] = st[_TOP_TAGS] = 0
        st[_MOST_UNITS] = _LIMIT
        st[_OVER_AT] = st[_SEEN] = st[_FITS] = st[_MUTE] = st[_SOLID] = False
        st[_HERE] = st[_LINK_AT] = st[_NEST] = st[_ALT] = 0

    # Looking for the next of several bytes, at the speed of find().

    def _aim(self, at, chars, n, p, end):
        """Note in `at` where each of the first n of `chars`, four at least, comes next, before `end`."""
        needle = self._needle
        find = self._find
        needle[0] = chars[0]
        at[0] = find(needle, p, end) & _FAR
        needle[0] = chars[1]
        at[1] = find(needle, p, end) & _FAR
        needle[0] = chars[2]
        at[2] = find(needle, p, end) & _FAR
        needle[0] = chars[3]
        at[3] = find(needle, p, end) & _FAR
        k = 4
        while k < n:
            needle[0] = chars[k]
            at[k] = find(needle, p, end) & _FAR
            k += 1

    def _seek(self, at, chars, p, end, scope):
        """The nearest of `chars` from p on, or `end`. What is noted in `at` holds up to `scope`; p must not go back."""
        q = min(at)
        while q < p:
            k = 0
            while at[k] != q:
                k += 1
            self._needle[0] = chars[k]
            at[k] = self._find(self._needle, p, scope) & _FAR
            q = min(at)
        return q if q < end else end

    # Text.

    def _run(self, p, end):
        """Text that needs no escaping."""
        st = self._st
        if st[_MEASURING]:
            self._widen(self._buf, p, end)
            return
        if self._sink:
            self._sink(self._buf, p, end)
            return
        self._count_run(p, end)

    def _put(self, text, n=1):
        """Text that is not in the buffer, of n units (and columns)."""
        st = self._st
        if st[_MEASURING]:
            st[_WIDTH] += n
        elif self._sink:
            self._sink(text, 0, len(text))
        else:
            st[_SEEN] = True
            self._grow(n)

    def _blank(self, n, text=_SPACES):
        """n blanks (or dashes)."""
        st = self._st
        if st[_MEASURING]:
            st[_WIDTH] += n
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
            self._character(code)

    def _character(self, code):
        """One that needs no escaping."""
        st = self._st
        n = put_character(code, self._tiny)
        if st[_MEASURING]:
            self._widen(self._tiny, 0, n)
        elif self._sink:
            self._sink(self._tiny, 0, n)
        else:
            st[_SEEN] = st[_SEEN] or visible(self._tiny, 0, n)
            self._grow(2 if n == 4 else 1)

    def _reference(self, p, end):
        """The ampersand at p, and the reference that it may begin; return what follows."""
        if self._find(b";", p + 2, min(end, p + 12)) > 0:
            found = self._referred(p, end)
            if found:
                self._point(found >> 6)
                return p + (found & 63)
        self._put(b"&amp;")
        return p + 1

    def _referred(self, p, end):
        return reference(self._buf, p, end)

    def _raw(self, p, end, column=0):
        """Literal text: escaped, nothing else; tabs go to the next fourth column, the text being at `column`."""
        st = self._st
        if not (self._sink or st[_ODD]) or st[_MEASURING] and not st[_ODD]:
            if p < end:
                self._run(p, end)
            return
        start = p
        at = self._live_at
        most = st[_LIVES] if st[_ODD] else 4
        needle = self._needle
        scope = st[_SCOPE]
        while p < end:
            q = end
            for k in range(1, most):
                r = at[k]
                if r < p:
                    needle[0] = self._live[k]
                    r = at[k] = self._find(needle, p, scope) & _FAR
                if r < q and (k < 4 or self._live[k] < 10 and self._live[k] % 9 == 0):
                    q = r
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
        st = self._st
        st[_WIDTH] += columns_of(buf, p, end) if st[_WIDE] or buf is self._tiny else end - p

    # Tags.

    def _tag(self, text, opens=0):
        st = self._st
        if st[_MUTE]:
            return
        if self._sink:
            self._sink(text, 0, len(text))
        else:
            self._count_tag(len(text), opens)

    def _count_tag(self, length, opens):
        st = self._st
        st[_TAGS_AT] += length
        st[_ENTITIES_AT] += opens
        if st[_ENTITIES_AT] > st[_TOP_ENTITIES] + _ENTITIES or st[_TAGS_AT] > st[_TOP_TAGS] + _TAG_BYTES:
            raise Full
        if not st[_OVER_AT] and (st[_ENTITIES_AT] > _ENTITIES or st[_TAGS_AT] > _TAG_BYTES):
            self._burst(0, 0, 0)

    def _edge(self, k):
        """A tag of a style: twice the style, and one if it closes."""
        if self._st[_MUTE]:
            return
        p = EDGES[k]
        end = EDGES[k + 1]
        if self._sink:
            self._sink(TAGS, p, end)
        else:
            self._count_tag(end - p, 1 - (k & 1))

    def _style_on(self, style):
        st = self._st
        n = st[_STYLES]
        if n < 8:
            st[_STYLE_KEPT + n] = style
            if not n or self._first_of(n):
                if self._sink and not st[_MUTE]:
                    self._sink(TAGS, EDGES[style * 2], EDGES[style * 2 + 1])
                else:
                    self._edge(style * 2)
        st[_STYLES] = n + 1

    def _style_off(self):
        st = self._st
        n = st[_STYLES] - 1
        if n >= 0:
            st[_STYLES] = n
            if not n or n < 8 and self._first_of(n):
                n = st[_STYLE_KEPT + n] * 2 + 1
                if self._sink and not st[_MUTE]:
                    self._sink(TAGS, EDGES[n], EDGES[n + 1])
                else:
                    self._edge(n)

    def _first_of(self, n):
        """True if the n-th open style is not open already."""
        st = self._st
        i = 0
        while i < n:
            if st[_STYLE_KEPT + i] == st[_STYLE_KEPT + n]:
                return False
            i += 1
        return True

    def _styles_close(self):
        n = min(self._st[_STYLES], 8)
        while n:
            n -= 1
            if self._first_of(n):
                self._edge(self._st[_STYLE_KEPT + n] * 2 + 1)

    def _styles_open(self):
        i = 0
        while i < min(self._st[_STYLES], 8):
            if self._first_of(i):
                self._edge(self._st[_STYLE_KEPT + i] * 2)
            i += 1

    # Counting, and where to cut.

    def _count_run(self, p, end):
        st = self._st
        if not st[_SEEN]:
            st[_SEEN] = visible(self._buf, p, end)
        n = units(self._buf, p, end) if st[_EXACT] else end - p
        if st[_UNITS] + n > st[_MOST_UNITS]:
            self._burst(p, end, n)
        elif st[_FINE]:
            self._note_run(p, end)
        st[_UNITS] += n

    def _grow(self, n):
        st = self._st
        if st[_UNITS] + n > st[_MOST_UNITS]:
            self._burst(0, 0, n)
        st[_UNITS] += n

    def _burst(self, p, end, n):
        """n more units do not fit; p to end is the run that they are, if it may be cut."""
        st = self._st
        if st[_FINE]:
            if end and not (st[_SOLID] or st[_LINK_AT] or st[_MUTE]):
                room = st[_MOST_UNITS] - st[_UNITS]
                cut = p
                if st[_EXACT]:
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
                    st[_HERE] = cut
            raise Full
        if not st[_OVER_AT]:
            st[_OVER_AT] = True
            st[_MOST_UNITS] = st[_TOP_UNITS] + _LIMIT  # the block that goes over may fit the next piece
        if st[_UNITS] + n > st[_MOST_UNITS]:
            raise Full

    def _note(self, rank, p):
        """The piece could be cut at p."""
        st = self._st
        if st[_FINE] and not (st[_LINK_AT] or st[_MUTE]) and p:
            st[_PLACE + rank] = p
            st[_PLACE_UNITS + rank] = st[_UNITS]

    def _note_run(self, p, end):
        """The last word and sentence that end inside a run."""
        st = self._st
        if st[_SOLID] or st[_LINK_AT] or st[_MUTE]:
            return
        buf = self._buf
        q = buf.rfind(b" ", p, end)
        if q > p:
            st[_PLACE + _WORD] = q + 1
            st[_PLACE_UNITS + _WORD] = st[_UNITS] + (units(buf, p, q) if st[_EXACT] else q - p)
        if st[_IN_CODE]:
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
            st[_PLACE + rank] = q + size  # pyright: ignore[reportPossiblyUnboundVariable]
            st[_PLACE_UNITS + rank] = st[_UNITS] + (units(buf, p, q) if st[_EXACT] else q - p)
