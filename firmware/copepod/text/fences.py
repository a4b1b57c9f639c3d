"""Blocks of code, and how any block begins. Memory: none of its own."""

from micropython import const

from .chars import punctuation, put_character
from .lines import Lines

_DEPTH = const(36)
_QUOTES = const(40)
_QUOTE_OPEN = const(42)
_GAP = const(39)  # line feeds due before the next block
_PAD = const(43)  # blanks before a further line of this block
_KIND = const(37)  # what the piece begins inside of
_MIDDLE = const(38)  # it begins in the middle of a line (of code)
_FENCE = const(44)  # the fence's character, length, indentation
_FENCE_LENGTH = const(47)
_FENCE_INDENT = const(45)
_LANGUAGE_LENGTH = const(46)
_LANGUAGE = const(4)
_LONGEST_LANGUAGE = const(24)
_KEPT_LANGUAGE = const(62)
_CODE_BLOCK = const(2)
_QUOTE = const(62)
_LONG_QUOTE = const(700)  # bytes from which a quote is expandable
_LINE = const(1)
_HERE = const(11)
_TEXT = const(2)
_COLUMN = const(4)
_BASE = const(6)
_MATCHED = const(7)
_POS = const(1)
_POS_NEXT = const(35)
_BEGUN = const(31)
_SEEN_ANY = const(-12)
_IN_CODE = const(-8)
_HELD = const(0)
_ODD = const(20)


class Fences(Lines):
    def _quote(self, p):
        """Open the quote if the block is in one; it is expandable if it goes on for long from p."""
        st = self._st
        if not st[_QUOTE_OPEN]:
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
            if st[_QUOTES]:
                self._quote(st[_POS])
                n = st[_QUOTES] - 1
                while n > 0:
                    self._put(b"&gt; ", 2)
                    n -= 1
            if st[_PAD] and st[_SEEN_ANY]:
                self._blank(st[_PAD])
            st[_SEEN_ANY] = True
        elif st[_QUOTES]:
            self._quote(st[_POS])

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
        tiny = self._tiny
        while p < e:
            k = 1
            after = p + 1
            tiny[0] = buf[p]
            if buf[p] == 92 and punctuation(buf[after]):
                tiny[0] = buf[after]
                after += 1
            elif buf[p] == 38:
                found = self._referred(p, e)
                if found:
                    k = put_character(found >> 6, tiny)
                    after = p + (found & 63)
            if tiny[0] <= 32 or tiny[0] in b'"<>&' or n + k > _LONGEST_LANGUAGE:
                break
            p = after
            after = 0
            while after < k:
                tiny[_LANGUAGE + n] = tiny[after]
                n += 1
                after += 1
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
        if fence:
            if st[_KIND]:
                kept = self._tiny[_KEPT_LANGUAGE : _KEPT_LANGUAGE + _LONGEST_LANGUAGE]
                self._tiny[_LANGUAGE : _LANGUAGE + _LONGEST_LANGUAGE] = kept
            else:
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
