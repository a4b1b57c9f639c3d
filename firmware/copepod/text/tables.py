"""Tables, as aligned columns in a fixed-width block. Memory: none of its own; the window is read twice.

A table that does not fit a piece is cut between rows and goes on with the same columns. Columns beyond
the 16th are left out of the alignment, cells wider than 60 stick out of it, and a row of more than 2,000
bytes is shown as it was written.
"""

from array import array

from micropython import const

from .blocks import Blocks

_DEPTH = const(0)
_GAP = const(3)
_PAD = const(4)
_KIND = const(5)
_MIDDLE = const(6)
_LANGUAGE_LENGTH = const(19)
_COLUMNS = const(20)
_STACK = const(37)
_MOST = const(16)
_TABLE = const(3)
_OVER = const(9999)
_WIDEST = const(60)
_LONG_ROW = const(2000)
_LINE = const(1)
_DASHES = b"--------------------------------"


class Tables(Blocks):
    def __init__(self, buf):
        super().__init__(buf)
        self._tee = self._widen_and_write
        self._columns = array("H", bytes(2 + 2 * _MOST))  # of the table measured last
        self._table_at = -1

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
        if p < q and buf[p] == 32:
            p += 1
        k = self._find(b"  ", p, q)
        if k >= 0 and buf.count(b" ", k, q) == q - k:  # what pads a column
            stop = k
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
        st[_LANGUAGE_LENGTH] = st[_PAD] = 0
        e = self._line_end(q)
        self._match(e + 1)
        after = self._line_end(self._q) + 1
        if self._table_at == self._pos:
            st[_COLUMNS:_STACK] = self._columns
            p = self._table_end
        else:
            p = self._measure(q, e, after)
            self._columns[:] = st[_COLUMNS:_STACK]
            self._table_at = self._pos
            self._table_end = p
        self._need(p)
        self._begin()
        self._here = self._pos
        self._pre(True)
        if self._quick:
            self._quick_rows(p, q)
            return
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

    def _measure(self, q, e, after):
        """Find how wide the columns are of the table whose header lies from q to e; return where it ends."""
        self._aim_live(q, self._held)
        self._delimiters(self._q, True)
        mute = self._mute
        self._measuring = self._mute = True
        self._measure_row(q, e)
        p = after
        while True:
            q2 = self._row(p)
            if not q2:
                break
            p = self._line_end(q2)
            self._measure_row(q2, p)
            p += 1
        self._measuring = False
        self._mute = mute
        return p

    def _quick_rows(self, p, q):
        """Count a table that ends before p by its columns; a row that was not measured is no longer than its bytes."""
        st = self._st
        units = 0
        k = st[_COLUMNS]
        while k:
            units += (st[_COLUMNS + k] & 255) + 3
            k -= 1
        k = self._buf.count(b"\n", q, p) + 1
        self._grow(min(units * k * 2 + (p - q), _OVER))
        self._pos = p
        st[_GAP] = 1

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
        self._aim_live(min(p, self._held), self._held)
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
        mute = self._mute
        sink = self._sink
        self._mute = True
        p = self._first_cell(p)
        self._aim_live(p, e)
        k = 0
        while k < st[_COLUMNS]:
            if k:
                self._put(b" | ", 3)
            k += 1
            width = st[_COLUMNS + k]
            align = width >> 8
            self._width = 0
            left = 0
            if p < e:
                p = self._cell(p, e)
                if align > 1 or not sink:
                    self._measuring = True
                    self._cell_text()
                    self._measuring = False
                    left = max((width & 255) - self._width, 0) if align > 1 else 0
                    if align == 3:
                        left >>= 1
                    self._aim_live(self._cell_from, e)
                    if left:
                        self._blank(left)
                    self._cell_text()
                else:
                    self._sink = self._tee  # measures as it writes
                    self._forward = sink
                    self._cell_text()
                    self._sink = sink
            left = (width & 255) - self._width - left
            if k < st[_COLUMNS] and left > 0:
                self._blank(left)
        self._mute = mute

    def _widen_and_write(self, buf, p, end):
        if buf is self._buf or buf is self._tiny:
            self._widen(buf, p, end)
        else:
            self._width += 1  # an escape, or one blank
        self._forward(buf, p, end)
