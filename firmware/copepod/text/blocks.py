"""Block structure: containers, paragraphs, headings, code, rules; one block at a time. Memory: one array of state.

A walk goes over the piece block by block, from `_pos` up to where the piece is to be cut, and may stop
inside a block; the state it leaves (`_st`) is where the next piece begins.
"""

from micropython import const

from .fences import Fences
from .marks import BOLD
from .output import Full

# The state of a walk, one array: small places cost fewer bytes of code, so what is used most has those from -16
# to 47. What a piece begins with lies together, from _DEPTH on. Containers are triples from _STACK on: kind or
# marker, width, number.
_DEPTH = const(36)
_QUOTES = const(40)
_QUOTE_OPEN = const(42)
_GAP = const(39)  # line feeds due before the next block
_PAD = const(43)  # blanks before a further line of this block
_KIND = const(37)  # what the piece begins inside of
_STYLES = const(41)  # how many are open; eight are kept
_FENCE = const(44)  # the fence's character, length, indentation
_FENCE_INDENT = const(45)
_LANGUAGE_LENGTH = const(46)
_STACK = const(56)
_DEEPEST = const(8)
_PARAGRAPH = const(1)
_CODE_BLOCK = const(2)
_TABLE = const(3)
_HEADING = const(4)
_QUOTE = const(62)
_BLOCK = const(0)
_BULLETS = (b"\xe2\x80\xa2 ", b"\xe2\x97\xa6 ", b"\xe2\x96\xaa ")
_RULE = b"\xe2\x80\x94\xe2\x80\x94\xe2\x80\x94"
_MARKERS = b"-+*0123456789"
_UNITS = const(8)
_ENTITIES_AT = const(34)
_TAGS_AT = const(29)
_TOP = const(-16)
_TOP_UNITS = const(-9)
_TOP_ENTITIES = const(-1)
_TOP_TAGS = const(-3)
_OVER_AT = const(22)
_SEEN = const(10)
_FITS = const(-10)
_HERE = const(11)
_TEXT = const(2)
_COLUMN = const(4)
_BASE = const(6)
_MATCHED = const(7)
_MARKER_END = const(85)
_NUMBER = const(-2)
_UNDER = const(84)
_POS = const(1)
_POS_NEXT = const(35)
_BEGUN = const(31)
_SEEN_ANY = const(-12)
_HEADING_AT = const(26)
_IN_CODE = const(-8)
_BARS = const(23)
_HELD = const(0)
_FINISHED = const(25)
_FINE = const(13)
_TASK = const(-5)


class Blocks(Fences):
    def _walk(self, stop, sink):
        """Go over the piece up to `stop`, counting or writing."""
        st = self._st
        buf = self._buf
        self._restart(sink)
        self._aim_live(0, st[_HELD])
        st[_POS] = st[_GAP] = 0
        st[_HEADING_AT] = st[_IN_CODE] = False
        st[_BEGUN] = st[_SEEN_ANY] = st[_KIND] > 0
        if not st[_KIND]:
            st[_QUOTE_OPEN] = 0
        elif st[_QUOTE_OPEN]:
            st[_QUOTE_OPEN] = 0
            self._quote(0)
        if st[_KIND] == _PARAGRAPH or st[_KIND] == _HEADING:
            self._styles_open()
        while st[_POS] < stop:
            kind = st[_KIND]
            if not kind:
                p = st[_POS]
                c = buf[p]
                if c == 10 and not st[_QUOTES]:
                    st[_GAP] = 2
                    st[_POS] = p + 1
                elif c < 65 or c in b"[_`~" or st[_DEPTH] or st[_BARS]:
                    self._structured(p, stop)
                else:  # text in no container: nothing but a paragraph
                    st[_BEGUN] = st[_BASE] = st[_COLUMN] = st[_MATCHED] = 0
                    st[_TEXT] = p
                    if not sink:
                        self._boundary(p)
                    st[_HEADING_AT] = st[_PAD] = st[_STACK] = 0
                    self._paragraph(p, stop)
            elif kind == _PARAGRAPH:
                self._paragraph(st[_POS], stop)
            elif kind == _CODE_BLOCK:
                self._code_lines(stop)
            elif kind == _TABLE:
                self._rows(stop)
            else:
                self._atx(st[_POS], self._find(b"\n", st[_POS]), stop)
        if st[_KIND] == _PARAGRAPH or st[_KIND] == _HEADING:
            self._styles_close()
        if st[_QUOTE_OPEN]:
            self._tag(b"</blockquote>")

    def _boundary(self, q):
        """A block begins here, in the line with q: the piece may end before it."""
        st = self._st
        self._need(self._find(b"\n", q))
        st[_HERE] = st[_POS]
        if not st[_SEEN] or st[_HEADING_AT] and st[_UNITS] < st[_TOP_UNITS] + 1000:
            return
        if st[_FINE]:
            self._note(_BLOCK, st[_POS])
        elif not st[_MATCHED]:
            if st[_OVER_AT]:
                st[_FITS] = True
                raise Full
            st[_TOP] = st[_POS]
            st[_TOP_UNITS] = st[_UNITS]
            st[_TOP_ENTITIES] = st[_ENTITIES_AT]
            st[_TOP_TAGS] = st[_TAGS_AT]

    def _need(self, end):
        """The block ends where the window does, and more may come: leave it to the next piece if there is another."""
        st = self._st
        if end >= st[_HELD] and not (st[_FINISHED] or self._sink or st[_FINE]) and st[_TOP]:
            st[_OVER_AT] = st[_FITS] = True
            raise Full

    def _structured(self, p, stop):
        """A block that may lie in containers or be more than a paragraph."""
        st = self._st
        buf = self._buf
        if st[_DEPTH] or buf[p] in b" \t":
            self._match(p)
        else:
            st[_TEXT] = p
            st[_COLUMN] = st[_BASE] = st[_MATCHED] = 0
        if buf[st[_TEXT]] == 10:
            self._pop(st[_MATCHED])
            st[_GAP] = 2
            st[_POS] = st[_TEXT] + 1
            return
        st[_BEGUN] = st[_TASK] = False
        if st[_MATCHED] < st[_DEPTH]:
            self._pop(st[_MATCHED])
        if not self._sink:
            self._boundary(st[_TEXT])
        st[_HEADING_AT] = False
        while True:
            q = st[_TEXT]
            c = buf[q]
            if st[_COLUMN] - st[_BASE] > 3 or st[_TASK]:
                break
            if st[_DEPTH] < _DEEPEST and c == _QUOTE:
                st[_BASE] = self._after_quote()
                self._push_container(_QUOTE, 0, 0)
                st[_QUOTES] += 1
                if st[_BEGUN] and st[_QUOTES] > 1:
                    self._put(b"&gt; ", 2)
            elif st[_DEPTH] < _DEEPEST and c in _MARKERS and self._item(q):
                pass
            else:
                break
        st[_MATCHED] = st[_DEPTH]
        e = st[_DEPTH] - st[_QUOTES]
        st[_PAD] = 4 * e - 2 if e else 0  # of further lines: by how deep it lies in lists
        if st[_TASK]:
            st[_STACK + 3 * st[_DEPTH]] = 0
            self._paragraph(q, stop)
            return
        if st[_COLUMN] - st[_BASE] > 3:
            if buf[q] != 10:
                st[_FENCE] = st[_LANGUAGE_LENGTH] = 0
                st[_FENCE_INDENT] = 4
                self._code_lines(stop)
                return
        st[_STACK + 3 * st[_DEPTH]] = 0
        e = self._find(b"\n", q)
        st[_POS_NEXT] = e + 1
        if c == 10:
            pass
        elif c == 35 and self._hashes(q):
            self._atx(self._prefix_blank(q + self._hashes(q)), e, stop)
            return
        elif (c == 96 or c == 126) and self._fence_length(q):
            self._fence_open(q, e)
            self._code_lines(stop)
            return
        elif c in b"-*_" and self._is_rule(q):
            self._begin()
            self._put(_RULE, 3)
        elif (c == 91 or c == 11) and self._definition(q, st[_HELD]):
            st[_POS_NEXT] = self._definition(q, st[_HELD]) + 1
            self._need(st[_POS_NEXT] - 1)
            self._mark(q, 11)
            st[_GAP] = max(st[_GAP], 1)
        elif st[_BARS] and self._table_columns(st[_POS], q):
            self._table(q, stop)
            return
        else:
            self._paragraph(q, stop)
            return
        st[_POS] = st[_POS_NEXT]

    def _item(self, q):
        """A list item at q: open it and write its marker. False if there is none."""
        st = self._st
        c = self._marker(q)
        if not c or c < 46 and self._is_rule(q):
            return False
        buf = self._buf
        e = st[_MARKER_END]
        column = st[_COLUMN] + e - q
        base = st[_BASE]
        self._skip_blanks(e, column)
        if buf[st[_TEXT]] == 10 or st[_COLUMN] - column > 4:
            width = column + 1 - base
        else:
            width = st[_COLUMN] - base
        k = _STACK + 3 * st[_DEPTH]
        number = 0
        if c == 46 or c == 41:
            number = st[k + 2] + 1 if st[k] == c else st[_NUMBER]
            if number > 65535:
                number = 65535
        self._push_container(c, width, number)
        st[_BASE] = base + width
        st[_PAD] = 4 * (st[_DEPTH] - st[_QUOTES] - 1)
        self._begin()
        if c == 46 or c == 41:
            if number == 65535:
                self._run(q, e)
            else:
                self._decimal(number)
                self._run(e - 1, e)
            self._blank(1)
        else:
            q = st[_TEXT]
            if (
                buf[q] == 91
                and buf[q + 2] == 93
                and buf[q + 1] in b" xX"
                and buf[q + 3] in b" \t"
                and buf[self._prefix_blank(q + 3)] != 10
            ):
                self._put(b"\xe2\x98\x90 " if buf[q + 1] == 32 else b"\xe2\x98\x91 ", 2)
                self._skip_blanks(q + 4, 0)
                st[_BASE] = 0
                st[_TASK] = True
            else:
                self._put(_BULLETS[min(st[_DEPTH] - st[_QUOTES], 3) - 1], 2)
        return True

    def _decimal(self, n):
        st = self._st
        tiny = self._tiny
        digits = 10000
        while digits > 1 and n < digits:
            digits //= 10
        while digits:
            tiny[0] = 48 + n // digits % 10
            digits //= 10
            if self._sink:
                self._sink(tiny, 0, 1)
            else:
                st[_SEEN] = True
                self._grow(1)

    def _atx(self, p, e, stop):
        """A heading's text from p to the line's end e, without its closing marks."""
        st = self._st
        buf = self._buf
        after = e + 1
        while e > p and buf[e - 1] in b" \t":
            e -= 1
        k = e
        while k > p and buf[k - 1] == 35:
            k -= 1
        if k == p or buf[k - 1] in b" \t":
            e = k
        self._resolve(p, e)
        if not st[_KIND]:
            self._begin()
            self._style_on(BOLD)
        if stop < e:
            self._text(p, stop)
            st[_KIND] = _HEADING
            st[_POS] = stop
            return
        self._text(p, e)
        self._style_off()
        st[_KIND] = 0
        st[_HEADING_AT] = True
        st[_POS] = after

    def _paragraph(self, p, stop):
        """A paragraph or heading whose text begins at p, or goes on there."""
        st = self._st
        going_on = st[_KIND] == _PARAGRAPH
        end = self._extent(p)
        under = st[_UNDER]
        if not self._sink:
            self._need(end)
        self._resolve(p, end)
        if not going_on:
            self._begin()
            if under:
                self._style_on(BOLD)
        if stop < end:
            self._text(p, stop)
            st[_KIND] = _PARAGRAPH
            st[_POS] = stop
            return
        self._text(p, end)
        while st[_STYLES]:
            self._style_off()
        st[_KIND] = 0
        st[_GAP] = 1
        st[_HEADING_AT] = under > 0
        st[_POS] = (under or end) + 1
