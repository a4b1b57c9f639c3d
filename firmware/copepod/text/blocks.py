"""Block structure: containers, paragraphs, headings, code, rules; one block at a time. Memory: one array of state.

A walk goes over the piece block by block, from `_pos` up to where the piece is to be cut, and may stop
inside a block; the state it leaves (`_st`) is where the next piece begins.
"""

from micropython import const

from .inline import Inline
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
_MIDDLE = const(38)  # it begins in the middle of a line (of code)
_STYLES = const(41)  # and eight kept after it
_FENCE = const(44)  # the fence's character, length, indentation
_FENCE_LENGTH = const(47)
_FENCE_INDENT = const(45)
_LANGUAGE_LENGTH = const(46)
_STACK = const(56)
_DEEPEST = const(8)

_LANGUAGE = const(4)
_LONGEST_LANGUAGE = const(24)
_PARAGRAPH = const(1)
_CODE_BLOCK = const(2)
_TABLE = const(3)
_HEADING = const(4)

_QUOTE = const(62)
_LONG_QUOTE = const(700)  # bytes from which a quote is expandable
_LINE = const(1)
_BLOCK = const(0)

_BULLETS = (b"\xe2\x80\xa2 ", b"\xe2\x97\xa6 ", b"\xe2\x96\xaa ")
_RULE = b"\xe2\x80\x94\xe2\x80\x94\xe2\x80\x94"
_STARTS = b">#`~-+*_0123456789"

# Scalars of the walk, in the same array.
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
_ODD = const(20)
_FINE = const(13)
_TASK = const(-5)


class Blocks(Inline):
    # Lines and containers.

    def _skip_blanks(self, p, column):
        """Note in _q and _column the first place from p on that is not blank."""
        st = self._st
        buf = self._buf
        while True:
            c = buf[p]
            if c == 32:
                column += 1
            elif c == 9:
                column += 4 - (column & 3)
            else:
                break
            p += 1
        st[_TEXT] = p
        st[_COLUMN] = column

    def _match(self, p):
        """Take the line at p through the open containers; note how many matched and where its text begins."""
        st = self._st
        base = m = 0
        if self._buf[p] > 32:
            st[_TEXT] = p
            st[_COLUMN] = 0
        else:
            self._skip_blanks(p, 0)
        k = _STACK
        while m < st[_DEPTH]:
            if st[k] == _QUOTE:
                if self._buf[st[_TEXT]] != _QUOTE or st[_COLUMN] - base > 3:
                    break
                base = self._after_quote()
            elif self._buf[st[_TEXT]] != 10:
                if st[_COLUMN] - base < st[k + 1]:
                    break
                base += st[k + 1]
            m += 1
            k += 3
        st[_BASE] = base
        st[_MATCHED] = m

    def _after_quote(self):
        """Step over the mark of a quote; return the column where its content begins."""
        st = self._st
        q = st[_TEXT] + 1
        base = st[_COLUMN] + 1
        self._skip_blanks(q, base)
        return base + 1 if self._buf[q] in b" \t" else base

    def _pop(self, m):
        """Close containers until m are left."""
        st = self._st
        while st[_DEPTH] > m:
            st[_DEPTH] -= 1
            if st[_STACK + 3 * st[_DEPTH]] == _QUOTE:
                st[_QUOTES] -= 1
                if not st[_QUOTES] and st[_QUOTE_OPEN]:
                    st[_QUOTE_OPEN] = 0
                    self._tag(b"</blockquote>")

    def _push_container(self, what, width, number):
        st = self._st
        k = _STACK + 3 * st[_DEPTH]
        st[k] = what
        st[k + 1] = width
        st[k + 2] = number
        st[k + 3] = 0  # a list that was open below is over
        st[_DEPTH] += 1

    def _marker(self, q):
        """A list marker at q: its character, or 0; its end goes to _marker_end, its number to _number."""
        st = self._st
        buf = self._buf
        c = buf[q]
        e = q + 1
        if c not in b"-+*":
            n = 0
            while 48 <= buf[e - 1] < 58 and e - q < 11:
                n = n * 10 + buf[e - 1] - 48
                e += 1
            c = buf[e - 1]
            if e - q == 1 or e - q > 10 or c not in b".)":
                return 0
            st[_NUMBER] = min(n, 65535)
        if buf[e] not in b" \t\n":
            return 0
        st[_MARKER_END] = e
        return c

    def _is_rule(self, q):
        """True if the line whose text begins at q is a thematic break."""
        buf = self._buf
        c = buf[q]
        d = buf[q + 1]
        if c not in b"-*_" or d != c and (d > 32 or buf[q + 2] != c and buf[q + 2] > 32):
            return False
        e = self._find(b"\n", q)
        self._needle[0] = c
        n = buf.count(self._needle, q, e)
        return n > 2 and n + buf.count(b" ", q, e) + buf.count(b"\t", q, e) == e - q

    def _hashes(self, q):
        """The length of the run of # that opens a heading at q, or 0."""
        buf = self._buf
        p = q
        while buf[p] == 35:
            p += 1
        return p - q if p - q < 7 and buf[p] in b" \t\n" else 0

    def _fence_length(self, q):
        """The length of the run that opens a fenced block at q, or 0."""
        buf = self._buf
        c = buf[q]
        p = q
        while buf[p] == c:
            p += 1
        if p - q < 3:
            return 0
        if c == 96:
            e = self._find(b"\n", p)
            if self._find(b"`", p, e) > 0 or self._find(b"\x16", p, e) > 0:  # or one that is marked
                return 0
        return p - q

    def _interrupts(self, q, listed):
        """True if the line whose text begins at q ends the paragraph before it (`listed`: in the same item)."""
        st = self._st
        c = self._buf[q]
        if c not in _STARTS:
            return False
        if c == _QUOTE or self._is_rule(q):
            return True
        if c == 35:
            return self._hashes(q) > 0
        if c == 96 or c == 126:
            return self._fence_length(q) > 0
        if c == 95 or not self._marker(q):
            return False
        if not listed:
            return True
        self._skip_blanks(st[_MARKER_END], 0)
        return self._buf[st[_TEXT]] != 10 and (c < 48 or st[_NUMBER] == 1)

    def _extent(self, p):
        """Where the paragraph that p is in ends; _under is the end of the line that makes it a heading, or 0."""
        st = self._st
        buf = self._buf
        st[_UNDER] = 0
        while True:
            e = self._find(b"\n", p)
            if e >= st[_HELD]:
                return e
            p = e + 1
            c = buf[p]
            if c > 64 and not (st[_DEPTH] or st[_BARS]) and c != 95 and c != 96 and c != 126:
                continue  # begins with a letter, in no container
            if self._ends(p):
                return e

    def _ends(self, p):
        """True if the paragraph ends before the line at p."""
        st = self._st
        buf = self._buf
        self._match(p)
        q = st[_TEXT]
        c = buf[q]
        if c == 10:
            return True
        if st[_COLUMN] - st[_BASE] > 3:
            return False
        inside = st[_MATCHED] == st[_DEPTH]
        if inside and (c == 61 or c == 45):
            k = q
            while buf[k] == c:
                k += 1
            while buf[k] in b" \t":
                k += 1
            if buf[k] == 10:
                st[_UNDER] = k
                return True
        return self._interrupts(q, inside) or st[_BARS] and self._table_columns(p, q)

    # Writing.

    def _walk(self, stop, sink):
        """Go over the piece up to `stop`, counting or writing."""
        st = self._st
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
            if kind == _PARAGRAPH:
                self._paragraph(st[_POS], stop)
            elif kind == _CODE_BLOCK:
                self._code_lines(stop)
            elif kind == _TABLE:
                self._rows(stop)
            elif kind == _HEADING:
                self._atx(st[_POS], self._find(b"\n", st[_POS]), stop)
            else:
                self._block(stop)
        if st[_KIND] == _PARAGRAPH or st[_KIND] == _HEADING:
            self._styles_close()
        if st[_QUOTE_OPEN]:
            self._tag(b"</blockquote>")

    def _quote(self, p):
        """Open the quote if the block is in one; it is expandable if it goes on for long from p."""
        st = self._st
        if st[_QUOTES] and not st[_QUOTE_OPEN]:
            st[_QUOTE_OPEN] = 1
            q = p
            while q < st[_HELD] and q - p < _LONG_QUOTE:
                if q > p and self._buf[self._prefix_blank(q)] != _QUOTE:
                    break
                q = self._find(b"\n", q) + 1
            self._tag(b"<blockquote expandable>" if q - p >= _LONG_QUOTE else b"<blockquote>", 1)

    def _begin(self):
        """Begin a block's first line, unless a list marker already has."""
        st = self._st
        if not st[_BEGUN]:
            st[_BEGUN] = True
            if st[_GAP] and st[_SEEN_ANY]:
                self._break(st[_GAP])
            st[_GAP] = 1
            if st[_DEPTH]:
                self._quote(st[_POS])
                n = st[_QUOTES] - 1
                while n > 0:
                    self._put(b"&gt; ", 2)
                    n -= 1
                if st[_SEEN_ANY]:
                    self._blank(st[_PAD])
            st[_SEEN_ANY] = True
        elif st[_DEPTH]:
            self._quote(st[_POS])

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

    def _block(self, stop):
        st = self._st
        buf = self._buf
        p = st[_POS]
        c = buf[p]
        if c > 64 and not st[_DEPTH] and c != 95 and c != 96 and c != 126 and c != 91 and not st[_BARS]:
            # Text in no container: nothing but a paragraph.
            st[_BEGUN] = st[_BASE] = st[_COLUMN] = st[_MATCHED] = 0
            st[_TEXT] = p
            if not self._sink:
                self._boundary(p)
            st[_HEADING_AT] = st[_PAD] = st[_STACK] = 0
            self._paragraph(p, stop)
        else:
            self._structured(p, stop)

    def _structured(self, p, stop):
        """A block that may lie in containers or be more than a paragraph."""
        st = self._st
        buf = self._buf
        self._match(p)
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
            elif st[_DEPTH] < _DEEPEST and c in _STARTS and c != 35 and self._item(q):
                pass
            else:
                break
        st[_MATCHED] = st[_DEPTH]
        self._pad_for(0)
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
        elif self._is_rule(q):
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

    def _pad_for(self, less):
        """Indentation of the block's further lines: by how deep it lies in lists."""
        st = self._st
        n = st[_DEPTH] - st[_QUOTES]
        st[_PAD] = 4 * n - 2 - less if n else 0

    def _item(self, q):
        """A list item at q: open it and write its marker. False if there is none."""
        st = self._st
        if self._is_rule(q):
            return False
        c = self._marker(q)
        if not c:
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
        self._pad_for(2)
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
            if buf[q] == 91 and buf[q + 2] == 93 and buf[q + 3] in b" \t" and buf[q + 1] in b" xX":
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

    def _fence_open(self, q, e):
        """Note what the fence at q needs to be closed, and its language."""
        st = self._st
        buf = self._buf
        n = self._fence_length(q)
        st[_FENCE] = buf[q]
        st[_FENCE_LENGTH] = n
        st[_FENCE_INDENT] = st[_COLUMN] - st[_BASE]
        p = self._prefix_blank(q + n)
        n = 0
        while p < e and buf[p] > 32 and buf[p] not in b'"<>&' and n < _LONGEST_LANGUAGE:
            self._tiny[_LANGUAGE + n] = buf[p]
            n += 1
            p += 1
        while n and p < e and buf[p] & 0xC0 == 0x80:  # not half a character
            p -= 1
            n -= 1
        st[_LANGUAGE_LENGTH] = n

    def _pre(self, opens):
        n = self._st[_LANGUAGE_LENGTH]
        if not opens:
            self._tag(b"</code></pre>" if n else b"</pre>")
        elif n:
            self._tag(b'<pre><code class="language-', 1)
            if self._sink:
                self._sink(self._tiny, _LANGUAGE, _LANGUAGE + n)
            self._tag(b'">')
        else:
            self._tag(b"<pre>", 1)

    def _code_lines(self, stop):
        """Lines of code, from the first one or from where the last piece ended."""
        st = self._st
        buf = self._buf
        fence = st[_FENCE]
        st[_PAD] = 0
        p = st[_POS]
        indented = not (fence or st[_KIND])  # the first line of indented code is matched already
        if fence and not st[_KIND]:
            p = st[_POS_NEXT]
        st[_HERE] = st[_POS]
        st[_KIND] = _CODE_BLOCK
        st[_IN_CODE] = True
        opened = False
        blanks = 0
        if fence and not (st[_DEPTH] or st[_FENCE_INDENT] or st[_ODD]):
            e = self._closing(p)
            q = min(e - 1, stop) if e > p else p
            if q > p:
                self._begin()
                self._pre(True)
                opened = True
                st[_MIDDLE] = stop < e and buf[stop - 1] != 10
                self._raw(p, q - 1 if q == stop and buf[q - 1] == 10 else q)
            if stop < e:
                p = stop
            else:
                p = self._find(b"\n", e) + 1
                st[_KIND] = 0
        while p < stop and st[_KIND]:
            start = p
            extra = 0
            if not st[_MIDDLE]:
                if not indented:
                    self._match(p)
                indented = False
                start = st[_TEXT]
                indent = st[_COLUMN] - st[_BASE]
                if st[_MATCHED] < st[_DEPTH]:
                    st[_KIND] = 0
                    break
                if fence:
                    if buf[start] == fence and indent < 4 and self._closes(start):
                        st[_KIND] = 0
                        p = self._find(b"\n", start) + 1
                        break
                elif buf[start] == 10:
                    blanks += 1
                    p = start + 1
                    continue
                elif indent < 4:
                    st[_KIND] = 0
                    break
                extra = max(indent - st[_FENCE_INDENT], 0)
            st[_MIDDLE] = 0
            self._note(_LINE, p)
            st[_HERE] = p
            if opened:
                while blanks:
                    self._break()
                    blanks -= 1
                self._break()
            else:
                self._begin()
                self._pre(True)
                opened = True
                blanks = 0
            self._blank(extra)
            e = self._find(b"\n", start)
            if e > stop:
                e = stop
                st[_MIDDLE] = 1
            self._raw(start, e, extra)
            p = e if st[_MIDDLE] else e + 1
        st[_IN_CODE] = False
        if opened:
            self._pre(False)
        st[_GAP] = max(st[_GAP], 1 + (blanks > 0))
        st[_POS] = p

    def _closes(self, q):
        """True if a run at q closes the fence that is open."""
        buf = self._buf
        p = q
        while buf[p] == self._st[_FENCE]:
            p += 1
        return p - q >= self._st[_FENCE_LENGTH] and buf[self._prefix_blank(p)] == 10

    def _closing(self, p):
        """The start of the line that closes the fence (one that lies in no container), or where the text ends."""
        st = self._st
        fence = b"```" if st[_FENCE] == 96 else b"~~~"
        q = p
        while True:
            q = self._find(fence, q, st[_HELD])
            if q < 0:
                return st[_HELD] + 1
            line = self._buf.rfind(b"\n", 0, q) + 1
            if line >= p and (line or not st[_MIDDLE]) and q - line < 4:
                if self._prefix_blank(line) == q and self._closes(q):
                    return line
            while self._buf[q] == st[_FENCE]:
                q += 1
