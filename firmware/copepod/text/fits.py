"""Whether a text fits a message, seen without walking over it. Memory: none of its own.

An upper bound of what the text becomes, from counts of single bytes (at the speed of count()) and, for a
longer text, from a look at how each line begins. Most answers fit, and then are walked over once, not twice.
"""

from micropython import const

from .chars import visible
from .intake import Intake

_LIMIT = const(4096)
_TINY = const(64)  # bytes that can't come to too many entities
_SHORT = const(184)  # the same without code
_INDENT = const(42)  # units before a line in 8 containers
_LONGER = const(4)  # by which the number of an item, or a bullet without text, may grow
_SURE_ENTITIES = const(92)  # some may go on from the piece before
_MOST = const(16)  # columns of a table, and how wide one is with what follows it
_COLUMN_UNITS = const(63)
# First bytes of characters that are fewer units than bytes: by one below 0xE0, else by two.
_LEADS = b"\xd0\xd1\xe4\xe5\xe6\xe7\xe8\xe9\xe3\xef\xf0\xe2\xd7\xd8\xd9\xe0\xea\xeb\xec\xc3"
_PREFIX = b" >-+*0123456789.)"  # what indents a line, and the marks of containers
_AFTER = b"_[|"  # what may begin a line that no paragraph's line can follow: a rule, a definition, a row
# Scalars of the walk, in the same array.
_DEPTH = const(36)
_KIND = const(37)
_FENCE = const(44)
_FENCE_LENGTH = const(47)
_BARS = const(23)
_HELD = const(0)
_ODD = const(20)
_WIDE = const(-15)


class Fits(Intake):
    """Says yes only when it is sure."""

    def _fits(self):
        """True if what is held fits a message and has something to show, whatever it means; no need to count then."""
        st = self._st
        buf = self._buf
        held = st[_HELD]
        if st[_ODD] or st[_KIND]:
            return False
        p = 0
        while True:
            while buf[p] in b"#*->_ +|":
                p += 1
            c = buf[p]
            if c == 96:  # of code or not, what follows is shown
                p += 1
                c = buf[p]
            if 48 <= c < 58 or 97 <= c | 32 <= 122 or c > 127 and visible(buf, p, p + 1):
                break
            p = self._find(b"\n\n", p, held) + 2
            if p < 2:
                return False
        if held <= _SHORT and not st[_BARS] and (held <= _TINY or self._span_at[1] > held):
            return True
        return self._surely(held)

    def _surely(self, n):
        """The same for a text of n bytes in which something is to be seen."""
        st = self._st
        buf = self._buf
        find = self._find
        held = st[_HELD]
        tables = 0
        p = 0
        while st[_BARS]:
            p = find(b"|", p, held)
            if p < 0:
                break
            p = buf.rfind(b"\n", 0, p) + 1
            k = p
            while buf[k] in b"|-: >":
                k += 1
            if buf[k] == 10:  # what makes a table: each row takes the width of all columns
                n += self._table_growth(p, k)
                tables += 1
            p = find(b"\n", k)
        if tables:
            st[_WIDE] = max(self._view[0:held]) > 127
        lines = buf.count(b"\n", 0, held) + 1
        entities = self._inline(0, held, 1) + tables
        growth = lines * (_INDENT + _LONGER)
        if n + growth > _LIMIT or entities + 2 * lines > _SURE_ENTITIES:
            if lines > 1:
                fine = entities > _SURE_ENTITIES >> 1
                growth = self._lines(tables if fine else entities, fine)
                if growth < 0:
                    return False
            elif entities + 2 > _SURE_ENTITIES:
                return False
            elif buf[0] > 64 and not st[_DEPTH]:
                growth = 0
            n += growth
            for c in _LEADS:
                if n <= _LIMIT:
                    break
                self._needle[0] = c
                n -= buf.count(self._needle, 0, held) << (c > 0xDF)
        return n <= _LIMIT

    def _table_growth(self, p, e):
        """Units that alignment may add to the table whose delimiter row lies from p to e."""
        held = self._st[_HELD]
        buf = self._buf
        end = self._find(b"\n\n", e, held)
        if end < 0:
            end = held
        start = buf.rfind(b"\n", 0, max(p - 1, 0)) + 1
        columns = buf.count(b"|", p, e) + 1
        rows = buf.count(b"\n", start, end) + 1
        return rows * min(columns, _MOST) * _COLUMN_UNITS

    def _inline(self, p, end, styles):
        """At most so many entities come of the inline text from p to end, with `styles` open already."""
        st = self._st
        buf = self._buf
        n = 0
        for k in range(3):
            if self._skips_at[k] < st[_HELD]:
                self._needle[0] = self._skips[k]
                n += buf.count(self._needle, p, end)
        if n > _SURE_ENTITIES >> 1 and n == buf.count(b"**", p, end) * 2 and not buf.count(b"***", p, end):
            n >>= 1  # nothing but strong
        n >>= 1
        kinds = 3 if self._skips_at[2] < st[_HELD] else 2
        if st[_BARS]:
            kinds = 5
            n += buf.count(b"||", p, end)
        if self._span_at[2] < st[_HELD]:
            kinds = 5
            n += buf.count(b"<", p, end)
        styles += n
        if self._span_at[3] < st[_HELD]:
            n += buf.count(b"[", p, end)
        # Code closes the styles that are open, of up to so many kinds, and opens them again.
        if self._span_at[1] < st[_HELD]:
            n += (buf.count(b"`", p, end) >> 1) * (1 + min(styles, kinds))
        return n

    def _lines(self, n, fine):
        """Units that indentation and marks may add; -1 if there may be too many entities, n being known.

        `fine`: count those of inline text too, block by block, as styles do not go beyond a block.
        """
        st = self._st
        buf = self._buf
        find = self._find
        held = st[_HELD]
        deep = _INDENT if st[_DEPTH] else 0
        growth = headings = block = p = 0
        fences = True  # it is known which fences open and which close
        after = True  # the line before can't go on in this one
        while p < held:
            k = p
            c = buf[p]
            e = find(b"\n", p)
            if c == 10:
                if fine:
                    n += self._inline(block, p, headings)
                    block = p
                deep = headings = 0
                after = True
            elif c > 64 and c != 96 and c != 126:
                growth += deep
                after = c in _AFTER
            else:
                while buf[k] in _PREFIX:
                    k += 1
                c = buf[k]
                if fine and c > 64 and buf[k - 1] == 32 and k > p + 1 and 41 < buf[p] < 46 and buf[p + 1] == 32:
                    n += self._inline(block, p, headings)  # an item of a list is a block
                    block = k
                    headings = 0
                if c in b"#=\n" or (c == 96 or c == 126) and buf[k + 1] == c:
                    begins = True
                else:
                    blanks = buf.count(b" ", p, k)
                    begins = buf.count(b"    ", p, k) if blanks < k - p else blanks > 3 and after
                if begins:
                    n += 1
                    headings = 1
                    after = True
                    if c == 126 or c == 96 and k > p and buf[k + 1] == 96:
                        fences = False
                    elif c == 96 and fences and self._fence_length(p):
                        if fine:
                            n += self._inline(block, p, headings)
                        headings = 0
                        st[_FENCE] = 96  # for _closing(); the walk sets them anew
                        st[_FENCE_LENGTH] = self._fence_length(p)
                        e = self._closing(e + 1)
                        if e >= held:
                            block = held
                            break
                        e = block = find(b"\n", e)
                else:
                    after = c in _AFTER
                if k > p:
                    n += buf.count(b">", p, k) > 0
                    deep = max(deep, min(2 * (k - p) + 2, _INDENT))
                    growth += _LONGER
                growth += deep
            if n > _SURE_ENTITIES or growth > _LIMIT:
                return -1
            p = e + 1
        if fine:
            n += self._inline(block, held, headings)
        return growth if n <= _SURE_ENTITIES else -1
