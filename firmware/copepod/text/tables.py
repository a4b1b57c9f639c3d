"""Tables, as aligned columns in a fixed-width block. Memory: none of its own; the window is read twice.

A table that does not fit a piece is cut between rows and goes on with the same columns. Columns beyond
the 16th are left out of the alignment, cells wider than 60 stick out of it, and a row of more than 2,000
bytes is shown as it was written.
"""

from micropython import const

from .blocks import Blocks

_DEPTH = const(36)
_GAP = const(39)
_PAD = const(43)
_KIND = const(37)
_MIDDLE = const(38)
_LANGUAGE_LENGTH = const(46)
_STACK = const(56)
_MOST = const(16)
_COLUMNS = const(28)
_ROW = const(17)
_LANGUAGE = const(4)
_KEPT_LANGUAGE = const(62)
_LONGEST_LANGUAGE = const(24)
_NOWHERE = const(0xFFFF)
_TABLE = const(3)
_WIDEST = const(60)
_LONG_ROW = const(2000)
_LINE = const(1)
_DASHES = b"--------------------------------"

# Scalars of the walk, in the same array.
_HERE = const(11)
_WIDTH = const(14)
_TEXT = const(2)
_COLUMN = const(4)
_BASE = const(6)
_MATCHED = const(7)
_POS = const(1)
_HELD = const(0)
_TABLE_AT = const(-13)
_TABLE_END = const(86)
_CELL_FROM = const(30)
_CELL_TO = const(33)
_MUTE = const(3)
_MEASURING = const(18)


class Tables(Blocks):
    def _table_columns(self, p, q):
        """How many columns the table has whose header is the line at p with its text at q, or 0 if it is none."""
        st = self._st
        e = self._find(b"\n", q)
        if e >= st[_HELD] or self._find(b"|", q, e) < 0 and self._find(b"|", e, self._find(b"\n", e + 1)) < 0:
            return 0
        column = st[_COLUMN]
        base = st[_BASE]
        matched = st[_MATCHED]
        self._match(e + 1)
        n = 0
        if st[_MATCHED] == self._st[_DEPTH] and st[_COLUMN] - st[_BASE] < 4:
            n = self._delimiters(st[_TEXT], False)
        st[_TEXT] = q
        st[_COLUMN] = column
        st[_BASE] = base
        st[_MATCHED] = matched
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
                self._tiny[_COLUMNS + 1 + n] = align << 6
                self._tiny[_COLUMNS] = n + 1
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
        st = self._st
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
        st[_CELL_FROM] = p
        st[_CELL_TO] = stop
        q += 1
        if q < e and self._prefix_blank(q) >= e:
            return e
        return q

    def _table(self, q, stop):
        """A table whose header's text is at q: measure its columns, then write it."""
        st = self._st
        st[_LANGUAGE_LENGTH] = st[_PAD] = 0
        e = self._find(b"\n", q)
        self._match(e + 1)
        after = self._find(b"\n", st[_TEXT]) + 1
        if st[_TABLE_AT] != st[_POS]:
            st[_TABLE_AT] = st[_POS]
            st[_TABLE_END] = self._measure(q, e, after)
        self._need(st[_TABLE_END])
        self._begin()
        st[_HERE] = st[_POS]
        self._pre(True)
        self._write_row(q, e)
        self._break()
        k = 0
        while k < self._tiny[_COLUMNS]:
            if k:
                self._put(b"-|-", 3)
            k += 1
            self._blank(self._tiny[_COLUMNS + k] & 63, _DASHES)
        st[_KIND] = _TABLE
        st[_POS] = after
        self._rows(stop, True)

    def _measure(self, q, e, after):
        """Find how wide the columns are of the table whose header lies from q to e; return where it ends."""
        st = self._st
        self._aim_live(q, st[_HELD])
        self._delimiters(st[_TEXT], True)
        mute = st[_MUTE]
        st[_MUTE] = True
        self._measure_row(q, e)
        p = after
        while True:
            q2 = self._row(p)
            if q2 < 0:
                break
            p = self._find(b"\n", q2)
            self._measure_row(q2, p)
            p += 1
        st[_MUTE] = mute
        return p

    def _row(self, p):
        """Where the text of the row at p begins, or -1 if the table is over."""
        st = self._st
        if p >= st[_HELD]:
            return -1
        self._match(p)
        q = st[_TEXT]
        if self._buf[q] == 10 or st[_MATCHED] < self._st[_DEPTH] or st[_COLUMN] - st[_BASE] > 3:
            return -1
        return -1 if self._interrupts(q, False) else q

    def _rows(self, stop, opened=False):
        st = self._st
        p = st[_POS]
        while p < stop:
            q = p if st[_MIDDLE] else self._row(p)
            if q < 0:
                st[_KIND] = 0
                break
            e = self._find(b"\n", q)
            st[_HERE] = p
            self._note(_LINE, p)
            if opened:
                self._break()
            else:
                self._tiny[_COLUMNS : _COLUMNS + _ROW] = self._tiny[_COLUMNS + _ROW : _COLUMNS + 2 * _ROW]
                st[_TABLE_AT] = _NOWHERE
                self._pre(True)
                opened = True
            if e - q > _LONG_ROW or st[_MIDDLE]:
                st[_MIDDLE] = 0
                if e > stop:
                    e = stop
                    st[_MIDDLE] = 1
                self._aim_live(q, e)
                self._raw(q, e)
            else:
                self._write_row(q, e)
            p = e if st[_MIDDLE] else e + 1
        if opened:
            self._pre(False)
        self._aim_live(min(p, st[_HELD]), st[_HELD])
        st[_GAP] = 1
        st[_POS] = p

    def _keep(self):
        """The next piece begins inside this table, or this code."""
        self._tiny[_COLUMNS + _ROW : _COLUMNS + 2 * _ROW] = self._tiny[_COLUMNS : _COLUMNS + _ROW]
        self._tiny[_KEPT_LANGUAGE : _KEPT_LANGUAGE + _LONGEST_LANGUAGE] = self._tiny[_LANGUAGE:_COLUMNS]

    def _cell_width(self):
        """Note the width of the cell in _width; True if there is nothing but text in it."""
        st = self._st
        p = st[_CELL_FROM]
        end = st[_CELL_TO]
        self._resolve(p, end)
        st[_WIDTH] = 0
        if min(self._live_at) >= end:
            self._widen(self._buf, p, end)
            return True
        st[_MEASURING] = True
        self._text(p, end)
        st[_MEASURING] = False
        return False

    def _measure_row(self, p, e):
        st = self._st
        if e - p > _LONG_ROW:
            return
        p = self._first_cell(p)
        k = 0
        while p < e and k < self._tiny[_COLUMNS]:
            p = self._cell(p, e)
            self._cell_width()
            k += 1
            width = self._tiny[_COLUMNS + k]
            if st[_WIDTH] > width & 63:
                self._tiny[_COLUMNS + k] = width & 0xC0 | min(st[_WIDTH], _WIDEST)

    def _write_row(self, p, e):
        st = self._st
        mute = st[_MUTE]
        st[_MUTE] = True
        p = self._first_cell(p)
        self._aim_live(p, e)
        k = 0
        while k < self._tiny[_COLUMNS]:
            if k:
                self._put(b" | ", 3)
            k += 1
            width = self._tiny[_COLUMNS + k]
            align = width >> 6
            width &= 63
            st[_WIDTH] = 0
            left = 0
            if p < e:
                p = self._cell(p, e)
                plain = self._cell_width()
                if align > 1 and st[_WIDTH] < width:
                    left = width - st[_WIDTH]
                    if align == 3:
                        left >>= 1
                    self._blank(left)
                if not plain:
                    self._aim_live(st[_CELL_FROM], e)
                    self._text(st[_CELL_FROM], st[_CELL_TO])
                elif st[_CELL_FROM] < st[_CELL_TO]:
                    self._run(st[_CELL_FROM], st[_CELL_TO])
            left = width - st[_WIDTH] - left
            if k < self._tiny[_COLUMNS] and left > 0:
                self._blank(left)
        st[_MUTE] = mute
