"""Spans that bind tighter than emphasis: escapes, code, autolinks, HTML, math, links. Memory: 24 open brackets.

One pass over a block's text; what is found is marked in place (see marks.py). `[` brackets beyond the last
24 that are open stay text.
"""

from array import array

from micropython import const

from .chars import punctuation
from .links import Links

_BACKSLASH = const(1)
_HTML = const(20)
_CODE = const(22)
_END_CODE = const(30)
_LINK = const(23)
_IMAGE = const(24)
_END_INLINE = const(25)
_END_LABEL = const(26)
_END_SHORT = const(27)
_AUTOLINK = const(28)
_MATH = const(29)

_BRACKETS = const(24)
_FEW = const(9)
_FEW_SKIPS = const(6)
_FAR = const(0xFFFF)
_SPANS = b"\\`<[$]"
_TAG_NAMES = b"b strong i em u ins s strike del tg-spoiler "
_TAG_STYLES = b"\1\1\2\2\3\3\4\4\4\5"

# Scalars of the walk, in the same array.
_LIVES = const(12)
_SKIP_COUNT = const(24)
_SCOPE = const(83)
_LINK_TO = const(-14)
_RESOLVED = const(16)
_BARS = const(23)
_DEFINITIONS = const(87)
_HELD = const(0)
_EFFORT = const(81)
_CHAIN = const(82)


class Spans(Links):
    """First of the two passes that resolve a block's inline text."""

    def __init__(self, buf):
        super().__init__(buf)
        self._span_at = array("H", bytes(2 * len(_SPANS)))
        self._live = bytearray(32)  # what the writing pass has to stop at; marks join as they are used
        self._few = _far(_FEW)
        self._many = None  # the same for more kinds of marks, made when a text has them
        self._skips = bytearray(16)  # what the emphasis pass has to stop at
        self._skips_at = _far(_FEW_SKIPS)  # grows once
        self._live[0:4] = b"\n&<>"
        self._skips[0:4] = b"*_~|"
        self._st[_LIVES] = self._st[_SKIP_COUNT] = 4

    def _unmark(self):
        """Forget which marks are in use."""
        st = self._st
        k = st[_LIVES]
        while k > 4:
            k -= 1
            (self._few if k < _FEW else self._many)[k] = _FAR
        st[_LIVES] = 4
        self._live_at = self._few
        k = st[_SKIP_COUNT]
        if k > _FEW_SKIPS:
            self._skips_at = _far(_FEW_SKIPS)  # they are looked through often
        while k > 4:
            k -= 1
            if k < _FEW_SKIPS:
                self._skips_at[k] = _FAR
        st[_SKIP_COUNT] = 4

    def _use(self, mark):
        """From now on the passes look for this mark; returns its place in _live."""
        st = self._st
        n = st[_LIVES]
        if n == _FEW:
            self._many = self._many or _far(32)
            self._live_at = _copied(self._few, self._many)
        self._live[n] = mark
        st[_LIVES] = n + 1
        if mark >= _HTML or mark == _BACKSLASH:
            k = st[_SKIP_COUNT]
            if k == len(self._skips_at):
                self._skips_at = _copied(self._skips_at, _far(16))
            self._skips[k] = mark
            st[_SKIP_COUNT] = k + 1
        return n

    def _mark(self, p, mark):
        """Overwrite the byte at p."""
        st = self._st
        needle = self._needle
        self._buf[p] = needle[0] = mark
        k = self._live.find(needle, 0, st[_LIVES])
        if k < 0:
            k = self._use(mark)
        if p < self._live_at[k]:
            self._live_at[k] = p
        if mark > 19 or mark == _BACKSLASH:
            k = self._skips.find(needle, 0, st[_SKIP_COUNT])
            if k >= 0 and p < self._skips_at[k]:
                self._skips_at[k] = p

    def _aim_passes(self):
        """The window has changed: look again for what the two passes stop at."""
        st = self._st
        at = self._span_at
        n = len(_SPANS) - 1
        at[n] = _FAR  # of no use where nothing opens
        self._aim(at, _SPANS, n, st[_RESOLVED], st[_HELD])
        if at[3] < _FAR:
            at[n] = self._find(b"]", st[_RESOLVED], st[_HELD]) & _FAR
        self._aim(self._skips_at, self._skips, st[_SKIP_COUNT], st[_RESOLVED], st[_HELD])
        st[_EFFORT] = st[_CHAIN] = 0
        st[_BARS] = self._skips_at[3] < _FAR or st[_RESOLVED] and self._find(b"|", 0, st[_HELD]) >= 0
        st[_DEFINITIONS] = (at[3] < _FAR or st[_RESOLVED]) and self._find(b"]:", 0, st[_HELD]) >= 0

    def _aim_live(self, p, end):
        st = self._st
        self._aim(self._live_at, self._live, st[_LIVES], p, end)
        st[_SCOPE] = end

    def _spans(self, p, end):
        st = self._st
        buf = self._buf
        at = self._span_at
        opened = self._runs  # place * 4 + image + 2 if it can be no link; the other pass needs them later
        start = p
        top = 0
        lacking = 0  # bit n: there is no closing run of n backticks any more
        coded = False
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
                needle[0] = _SPANS[i]
                at[i] = q = find(needle, p, held) & _FAR
                if q > others:
                    q = others
            if q >= end:
                return
            c = buf[q]
            p = q + 1
            if c == 92:
                if p < end and (punctuation(buf[p]) or buf[p] == 10):
                    self._mark(q, _BACKSLASH)
                    p += 1
            elif c == 96:
                while p < end and buf[p] == 96:
                    p += 1
                n = p - q
                if n > 28 or not lacking >> n & 1:
                    r = find(b"`", p, end) if n < 2 else 0
                    if not r or buf[r + 1] == 96:
                        r = self._code_end(p, n, end)
                    if r > 0:
                        if coded:  # it is known where to look for the first one
                            buf[q] = _CODE
                        else:
                            coded = True
                            self._mark(q, _CODE)
                        buf[r] = _END_CODE
                        p = r + n
                    elif n < 29:
                        lacking |= 1 << n
            elif c == 60:
                k = p
                while 97 <= buf[k] | 32 <= 122:
                    k += 1
                # Only what can begin a tag or an address is looked at more closely.
                if buf[k] not in (b"\t\n />-+.:0123456789" if k > p else b"/!?0123456789") and (
                    k == p or self._find(b"@", k, min(end, k + 999)) < 0
                ):
                    continue
                r = self._autolink_end(p, end)
                if r:
                    self._mark(q, _AUTOLINK)
                    p = r
                else:
                    r = self._html_end(p, end)
                    if r:
                        self._mark(q, _HTML)
                        p = r
            elif c == 36:
                r = self._math_end(q, end)
                if r:
                    self._mark(q, _MATH)
                    p = r
            elif c == 91:
                if top == _BRACKETS:
                    top -= 1
                    k = 0
                    while k < top:
                        opened[k] = opened[k + 1]
                        k += 1
                image = q > start and buf[q - 1] == 33 and not (q - 1 > start and buf[q - 2] == _BACKSLASH)
                opened[top] = q * 4 + image
                top += 1
            elif top:
                top -= 1
                k = opened[top]
                if not k & 2:
                    mark = self._link_end(k >> 2, q, end)
                    if mark:
                        p = st[_LINK_TO]
                        self._mark(q, mark)
                        if k & 1:
                            self._mark((k >> 2) - 1, _IMAGE)
                        else:
                            self._mark(k >> 2, _LINK)
                            k = top
                            while k:
                                k -= 1
                                if not opened[k] & 1:
                                    opened[k] |= 2

    def _link_end(self, p, q, end):
        """The mark for the bracket at q that closes the one at p, or 0; what follows begins at _link_to."""
        st = self._st
        buf = self._buf
        if buf[q + 1] == 40:
            r = self._inline_end(q + 1, end)
            if r:
                st[_LINK_TO] = r
                return _END_INLINE
        if not st[_DEFINITIONS]:
            return 0
        if buf[q + 1] == 91:
            r = self._label_end(q + 2, end)
            if r:
                st[_LINK_TO] = r + 1
                return _END_LABEL if self._defined(q + 2, r) else 0
        if self._label_end(p + 1, end) == q and buf[p + 1] != 94 and self._defined(p + 1, q):
            if buf[q + 1] == 91 and buf[q + 2] == 93 and q + 2 < end:
                st[_LINK_TO] = q + 3
                return _END_LABEL
            st[_LINK_TO] = q + 1
            return _END_SHORT
        return 0

    def _code_end(self, p, n, end):
        """Where the next run of exactly n backticks begins, or 0."""
        buf = self._buf
        while True:
            p = self._find(b"`", p, end)
            if p < 0:
                return 0
            q = p
            while buf[p] == 96:
                p += 1
            if p - q == n:
                return q

    def _autolink_end(self, p, end):
        """After the `>` of an autolink or address whose text begins at p, or 0."""
        buf = self._buf
        q = self._find(b">", p, min(end, p + 1000))
        if q < 0 or not 97 <= buf[p] | 32 <= 122 and not 48 <= buf[p] < 58:
            return 0
        k = p
        while 97 <= buf[k] | 32 <= 122 or 48 <= buf[k] < 58 or buf[k] in b"+.-":
            k += 1
        if buf[k] == 58:
            if not 1 < k - p < 33 or buf[p] < 65:
                return 0
            while k < q:
                if buf[k] <= 32 or buf[k] == 60:
                    return 0
                k += 1
            return q + 1
        while k < q and (48 <= buf[k] < 58 or buf[k] > 64 and buf[k] | 32 <= 122 or buf[k] in b".!#$%&'*+/=?^_`{|}~-"):
            if buf[k] in b"@[\\]":
                break
            k += 1
        if buf[k] != 64 or k == p:
            return 0
        k += 1
        label = k
        while k <= q:
            c = buf[k]
            if c == 46 or k == q:
                if k == label or buf[k - 1] == 45 or k - label > 63:
                    return 0
                label = k + 1
            elif not (97 <= c | 32 <= 122 or 48 <= c < 58 or c == 45 and k > label):
                return 0
            k += 1
        return q + 1

    def _html_end(self, p, end):
        """After the `>` of an HTML tag, comment or the like whose text begins at p, or 0."""
        buf = self._buf
        c = buf[p]
        if c == 33 or c == 63:
            close = b">"
            if c == 63:
                close = b"?>"
            elif buf[p + 1] == 45 and buf[p + 2] == 45:
                p += 3
                if buf[p] == 62 or buf[p] == 45 and buf[p + 1] == 62:
                    return self._find(b">", p, end) + 1
                close = b"-->"
                p -= 1
            elif buf[p + 1] == 91:
                close = b"]]>"
            elif not 97 <= buf[p + 1] | 32 <= 122:
                return 0
            p = self._find(close, p + 1, min(end, p + 2000))
            return p + len(close) if p > 0 else 0
        closing = c == 47
        if closing:
            p += 1
        if not 97 <= buf[p] | 32 <= 122:
            return 0
        while 97 <= buf[p] | 32 <= 122 or 48 <= buf[p] < 58 or buf[p] == 45:
            p += 1
        while p < end:
            q = self._gap(p)
            c = buf[q]
            if c == 62:
                return q + 1 if q < end else 0
            if closing:
                return 0
            if c == 47:
                return q + 2 if buf[q + 1] == 62 and q + 1 < end else 0
            if q == p or not (97 <= c | 32 <= 122 or c == 95 or c == 58):
                return 0
            while 97 <= buf[q] | 32 <= 122 or 48 <= buf[q] < 59 or buf[q] in b"_.-":
                q += 1
            p = self._gap(q)
            if buf[p] != 61:
                p = q
                continue
            p = self._gap(p + 1)
            c = buf[p]
            if c == 34 or c == 39:
                self._needle[0] = c
                p = self._find(self._needle, p + 1, min(end, p + 2000)) + 1
                if not p:
                    return 0
            else:
                q = p
                while buf[p] > 32 and buf[p] not in b"\"'=<>`":
                    p += 1
                if p == q:
                    return 0
        return 0

    def _math_end(self, p, end):
        """After the formula in dollars that begins at p, or 0: $$...$$, or $...$ on a line and not money."""
        buf = self._buf
        if buf[p + 1] == 36:
            q = self._find(b"$$", p + 2, end)
            return q + 2 if q > p + 2 else 0
        if buf[p + 1] <= 32 or p + 1 >= end:
            return 0
        stop = self._find(b"\n", p, end)
        q = self._find(b"$", p + 1, end if stop < 0 else stop)
        if q < 0 or buf[q - 1] <= 32 or buf[q - 1] == 92 or 48 <= buf[q + 1] < 58 or not self._formula(p + 1, q):
            return 0
        return q + 1

    def _formula(self, p, end):
        """True if the text has something that only a formula has."""
        buf = self._buf
        while p < end:
            if buf[p] in b"\\^_={}":
                return True
            p += 1
        return False

    def _tag_style(self, p):
        """The style that the HTML tag whose name begins at p stands for, or 0."""
        buf = self._buf
        k = style = 0
        while k < len(_TAG_NAMES):
            q = p
            while buf[q] | 32 == _TAG_NAMES[k] and _TAG_NAMES[k] > 32:
                q += 1
                k += 1
            if _TAG_NAMES[k] == 32 and buf[q] == 62:
                return _TAG_STYLES[style]
            k = _TAG_NAMES.find(b" ", k) + 1
            style += 1
        return 0


def _far(n):
    return array("H", b"\xff" * (2 * n))


def _copied(old, new):
    for k in range(len(old)):
        new[k] = old[k]
    return new
