"""Writes resolved inline text: styles, code, links, references, line ends. Memory: none of its own."""

from micropython import const

from .emphasis import Emphasis
from .marks import STYLE

_DEPTH = const(36)
_QUOTES = const(40)
_PAD = const(43)
_STYLES = const(41)

_LINE = const(1)
_FAR = const(0xFFFF)

_BACKSLASH = const(1)
_HTML = const(20)
_TAG = const(21)
_CODE = const(22)
_LINK = const(23)
_IMAGE = const(24)
_AUTOLINK = const(28)
_MATH = const(29)

# Scalars of the walk, in the same array.
_MEASURING = const(18)
_HERE = const(11)
_LINK_AT = const(9)
_NEST = const(21)
_ALT = const(-7)
_FROM_ = const(17)
_TO_ = const(15)
_LIVES = const(12)
_SCOPE = const(83)
_MUTE = const(3)
_FINE = const(13)
_SOLID = const(32)


class Inline(Emphasis):
    """From marked text to HTML."""

    def _text(self, p, end):
        """Write the text from p to end, which is resolved."""
        st = self._st
        buf = self._buf
        at = self._live_at
        live = self._live
        lives = st[_LIVES]
        needle = self._needle
        find = self._find
        scope = st[_SCOPE]
        sink = None if st[_MEASURING] else self._sink
        plain = not (st[_DEPTH] or st[_FINE])  # between two lines stands nothing but a line feed
        k = p
        q = min(at)
        while p < end:
            if k < p:
                k = p
            while q < k:  # as _seek does; the last one's place is known
                needle[0] = buf[q]
                i = live.find(needle, 0, lives)
                if at[i] != q:  # overwritten since, or looked up by _raw
                    q = min(at)
                    if q >= k:
                        break
                    i = 0
                    while at[i] != q:
                        i += 1
                    needle[0] = live[i]
                at[i] = find(needle, k, scope) & _FAR
                q = min(at)
            if q >= end:
                q = end
                c = 10
            else:
                c = buf[q]
            if q > p:
                e = q
                if c == 10:
                    while e > p and buf[e - 1] == 32:
                        e -= 1
                    if plain and e == q and q + 1 < end and buf[q + 1] > 32:
                        k = q + 1
                        continue
                if e > p:
                    if sink:
                        sink(buf, p, e)
                    else:
                        self._run(p, e)
            if q == end:
                return
            if not (sink or st[_LINK_AT]):
                st[_HERE] = q
            p = q + 1
            if c == _CODE:
                while buf[p] == 96:
                    p += 1
                i = find(b"\x1e", p, end)
                k = i + p - q
                if i < 0:  # its end is not in this block after all
                    i = k = end
                if sink and buf[p] > 32:
                    needle[0] = c
                    at[live.find(needle, 0, lives)] = find(needle, i, scope) & _FAR
                    q = min(at)
                if q > i and not (st[_STYLES] or st[_LINK_AT] or st[_MUTE]):  # nothing to escape in it
                    sink(b"<code>", 0, 6)
                    sink(buf, p, i)
                    sink(b"</code>", 0, 7)
                else:
                    self._code_span(p, i)
                    q = min(at)
                p = k
            elif c < _HTML and (c > 11 or 1 < c < 8):
                if c < 4 or 14 <= c < 16 or c > 17:
                    p += 1
                if c & 1:
                    self._style_off()
                else:
                    self._style_on(STYLE[c])
            elif c == 10:
                p = self._prefix(p)
                if p < end:
                    if not sink:
                        self._note(_LINE, p)
                    self._break()
                    if st[_PAD] or st[_QUOTES] > 1:
                        self._margin()
            elif c == 38:
                p = self._reference(q, end)
            elif c == 60 or c == 62 or c == 0:
                self._point(c or 0xFFFD)
            elif c == 9:
                self._blank(1)
            elif c == _BACKSLASH:
                if buf[p] == 38:
                    self._point(38)
                    p += 1
            elif c == _TAG:
                if buf[p] == 47:
                    self._style_off()
                else:
                    self._style_on(self._tag_style(p))
                p = self._find(b">", p, end) + 1
            else:
                p = self._span(c, q, end)

    def _span(self, c, q, end):
        """Write the span or the edge of a link that is marked at q; return what follows."""
        st = self._st
        buf = self._buf
        p = q + 1
        if c == _LINK or c == _IMAGE:
            if c == _IMAGE:
                p += 1
            st[_NEST] += 1
            if not (st[_LINK_AT] or st[_MUTE]) and self._target(q, end):
                self._href()
                st[_LINK_AT] = st[_NEST]
            if c == _IMAGE and not st[_MUTE]:
                st[_MUTE] = True
                st[_ALT] = st[_NEST]
            return p
        if c == _AUTOLINK:
            stop = self._find(b">", p, end)
            st[_FROM_] = p
            st[_TO_] = stop
            linked = not (st[_LINK_AT] or st[_MUTE]) and self._acceptable()
            if linked:
                self._href(True)
            self._literal(p, stop)
            if linked:
                self._tag(b"</a>")
            return stop + 1
        if c == _HTML:
            stop = self._html_end(p, end)
            self._put(b"&lt;")
            self._literal(p, stop)
            return stop
        if c == _MATH:
            stop = self._find(b"$$" if buf[p] == 36 else b"$", p + 1, end) + (2 if buf[p] == 36 else 1)
            self._put(b"$")
            self._literal(p, stop)
            return stop
        if not st[_NEST]:
            self._point(93)  # its beginning is text after all
            return p
        if st[_ALT] == st[_NEST]:
            st[_MUTE] = False
            st[_ALT] = 0
        if st[_LINK_AT] == st[_NEST]:
            self._tag(b"</a>")
            st[_LINK_AT] = 0
        st[_NEST] -= 1
        return self._tail(q, end)

    def _literal(self, p, end, blank=False):
        """Write text as it is, but for the prefixes of its lines; line ends as blanks if so asked."""
        st = self._st
        solid = st[_SOLID]
        st[_SOLID] = True
        while p < end:
            q = self._find(b"\n", p, end)
            if q < 0:
                self._raw(p, end)
                break
            self._raw(p, q)
            if blank:
                self._blank(1)
            else:
                self._break()
            p = self._prefix(q + 1)
        st[_SOLID] = solid

    def _code_span(self, p, end):
        st = self._st
        buf = self._buf
        if end - p > 2 and buf[p] in b" \n" and buf[end - 1] in b" \n" and self._skip(p, end) < end:
            p += 1
            end -= 1
        if st[_LINK_AT] or st[_MUTE]:
            while True:  # in a table's cell an escaped bar is a bar
                q = self._find(b"\\|", p, end) if st[_MUTE] else -1
                if q < 0:
                    break
                self._literal(p, q, True)
                p = q + 1
            self._literal(p, end, True)
            return
        styled = st[_STYLES] > 0
        if styled:
            self._styles_close()
        self._tag(b"<code>", 1)
        self._literal(p, end, True)
        self._tag(b"</code>")
        if styled:
            self._styles_open()

    def _margin(self):
        """Begin a further line of a block: marks of nested quotes, indentation of lists."""
        n = self._st[_QUOTES] - 1
        while n > 0:
            self._put(b"&gt; ", 2)
            n -= 1
        self._blank(self._st[_PAD])
