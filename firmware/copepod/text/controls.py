"""Control characters and lone surrogates, taken out; tabs, written. Loaded on demand. Memory: none of its own."""

from copepod.text.unicode import units
from copepod.text.output import put_blanks, put_escaped, put_run
from copepod.text.scan import use_mark
from copepod.text.state import FAR


def repair(state, p, held):
    """No controls beyond ASCII, no surrogates."""
    buf = state.buf
    q = p
    end = max(held - 2, 0)
    while True:
        q = state.find(b"\xc2", q, end + 1)
        if q < 0:
            break
        q += 1
        if buf[q] < 0xA0:
            buf[q] = 0xA0
    q = p
    while True:
        q = state.find(b"\xed", q, end)
        if q < 0:
            break
        if buf[q + 1] > 0x9F:
            buf[q] = 0xEF
            buf[q + 1] = 0xBF
            buf[q + 2] = 0xBD
        q += 1
    blank_out(state, 127, p, held)


def blank_controls(state, lowest, p, held):
    """Controls but tabs and line feeds become blanks, as the server would have it; NULs stay, to be U+FFFD."""
    q = state.find(b"\r", p, held)
    if q >= 0:
        held = drop_returns(state, q, held)
    if lowest < 10:
        for c in b"\t\0":
            state.needle[0] = c
            if state.find(state.needle, p, held) >= 0:
                state.tabs = True
                if state.stops.find(state.needle) < 0:
                    use_mark(state, c)
    for c in range(1 if lowest < 9 else 11, 32):
        if c != 9 and c != 10:
            blank_out(state, c, p, held)
    return held


def blank_out(state, c, p, held):
    """Blanks instead of c."""
    state.needle[0] = c
    while True:
        p = state.find(state.needle, p, held)
        if p < 0:
            break
        state.buf[p] = 32


def drop_returns(state, q, held):
    """Take the returns out of the text from q on: CR LF and CR become LF."""
    buf = state.buf
    p = q
    while q < held:
        c = buf[q]
        q += 1
        if c == 13:
            c = 10
            if q == held:
                state.after_return = True
            elif buf[q] == 10:
                q += 1
        buf[p] = c
        p += 1
    return p


def put_tabbed(state, p, end, column):
    """Literal text with tabs, which go to the next fourth column, or NULs; the text is at `column`."""
    start = p
    at = state.stops_at
    needle = state.needle
    while p < end:
        q = end
        for k in range(1, len(at)):
            if k < 4 or state.stops[k] in b"\t\0":
                r = at[k]
                if r < p:
                    needle[0] = state.stops[k]
                    r = at[k] = state.find(needle, p, state.stops_end) & FAR
                if r < q:
                    q = r
        if q > p:
            put_run(state, p, q)
        if q < end:
            c = state.buf[q]
            if c == 9:
                n = 4 - (column + units(state.buf, start, q) & 3)
                column += n - 1
                put_blanks(state, n)
            else:
                put_escaped(state, c)
        p = q + 1
