"""Links: destinations, titles, labels, definitions, and what may be a link in Telegram. Memory: none of its own."""

from micropython import const

from .chars import point, punctuation, size, small
from .marks import ORIGINAL
from .output import Output

_QUOTES = const(40)

_BACKSLASH = const(1)
_CODE = const(22)
_DEFINITION = const(11)
_LINK = const(23)
_IMAGE = const(24)
_END_INLINE = const(25)
_END_LABEL = const(26)
_AUTOLINK = const(28)

_SHARP_S = const(0xDF)  # in labels the same as ss
_LONGEST = const(2000)  # bytes of a destination; a longer one is text
_MOST_EFFORT = const(30000)  # bytes of labels, or so, that are compared for the references of a window
_HREF = b'&<>"\\'
_STRIDE = const(64)  # bytes of a destination that are looked through at once
_SCHEMES = (b"http://", b"https://", b"tg://", b"ton://", b"tonsite://")

# Scalars of the walk, in the same array.
_TAGS_AT = const(29)
_FROM_ = const(17)
_TO_ = const(15)
_HELD = const(0)
_ODD = const(20)
_EFFORT = const(81)
_CHAIN = const(82)


class Links(Output):
    """Finds the parts of a link; where it lies is left in _from and _to."""

    def _prefix(self, p):
        """Where the text of a paragraph's line begins: after blanks and the marks of open quotes."""
        buf = self._buf
        n = self._st[_QUOTES]
        while True:
            c = buf[p]
            if c == 62 and n:
                n -= 1
            elif c != 32 and c != 9:
                return p
            p += 1

    def _gap(self, p):
        """Skip blanks and at most one line end."""
        q = self._prefix_blank(p)
        if self._buf[q] == 10:
            q = self._prefix(q + 1)
        return q

    def _prefix_blank(self, p):
        buf = self._buf
        while buf[p] == 32 or buf[p] == 9:
            p += 1
        return p

    def _destination(self, p, end):
        """A link destination at p: its end, or 0."""
        st = self._st
        buf = self._buf
        end = min(end, p + _LONGEST)
        if buf[p] == 60:
            st[_FROM_] = p = p + 1
            while p < end and buf[p] != 10 and buf[p] != 60:
                if buf[p] == 62:
                    st[_TO_] = p
                    return p + 1
                p += 2 if buf[p] == 92 else 1
            return 0
        st[_FROM_] = p
        depth = 0
        q = self._plain_end(p, end)
        if q:
            st[_TO_] = q
            return q
        while p < end:
            c = buf[p]
            if c <= 32:
                break
            if c == 92 and punctuation(buf[p + 1]):
                p += 1
            elif c == 40:
                depth += 1
            elif c == 41:
                if not depth:
                    break
                depth -= 1
            p += 1
        st[_TO_] = p
        return 0 if depth or p >= end and end - st[_FROM_] == _LONGEST else p

    def _plain_end(self, p, end):
        """Where a destination ends that a parenthesis closes and that has no other, no blank and no escape; else 0."""
        st = self._st
        find = self._find
        q = find(b")", p, end)
        if q > p and find(b" ", p, q) < 0 and find(b"\n", p, q) < 0 and find(b"(", p, q) < 0:
            if find(b"\\", p, q) < 0 and not (st[_ODD] and find(b"\t", p, q) > 0):
                return q
        return 0

    def _title(self, p, end):
        """A title at p: where it ends, or 0."""
        buf = self._buf
        close = buf[p]
        if close not in b"\"'(":
            return 0
        if close == 40:
            close = 41
        end = min(end, p + _LONGEST)
        p += 1
        while p < end:
            c = buf[p]
            if c == close:
                return p + 1
            if c == 92:
                p += 1
            elif c == 10 and buf[self._prefix(p + 1)] == 10 or c == 40 and close == 41:
                return 0
            p += 1
        return 0

    def _inline_end(self, p, end):
        """The end of `(destination "title")` whose parenthesis is at p, or 0."""
        st = self._st
        buf = self._buf
        q = self._gap(p + 1)
        if q < end and buf[q] == 41:
            st[_FROM_] = st[_TO_] = q
            return q + 1
        p = self._destination(q, end)
        if not p:
            return 0
        q = self._gap(p)
        if q > p and q < end and buf[q] != 41:
            q = self._title(q, end)
            if not q:
                return 0
            q = self._gap(q)
        return q + 1 if q < end and buf[q] == 41 else 0

    def _label_end(self, p, end):
        """The bracket that closes the label whose text begins at p, or 0."""
        buf = self._buf
        end = min(end, p + 999)
        filled = False
        while p < end:
            c = buf[p]
            if c == 93:
                return p if filled else 0
            if c == 91 or c == _LINK or c == _DEFINITION or c == 10 and buf[self._prefix(p + 1)] == 10:
                return 0
            if c == 92 or c == _BACKSLASH:
                p += 1
            if c > 32:
                filled = True
            p += 1
        return 0

    def _definition(self, p, end):
        """The end of the line of a link definition that begins at p, or 0."""
        st = self._st
        buf = self._buf
        q = self._label_end(p + 1, end)
        if not q or buf[q + 1] != 58 or buf[p + 1] == 94:
            return 0
        p = self._gap(q + 2)
        q = self._destination(p, end)
        if not q or q == p:
            return 0
        start = st[_FROM_]
        stop = st[_TO_]
        after = self._prefix_blank(q)
        good = after if buf[after] == 10 else 0
        title = self._gap(q)
        if title > q:
            title = self._title(title, end)
            if title:
                title = self._prefix_blank(title)
                if buf[title] == 10:
                    good = title
        st[_FROM_] = start
        st[_TO_] = stop
        return good

    def _skip(self, p, end):
        buf = self._buf
        while p < end and buf[p] in b" \t\n":
            p += 1
        return p

    def _same_label(self, p, end, q, stop):
        """Labels are the same but for letter case and the amount of blanks."""
        buf = self._buf
        p = self._skip(p, end)
        q = self._skip(q, stop)
        st = self._st
        if st[_EFFORT] < _MOST_EFFORT:
            st[_EFFORT] += 4
        while p < end and q < stop:
            if st[_EFFORT] < _MOST_EFFORT:
                st[_EFFORT] += 1
            a = buf[p]
            b = buf[q]
            if a in b" \t\n" or b in b" \t\n":
                if a > 32 or b > 32:
                    break
                p = self._skip(p, end)
                q = self._skip(q, stop)
                continue
            if a < 32:
                a = buf[p + 1] if 1 < a < 4 else ORIGINAL[a]
            if a != b:
                a = small(a if a < 128 else point(buf, p))
                b = small(point(buf, q))
                if a == _SHARP_S and b == 115 == buf[q + 1] | 32:
                    q += 1
                elif b == _SHARP_S and a == 115 == buf[p + 1] | 32:
                    p += 1
                elif a != b:
                    return False
            p += size(buf[p])
            q += size(buf[q])
        return self._skip(p, end) >= end and self._skip(q, stop) >= stop

    def _defined(self, p, end, again=False):
        """Find the definition of the label from p to end: one met before, or one that follows in the window.

        `again`: it was found before. Looking for the first time ends when it has cost too much.
        """
        st = self._st
        buf = self._buf
        held = st[_HELD]
        at = self._find(b"\x0b", 0, held)
        while at >= 0 and (again or st[_EFFORT] < _MOST_EFFORT):
            if self._same_label(p, end, at + 1, self._label_end(at + 1, held)):
                self._definition(at, held)
                return True
            at = self._find(b"\x0b", at + 1, held)
        at = end
        while again or st[_EFFORT] < _MOST_EFFORT:
            at = self._find(b"]:", at, held)
            if at < 0:
                break
            q = buf.rfind(b"[", max(end, at - 1000), at)
            while q > 0 and buf[q - 1] == 92:
                q = buf.rfind(b"[", end, q)
            if (
                q >= 0
                and self._same_label(p, end, q + 1, at)
                and self._label_end(q + 1, held) == at
                and self._starts_line(q)
                and self._definition(q, held)
            ):
                return True
            at += 2
        return False

    def _starts_line(self, q):
        """True if q is where a line's text begins, and the line before it is not in the middle of a paragraph."""
        st = self._st
        buf = self._buf
        line = first = buf.rfind(b"\n", 0, q) + 1
        if self._any_prefix(line) != q:
            return False
        k = q - 1
        while k >= line and buf[k] in b" \t>":
            k -= 1
        if k >= line and (buf[k] in b"-+*" or buf[k - 1] == 49):
            return True  # it begins an item
        chain = st[_CHAIN]  # a line that was asked for before; those above it that begin with [ are known with it
        if line <= chain and buf.count(b"\n", line, chain) == buf.count(b"\n[", line, chain + 1):
            return True
        while line > 1 and line != chain:
            before = buf.rfind(b"\n", 0, line - 1) + 1
            q = self._any_prefix(before)
            if q >= line - 1:
                break
            if buf[q] == _DEFINITION:
                break
            if st[_EFFORT] < _MOST_EFFORT:
                st[_EFFORT] += 8
            c = buf[q]
            if c != 91 or not self._definition(q, line):
                while c in b"`~" and buf[q] == c:  # a fence with a language opens: what follows is code
                    q += 1
                return c in b"#=-*" or c in b"`~" and self._prefix_blank(q) >= line - 1
            line = before  # a definition, if it is in no paragraph
        st[_CHAIN] = first
        return True

    def _any_prefix(self, p):
        """After what may stand before a block's text in its first line: blanks, marks of quotes and list items."""
        buf = self._buf
        while True:
            c = buf[p]
            if c in b" \t>" or c in b"-+*" and buf[p + 1] in b" \t":
                p += 1
            elif 48 <= c < 58:
                q = p
                while 48 <= buf[q] < 58:
                    q += 1
                if buf[q] not in b".)" or buf[q + 1] not in b" \t":
                    return p
                p = q + 1
            else:
                return p

    def _tail(self, q, end):
        """Where the link whose closing bracket is marked at q ends; for ( ) the destination is noted too."""
        c = self._buf[q]
        if c == _END_INLINE:
            return self._inline_end(q + 1, end)
        if c == _END_LABEL:
            return (self._label_end(q + 2, end) or q + 2) + 1
        return q + 1

    def _target(self, p, end):
        """Find the destination of the link or image marked at p; True if Telegram keeps such a link."""
        buf = self._buf
        q = p
        depth = 0
        while True:
            c = buf[q]
            if _CODE < c < _AUTOLINK:
                depth += 1 if c < _END_INLINE else -1
                if not depth:
                    break
            q += 1
            if q >= end:
                return False
        if c == _END_INLINE:
            self._tail(q, end)
        else:
            start = p + 1 if buf[p] == _LINK else p + 2
            stop = q
            if c == _END_LABEL and self._label_end(q + 2, end):
                start = q + 2
                stop = self._label_end(start, end)
            if not self._defined(start, stop, True):
                return False
        return self._acceptable()

    def _acceptable(self):
        """True if the server keeps a link to what lies from _from to _to."""
        st = self._st
        buf = self._buf
        p = st[_FROM_]
        end = st[_TO_]
        for scheme in _SCHEMES:
            n = len(scheme)
            if n < end - p:
                k = 0
                while k < n and buf[p + k] | 32 == scheme[k] | 32:
                    k += 1
                if k == n:
                    break
        else:
            return False
        p += n
        if scheme[0] == 116:
            return True
        start = p
        dot = 0
        while p < end:
            c = buf[p]
            if c == 47 or c == 63 or c == 35:
                break
            if c == 46 and p > start:
                dot = p
            elif c == 64:
                dot = 0
                start = p + 1
            elif c <= 32 or c in b'"<>\\^`{|}%&':
                return False
            p += 1
        return buf[start] == 91 or dot > 0 and dot < p - 1

    def _href(self, literal=False):
        """Write the destination as an attribute's value, in a tag that opens a link."""
        st = self._st
        self._tag(b'<a href="', 1)
        p = st[_FROM_]
        end = st[_TO_]
        sink = self._sink
        while p < end:
            stop = q = min(end, p + _STRIDE)
            for c in _HREF:
                self._needle[0] = c
                k = self._find(self._needle, p, q)
                if k >= 0:
                    q = k
            if not sink:
                st[_TAGS_AT] += q - p + 6
            elif q > p:
                sink(self._buf, p, q)
            p = q + 1
            if q == stop:
                p = q
            else:
                c = self._buf[q]
                if literal:
                    pass
                elif c == 92 and q + 1 < end and punctuation(self._buf[q + 1]):
                    c = self._buf[p]
                    p += 1
                elif c == 38:
                    found = self._referred(q, end)
                    if found:
                        c = found >> 6
                        p = q + (found & 63)
                if not sink:
                    pass
                elif c == 34:
                    sink(b"&quot;", 0, 6)
                else:
                    self._point(c)
        self._tag(b'">')
