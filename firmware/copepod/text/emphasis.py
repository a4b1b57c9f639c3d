"""Emphasis by CommonMark's delimiter runs, ~~strike~~, ||spoiler||, paired HTML tags. Memory: 24 open delimiters.

Second of the two passes that resolve a block: what pairs up is marked in place. Of more than 24 delimiters
that are open at once the older half becomes text.
"""

from array import array

from micropython import const

from .chars import KINDS, kind_of
from .spans import Spans

_BACKSLASH = const(1)
_STRONG = const(2)
_STAR = const(4)
_UNDERSCORE = const(6)
_STRIKE = const(14)
_STRIKE_SINGLE = const(16)
_SPOILER = const(18)
_HTML = const(20)
_TAG = const(21)
_CODE = const(22)
_LINK = const(23)
_IMAGE = const(24)
_AUTOLINK = const(28)
_MATH = const(29)

_FAR = const(0xFFFF)
_DEEPEST_OPEN = const(24)
_LONGEST_RUN = const(511)  # delimiters of a run that can open; more are text

# Scalars of the walk, in the same array.
_RESOLVED = const(16)
_HELD = const(0)


class Emphasis(Spans):
    """`_runs` is the stack of delimiters that may open: place, and how many << 7 | character << 3 | both ways << 2
    | length % 3. Of a character there are the four lowest bits; 0 is the wall that a link puts up, 1 to 5 an HTML
    tag of that style.
    """

    def __init__(self, buf):
        super().__init__(buf)
        self._runs = array("H", bytes(4 * _DEEPEST_OPEN))

    def _resolve(self, p, end):
        """Mark what the text from p to end means, unless that is done."""
        st = self._st
        if p < st[_RESOLVED]:
            p = st[_RESOLVED]
        if p < end:
            if min(self._span_at) < end:
                self._spans(p, end)
            at = self._skips_at
            if at[0] < end or at[1] < end or at[2] < end or at[3] < end or self._skips.find(b"\x14") > 0:
                self._emphasis(p, end)
            st[_RESOLVED] = end

    def _push(self, top, p, what):
        runs = self._runs
        if top == _DEEPEST_OPEN:
            top = _DEEPEST_OPEN >> 1
            k = 0
            while k < top * 2:
                runs[k] = runs[k + top * 2]
                k += 1
        runs[top * 2] = p
        runs[top * 2 + 1] = what
        return top + 1

    def _emphasis(self, p, end):
        st = self._st
        buf = self._buf
        runs = self._runs
        start = p
        top = 0
        at = self._skips_at
        marks = self._skips
        needle = self._needle
        find = self._find
        held = st[_HELD]
        q = min(at)
        others = i = 0
        while True:
            while q < p:  # as _seek does, but for looking at the others only when it is their turn
                if not others or at[i] != q:
                    i = 0
                    while at[i] != q:
                        i += 1
                    at[i] = _FAR
                    others = min(at)
                needle[0] = marks[i]
                at[i] = q = find(needle, p, held) & _FAR
                if q > others:
                    q = others
            if q >= end:
                return
            c = buf[q]
            p = q + 1
            if c > 31:
                while p < end and buf[p] == c:
                    p += 1
                top = self._run_of(c, q, p, start, end, top)
            elif c == _BACKSLASH:
                p += 1
            elif c == _CODE:
                p = self._find(b"\x1e", p, end) + 1
                while buf[p] == 96:
                    p += 1
            elif c == _AUTOLINK:
                p = self._find(b">", p, end) + 1
            elif c == _HTML:
                style = self._tag_style(p)
                if style:
                    top = self._push(top, q, style << 3)
                elif buf[p] == 47:
                    style = self._tag_style(p + 1)
                    k = top
                    while style and k and runs[k * 2 - 1]:
                        k -= 1
                        if runs[k * 2 + 1] == style << 3:
                            self._mark(runs[k * 2], _TAG)
                            self._mark(q, _TAG)
                            top = k
                            break
                p = self._html_end(p, end)
            elif c == _LINK or c == _IMAGE:
                top = self._push(top, q, 0)
            elif c == _MATH:
                p = self._find(b"$$" if buf[p] == 36 else b"$", p + 1, end) + (2 if buf[p] == 36 else 1)
            else:
                while top and runs[top * 2 - 1]:
                    top -= 1
                if top:
                    top -= 1
                p = self._tail(q, end)

    def _kind(self, p):
        """1 if the character at p, which is not ASCII, is blank, 2 if it is punctuation or a symbol, else 0."""
        c = self._buf[p]
        if 0xCF < c < 0xD4 or 0xE3 < c < 0xEA or 0xEA < c < 0xED:
            return 0  # Cyrillic, Chinese, Korean
        return self._kind_of(p)

    def _kind_of(self, p):
        return kind_of(self._buf, p)

    def _run_of(self, c, q, p, start, end, top):
        """Pair the run of c from q to p with what is open; keep it if it may open. Returns the new top."""
        buf = self._buf
        runs = self._runs
        n = length = p - q
        if c > 95 and n != 2 and (c == 124 or n > 2):
            return top
        before = after = 1
        if q > start:
            k = q - 1
            before = buf[k]
            if before < 128:
                before = KINDS[before]
            else:
                while buf[k] & 0xC0 == 0x80 and k:
                    k -= 1
                before = self._kind(k)
        if p < end:
            after = buf[p]
            after = KINDS[after] if after < 128 else self._kind(p)
        if c == 124:
            opens = after != 1
            closes = before != 1
        else:
            opens = after != 1 and (not after or before)
            closes = before != 1 and (not before or after)
            if c == 95 or c == 126 and n == 1:
                both = opens and closes
                opens = opens and (not both or before == 2)
                closes = closes and (not both or after == 2)
        what = (c & 15) << 3 | n % 3
        if opens and closes:
            what |= 4
        if closes:
            k = top
            while n and k and runs[k * 2 - 1]:
                k -= 1
                other = runs[k * 2 + 1]
                if (other ^ what) & 0x78:
                    continue
                room = other >> 7
                if c > 95:
                    if room != n:
                        continue
                    mark = _SPOILER if c == 124 else _STRIKE if n == 2 else _STRIKE_SINGLE
                    used = n
                else:
                    if (other | what) & 4 and ((other & 3) + (what & 3)) % 3 == 0 and (other | what) & 3:
                        continue
                    used = 2 if room > 1 and n > 1 else 1
                    mark = _STRONG if used == 2 else _STAR if c == 42 else _UNDERSCORE
                room -= used
                self._mark(runs[k * 2] + room, mark)
                self._mark(q + length - n, mark + 1)
                n -= used
                runs[k * 2 + 1] = other & 127 | room << 7
                top = k
                if room:
                    top += 1
                    k += 1
        if n and opens:
            n = min(n, _LONGEST_RUN)
            top = self._push(top, q + length - n, n << 7 | what)
        return top
