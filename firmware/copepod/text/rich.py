"""What makes the Markdown of a piece stand alone, for a server that formats. Memory: none of its own."""

from micropython import const

from .fits import Fits

_DEPTH = const(36)
_QUOTES = const(40)
_KIND = const(37)
_MIDDLE = const(38)
_STACK = const(56)
_FENCE = const(44)
_FENCE_LENGTH = const(47)
_FENCE_INDENT = const(45)
_LANGUAGE_LENGTH = const(46)
_KEPT_LANGUAGE = const(62)
_COLUMNS = const(28)
_ROW = const(17)
_CODE_BLOCK = const(2)
_TABLE = const(3)
_QUOTE = const(62)
_TEXT = const(2)
_COLUMN = const(4)
_MATCHED = const(7)
_CUT = const(5)


class Rich(Fits):
    """Opens again, around a piece, what the pieces before it have opened, and closes what goes on."""

    def _reopen(self):
        """Write what the beginning of the piece lies in."""
        st = self._st
        kind = st[_KIND]
        middle = st[_MIDDLE]
        m = st[_DEPTH]
        if kind != _CODE_BLOCK and kind != _TABLE and (kind or not m):
            return
        if not (kind and middle):
            self._match(0)
            if not kind:
                if st[_QUOTES] or st[_COLUMN] < 4 or self._buf[st[_TEXT]] == 10:
                    return  # nobody would take it for code
                m = st[_MATCHED]
            elif st[_MATCHED] < m:
                return  # it ended with its containers
        if kind == _TABLE:
            q = st[_TEXT]
            if middle or self._tiny[_COLUMNS + _ROW] > 15 or self._buf[q] == 10 or self._interrupts(q, False):
                return
        k = 0
        while k < m:
            what = st[_STACK + 3 * k]
            if what != _QUOTE:
                self._lead(k)
                self._bullet(what, st[_STACK + 3 * k + 1], st[_STACK + 3 * k + 2])
            k += 1
        if kind == _TABLE:
            self._header(0)
            self._header(1)
        elif kind:
            if st[_FENCE]:
                self._lead(m)
                self._blank(st[_FENCE_INDENT])
                self._rail()
                if st[_LANGUAGE_LENGTH]:
                    self._sink(self._tiny, _KEPT_LANGUAGE, _KEPT_LANGUAGE + st[_LANGUAGE_LENGTH])
                self._break()
            if middle:
                self._lead(m)
                self._blank(st[_FENCE_INDENT])

    def _reclose(self):
        """Write the end of the fence that the end of the piece lies in."""
        st = self._st
        if st[_KIND] == _CODE_BLOCK and st[_FENCE]:
            if self._buf[st[_CUT] - 1] != 10:
                self._break()
            self._lead(st[_DEPTH])
            self._rail()

    def _bullet(self, what, width, number):
        """The marker of an item on a line of its own, so that the text of the item begins after `width` columns."""
        n = 3
        left = number
        while left > 9:
            left //= 10
            n += 1
        if what != 46 and what != 41:
            n = 2
        elif n > width:  # it has become longer than what it was
            what = 45
            n = 2
        self._blank(min(width - n, 3))
        if n > 2:
            self._decimal(number)
        self._needle[0] = what
        self._put(self._needle)
        self._break()

    def _lead(self, m):
        """What a line in the first m containers begins with."""
        st = self._st
        k = _STACK
        while m:
            if st[k] == _QUOTE:
                self._put(b"> ")
            else:
                self._blank(st[k + 1])
            k += 3
            m -= 1

    def _rail(self):
        """The marks of a fence."""
        self._needle[0] = self._st[_FENCE]
        n = self._st[_FENCE_LENGTH]
        while n:
            self._put(self._needle)
            n -= 1

    def _header(self, rule):
        """A table's header without text, or the rule below it."""
        self._lead(self._st[_DEPTH])
        n = self._tiny[_COLUMNS + _ROW]
        k = 0
        while k < n:
            k += 1
            self._put(b"|")
            align = self._tiny[_COLUMNS + _ROW + k] >> 6
            if rule:
                self._put((b"-", b":-", b"-:", b":-:")[align])
            else:
                self._blank(1)
        self._put(b"|")
        self._break()
