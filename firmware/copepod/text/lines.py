"""Lines: which containers they lie in, what they begin, where a paragraph ends. Memory: none of its own."""

from micropython import const

from .inline import Inline

_DEPTH = const(36)
_QUOTES = const(40)
_QUOTE_OPEN = const(42)
_STACK = const(56)
_QUOTE = const(62)
_STARTS = b">#`~-+*_0123456789"
_TEXT = const(2)
_COLUMN = const(4)
_BASE = const(6)
_MATCHED = const(7)
_MARKER_END = const(85)
_NUMBER = const(-2)
_UNDER = const(84)
_BARS = const(23)
_HELD = const(0)


class Lines(Inline):
    """Looks at lines; what it finds is left in the state of the walk."""

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
        st[_TEXT] = p
        st[_COLUMN] = 0
        if self._buf[p] in b" \t":
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
            for mark in b"`\x16\x1e":  # or one that is marked
                self._needle[0] = mark
                if self._find(self._needle, p, e) > 0:
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
            if c == 10 or c < 46 and c in b"-*+" and buf[p + 1] == 32 and buf[p + 2] > 32 or self._ends(p):
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
