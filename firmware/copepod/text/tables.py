"""Tables, as aligned columns in a fixed-width block. Loaded on demand. Memory: 34 bytes; the window is read twice.

A table that does not fit a piece is cut between rows and goes on with the same columns. Cells beyond the 16th, or
beyond the header's, are shown on lines below it, cells wider than 60 stick out of it, and a row of more than
2,000 bytes is shown as it was written. While a cell is measured, this module is what counts: columns, not units.
"""

import sys

from micropython import const

from copepod.text.blanks import skip_blanks
from copepod.text.chars import utf8_b
from copepod.text.unicode import extends, point
from copepod.text.containers import match_line
from copepod.text.emphasis import resolve
from copepod.text.fences import put_pre
from copepod.text.inline import write_text
from copepod.text.lines import interrupts
from copepod.text.literal import put_raw
from copepod.text.margins import begin_block
from copepod.text.output import put_blanks, put_breaks, put_run, put_text
from copepod.text.scan import aim_stops
from copepod.text.state import FAR, LINE, TABLE

_MOST = const(16)  # columns
_WIDEST = const(60)
_COLUMN_UNITS = const(63)  # the same with what follows it
_LONG_ROW = const(2000)
_DASHES = b"--------------------------------"


def table_columns(state, p, q):
    """How many columns the table has whose header is the line at p with its text at q, or 0 if it is none."""
    e = state.find(b"\n", q)
    if e >= state.held or state.find(b"|", q, e) < 0 and state.find(b"|", e, state.find(b"\n", e + 1)) < 0:
        return 0
    column = state.column
    base = state.base
    matched = state.matched
    match_line(state, e + 1)
    n = 0
    if state.matched == state.depth and state.column - state.base < 4:
        n = delimiter_row(state, state.text_at, False)
    state.text_at = q
    state.column = column
    state.base = base
    state.matched = matched
    if n:
        cells = 0
        p = first_cell(state, q)
        while p < e:
            p = next_cell(state, p, e)
            cells += 1
        if cells != n:
            n = 0
    return n


def delimiter_row(state, p, keep):
    """Count the columns of a delimiter row at p, or 0; keep their alignment if asked to."""
    buf = state.buf
    n = bars = 0
    if buf[p] == 124:
        bars = 1
        p += 1
    while True:
        p = skip_blanks(state, p)
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
            state.columns[1 + n] = align << 6
            state.columns[0] = n + 1
        n += 1
        p = skip_blanks(state, p)
        if buf[p] == 124:
            bars = 1
            p += 1
        elif buf[p] != 10:
            return 0


def first_cell(state, q):
    return q + 1 if state.buf[q] == 124 else q


def next_cell(state, p, e):
    """Note in state.cell and cell_end the text of the cell that begins at p; return where the next one begins."""
    buf = state.buf
    q = p
    while True:
        q = state.find(b"|", q, e)
        if q < 0:
            q = e
            break
        if buf[q - 1] != 92 and buf[q - 1] != 1:
            break
        q += 1
    stop = q
    if p < q and buf[p] == 32:
        p += 1
    k = state.find(b"  ", p, q)
    if k >= 0 and buf.count(b" ", k, q) == q - k:  # what pads a column
        stop = k
    while stop > p and buf[stop - 1] in b" \t":
        stop -= 1
    while p < stop and buf[p] in b" \t":
        p += 1
    state.cell = p
    state.cell_end = stop
    q += 1
    if q < e and skip_blanks(state, q) >= e:
        return e
    return q


def write_table(state, q, stop):
    """A table whose header's text is at q: measure its columns, then write it."""
    state.language_length = state.indent = 0
    e = state.find(b"\n", q)
    match_line(state, e + 1)
    after = state.find(b"\n", state.text_at) + 1
    if state.columns is None:
        state.columns = bytearray(1 + _MOST)
        state.kept_columns = bytearray(1 + _MOST)
    if state.table_at != state.pos:
        state.table_at = state.pos
        state.table_end = measure_table(state, q, e, after)
    if not state.sink:
        state.counter.block_ends(state, state.table_end)
    begin_block(state)
    state.latest_cut = state.pos
    put_pre(state, True)
    header = state.pos if write_row(state, q, e) else -1
    put_breaks(state)
    k = 0
    while k < state.columns[0]:
        if k:
            put_text(state, b"-|-", 3)
        k += 1
        put_blanks(state, state.columns[k] & 63, _DASHES)
    state.block = TABLE
    state.pos = after
    write_rows(state, stop, True, header)


def measure_table(state, q, e, after):
    """Find how wide the columns are of the table whose header lies from q to e; return where it ends."""
    aim_stops(state, q, state.held)
    delimiter_row(state, state.text_at, True)
    mute = state.mute
    state.mute = True
    measure_row(state, q, e)
    p = after
    while True:
        q2 = row_text(state, p)
        if q2 < 0:
            break
        p = state.find(b"\n", q2)
        measure_row(state, q2, p)
        p += 1
    state.mute = mute
    return p


def row_text(state, p):
    """Where the text of the row at p begins, or -1 if the table is over."""
    if p >= state.held:
        return -1
    match_line(state, p)
    q = state.text_at
    if state.buf[q] == 10 or state.matched < state.depth or state.column - state.base > 3:
        return -1
    return -1 if interrupts(state, q, False) else q


def write_rows(state, stop, opened=False, header=-1):
    """Rows up to `stop`, and below the table what they, or the header if there is one, have no column for."""
    start = p = state.pos
    rest = header >= 0
    while p < stop:
        q = p if state.mid_line else row_text(state, p)
        if q < 0:
            state.block = 0
            break
        e = state.find(b"\n", q)
        state.latest_cut = p
        if state.inside_block:
            state.counter.note(state, LINE, p)
        if opened:
            put_breaks(state)
        else:
            state.columns[:] = state.kept_columns
            state.table_at = FAR
            put_pre(state, True)
            opened = True
        if e - q > _LONG_ROW or state.mid_line:
            state.mid_line = 0
            if e > stop:
                e = stop
                state.mid_line = 1
            aim_stops(state, q, e)
            put_raw(state, q, e)
        else:
            rest = write_row(state, q, e) or rest
        p = e if state.mid_line else e + 1
    if opened:
        put_pre(state, False)
        if rest and state.sink:
            if header >= 0:
                write_rests(state, header, header + 1)
            write_rests(state, start, p)
    aim_stops(state, min(p, state.held), state.held)
    state.gap = 1
    state.pos = p


def measure_cell(state):
    """Note the width of the cell in state.width; True if there is nothing but text in it."""
    p = state.cell
    end = state.cell_end
    resolve(state, p, end)
    state.width = 0
    if min(state.stops_at) >= end:
        count_run(state, p, end)
        return True
    sink = state.sink
    counter = state.counter
    state.sink = None
    state.counter = sys.modules[__name__]
    write_text(state, p, end)
    state.sink = sink
    state.counter = counter
    return False


def count_run(state, p, end):
    """Text of a cell from p to end of the buffer."""
    state.width += columns_of(state.buf, p, end) if state.wide else end - p


def count_text(state, n):
    """Text that is not in the buffer, of n columns; blanks and line feeds, too."""
    state.width += n


count_units = count_text


def count_character(state, n):
    """The character of n bytes in state.character."""
    state.width += columns_of(state.character, 0, n)


def measure_row(state, p, e):
    """Widen the columns for the row that lies from p to e; mark what its cells mean."""
    if e - p > _LONG_ROW:
        return
    p = first_cell(state, p)
    k = 0
    while p < e:
        p = next_cell(state, p, e)
        measure_cell(state)
        k += 1
        if k <= state.columns[0]:
            width = state.columns[k]
            if state.width > width & 63:
                state.columns[k] = width & 0xC0 | min(state.width, _WIDEST)


def write_row(state, p, e):
    """The row that lies from p to e; True if it has cells for which there is no column."""
    mute = state.mute
    state.mute = True
    p = first_cell(state, p)
    aim_stops(state, p, e)
    k = 0
    while k < state.columns[0]:
        if k:
            put_text(state, b" | ", 3)
        k += 1
        width = state.columns[k]
        align = width >> 6
        width &= 63
        state.width = 0
        left = 0
        if p < e:
            p = next_cell(state, p, e)
            plain = measure_cell(state)
            if align > 1 and state.width < width:
                left = width - state.width
                if align == 3:
                    left >>= 1
                put_blanks(state, left)
            if not plain:
                aim_stops(state, state.cell, e)
                write_text(state, state.cell, state.cell_end)
            elif state.cell < state.cell_end:
                put_run(state, state.cell, state.cell_end)
        left = width - state.width - left
        if k < state.columns[0] and left > 0:
            put_blanks(state, left)
    rest = p < e
    if rest and not state.sink:
        write_rest(state, p, e)  # counted with its row, after which the piece may end
    while p < e:
        p = next_cell(state, p, e)
        resolve(state, state.cell, state.cell_end)
    state.mute = mute
    return rest


def write_rest(state, p, e):
    """The cells from p on, for which there is no column, on a line of their own."""
    put_breaks(state)
    start = p
    while p < e:
        if p > start:
            put_text(state, b" | ", 3)
        p = next_cell(state, p, e)
        resolve(state, state.cell, state.cell_end)
        aim_stops(state, state.cell, e)
        write_text(state, state.cell, state.cell_end)


def write_rests(state, p, end):
    """The same for all lines of the table from p to `end`."""
    mute = state.mute
    state.mute = True
    while p < end:
        match_line(state, p)
        q = state.text_at
        e = state.find(b"\n", q)
        if e - q <= _LONG_ROW:
            p = first_cell(state, q)
            k = state.columns[0]
            while p < e and k:
                p = next_cell(state, p, e)
                k -= 1
            if p < e:
                write_rest(state, p, e)
        p = e + 1
    state.mute = mute


def table_growth(state, p, e):
    """Units that alignment may add to the table whose delimiter row lies from p to e."""
    held = state.held
    buf = state.buf
    end = state.find(b"\n\n", e, held)
    if end < 0:
        end = held
    start = buf.rfind(b"\n", 0, max(p - 1, 0)) + 1
    columns = buf.count(b"|", p, e) + 1
    rows = buf.count(b"\n", start, end) + 1
    return rows * min(columns, _MOST) * _COLUMN_UNITS + rows + 2 * buf.count(b"|", start, end)


def columns_of(buf, p, end):
    """Columns that the text takes in a fixed-width font: 2 for East Asian and emoji, 0 for combining."""
    n = 0
    joined = False
    while p < end:
        c = buf[p]
        if c < 0x80:
            p += 1
            n += 1
            continue
        if not joined:
            if c < 0xE0 and c != 0xCC and c != 0xCD:  # Latin, Greek, Cyrillic, Hebrew, Arabic
                p += 2
                n += 1
                continue
            if 0xE3 < c < 0xEA or 0xEA < c < 0xED:  # Chinese, Korean
                p += 3
                n += 2
                continue
        code = point(buf, p)
        p += utf8_b(c)
        if code == 0x200D:
            joined = True
            continue
        if extends(code):
            continue
        wide = 0x1100 <= code < 0x1160 or 0x2E80 <= code < 0xA4D0 or 0xAC00 <= code < 0xD7A4
        wide = wide or 0xF900 <= code < 0xFB00 or 0xFE30 <= code < 0xFE70 or 0xFF00 <= code < 0xFF61
        wide = wide or code > 0x1F000 or code in (0x2705, 0x274C, 0x2B50, 0x26A0, 0x231B, 0x23F3, 0x2728)
        if not joined:
            n += 2 if wide else 1
        joined = False
    return n
