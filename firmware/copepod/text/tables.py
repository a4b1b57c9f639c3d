"""Tables, as aligned columns in a fixed-width block. Memory: none of its own; the window is read twice.

A table that does not fit a piece is cut between rows and goes on with the same columns. Columns beyond
the 16th are left out of the alignment, cells wider than 60 stick out of it, and a row of more than 2,000
bytes is shown as it was written.
"""

from micropython import const

from .blocks import Blocks

_DEPTH = const(0)
_GAP = const(3)
_KIND = const(5)
_MIDDLE = const(6)
_LANGUAGE_LENGTH = const(19)
_COLUMNS = const(20)
_MOST = const(16)
_TABLE = const(3)
_WIDEST = const(60)
_LONG_ROW = const(2000)
_LINE = const(1)
_DASHES = b"--------------------------------"


class Tables(Blocks):
    def _table_columns(self, p, q):
        """How many columns the table has whose header is the line at p with its text at q, or 0 if it is none."""
        e = self._line_end(q)
        if e >= self._held or self._find(b"|", q, e) < 0 and self._find(b"|", e, self._line_end(e + 1)) < 0:
            return 0
        column = self._column
        base = self._base
        matched = self._matched
        self._match(e + 1)
        n = 0
        if self._matched == self._st[_DEPTH] and self._column - self._base < 4:
            n = self._delimiters(self._q, False)
        self._q = q
        self._column = column
        self._base = base
        self._matched = matched
        if n:
            cells = 0
            p = self._first_cell(q)
            while p < e:
                p = self._cell(p, e)
                cells += 1
            if cells != n:
                n = 0
        return n

    def _delimiters(self, p, keep):
        """Count the columns of a delimiter row at p, or 0; keep their alignment if asked to."""
        buf = self._buf
        st = self._st
        n = bars = 0
        if buf[p] == 124:
            bars = 1
            p += 1
        while True:
            p = self._prefix_blank(p)
            if buf[p] == 10:
                return n if bars else 0
            align = 0
            if buf[p] == 58:
                align = 1
                p += 1
            if buf[p] != 45:
                return 0
            while buf[p] == 45:
                p += 1
            if buf[p] == 58:
                align |= 2
                p += 1
            if keep and n < _MOST:
                st[_COLUMNS + 1 + n] = align << 8
                st[_COLUMNS] = n + 1
            n += 1
            p = self._prefix_blank(p)
            if buf[p] == 124:
                bars = 1
                p += 1
            elif buf[p] != 10:
                return 0

    def _first_cell(self, q):
        return q + 1 if self._buf[q] == 124 else q

    def _cell(self, p, e):
        """Note in _from and _to the text of the cell that begins at p; return where the next one begins."""
        buf = self._buf
        q = p
        while True:
            q = self._find(b"|", q, e)
            if q < 0:
                q = e
                break
            if buf[q - 1] != 92 and buf[q - 1] != 1:
                break
            q += 1
        stop = q
        while stop > p and buf[stop - 1] in b" \t":
            stop -= 1
        while p < stop and buf[p] in b" \t":
            p += 1
        self._cell_from = p
        self._cell_to = stop
        q += 1
        if q < e and self._prefix_blank(q) >= e:
            return e
        return q

    def _table(self, q, stop):
        """A table whose header's text is at q: measure its columns, then write it."""
        st = self._st
        st[_LANGUAGE_LENGTH] = 0
        e = self._line_end(q)
        base = self._base
        column = self._column
        self._match(e + 1)
        after = self._line_end(self._q) + 1
        self._delimiters(self._q, True)
        sink = self._sink
        mute = self._mute
        self._sink = self._widener
        self._mute = True
        self._measure_row(q, e)
        p = after
        while True:
            q2 = self._row(p)
            if not q2:
                break
            p = self._line_end(q2)
            self._measure_row(q2, p)
            p += 1
        self._sink = sink
        self._mute = mute
        self._need(p)
        self._begin()
        self._here = self._pos
        if stop <= q:
            return
        self._pre(True)
        self._write_row(q, e)
        self._break()
        k = 0
        while k < st[_COLUMNS]:
            if k:
                self._put(b"-|-", 3)
            k += 1
            self._blank(st[_COLUMNS + k] & 255, _DASHES)
        st[_KIND] = _TABLE
        self._pos = after
        self._rows(stop, True)

    def _row(self, p):
        """Where the text of the row at p begins, or 0 if the table is over."""
        if p >= self._held:
            return 0
        self._match(p)
        q = self._q
        if self._buf[q] == 10 or self._matched < self._st[_DEPTH] or self._column - self._base > 3:
            return 0
        return 0 if self._interrupts(q, False) else q

    def _rows(self, stop, opened=False):
        st = self._st
        p = self._pos
        while p < stop:
            q = p if st[_MIDDLE] else self._row(p)
            if not q and not st[_MIDDLE]:
                st[_KIND] = 0
                break
            e = self._line_end(q)
            self._here = p
            self._note(_LINE, p)
            if opened:
                self._break()
            else:
                self._pre(True)
                opened = True
            if e - q > _LONG_ROW or st[_MIDDLE]:
                st[_MIDDLE] = 0
                if e > stop:
                    e = stop
                    st[_MIDDLE] = 1
                self._raw(q, e)
            else:
                self._write_row(q, e)
            p = e if st[_MIDDLE] else e + 1
        if opened:
            self._pre(False)
        st[_GAP] = 1
        self._pos = p

    def _cell_text(self):
        self._resolve(self._cell_from, self._cell_to)
        self._text(self._cell_from, self._cell_to)

    def _measure_row(self, p, e):
        st = self._st
        if e - p > _LONG_ROW:
            return
        p = self._first_cell(p)
        k = 0
        while p < e and k < st[_COLUMNS]:
            p = self._cell(p, e)
            self._width = 0
            self._cell_text()
            k += 1
            width = st[_COLUMNS + k]
            if self._width > width & 255:
                st[_COLUMNS + k] = width & 0xFF00 | min(self._width, _WIDEST)

    def _write_row(self, p, e):
        st = self._st
        sink = self._sink
        mute = self._mute
        self._mute = True
        p = self._first_cell(p)
        k = 0
        while k < st[_COLUMNS]:
            if k:
                self._put(b" | ", 3)
            k += 1
            if p < e:
                p = self._cell(p, e)
            else:
                self._cell_from = self._cell_to = e
            self._width = 0
            self._sink = self._widener
            self._cell_text()
            self._sink = sink
            width = st[_COLUMNS + k]
            room = max((width & 255) - self._width, 0)
            left = 0
            if width >> 8 == 2:
                left = room
            elif width >> 8 == 3:
                left = room >> 1
            self._blank(left)
            self._cell_text()
            if k < st[_COLUMNS]:
                self._blank(room - left)
        self._mute = mute
