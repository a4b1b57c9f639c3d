r"""Formulas, which stay as they are written: $...$, $$...$$, \(...\), \[...\]. Loaded on demand. Memory: none."""

from copepod.text.blanks import skip_blanks
from copepod.text.literal import begin_code, end_code, write_literal
from copepod.text.marks import MATH
from copepod.text.output import put_text

_SIGNS = b"\\^_={}"  # only a formula has them
_OPERATORS = b"+-*/<>|"


def formula_end(state, p, end):
    """After the formula that begins at p, or 0 if there is none; one in dollars lies on a line and is not money."""
    buf = state.buf
    if buf[p] == 92:
        q = marked_end(state, p, end) - 2
        if q <= p + 2 or buf[q - 1] == 92:
            return 0
        found = has_any(state, p + 2, q, _SIGNS)
        if not found and not has_word(state, p + 2, q):
            found = buf[p + 1] == 40 or has_any(state, p + 2, q, _OPERATORS)
        return q + 2 if found else 0
    if buf[p + 1] == 36:
        q = marked_end(state, p, end)
        return q if q > p + 4 else 0
    if buf[p + 1] <= 32 or p + 1 >= end:
        return 0
    stop = state.find(b"\n", p, end)
    q = state.find(b"$", p + 1, end if stop < 0 else stop)
    if q < 0 or buf[q - 1] <= 32 or buf[q - 1] == 92 or 48 <= buf[q + 1] < 58 or not has_any(state, p + 1, q, _SIGNS):
        return 0
    return q + 1


def marked_end(state, p, end):
    """After the formula that begins at p, marked or not."""
    opens = state.buf[p + 1]
    if state.buf[p] == MATH or state.buf[p] == 36:
        close = b"$$" if opens == 36 else b"$"
    else:
        close = b"\\)" if opens == 40 else b"\\]"
    n = len(close)
    return state.find(close, p + n, end) + n


def has_any(state, p, end, chars):
    """True if the text has one of `chars`."""
    buf = state.buf
    while p < end:
        if buf[p] in chars:
            return True
        p += 1
    return False


def has_word(state, p, end):
    """True if the text has three letters in a row or one beyond ASCII, or nothing but blanks."""
    buf = state.buf
    n = 0
    shown = False
    while p < end and n < 3:
        c = buf[p]
        if c > 127:
            return True
        n = n + 1 if 97 <= c | 32 <= 122 else 0
        shown = shown or c > 32
        p += 1
    return n > 2 or not shown


def stands_alone(state, p, stop):
    """True if the formula from p to `stop` has its lines, or an item's, for itself."""
    buf = state.buf
    after = skip_blanks(state, stop)
    if after < state.held and buf[after] != 10:
        return False
    q = p - 1
    while q >= 0 and buf[q] in b" \t>":
        q -= 1
    if q < 0 or buf[q] == 10:
        return True
    if buf[q] not in b"-+*.)":
        return False
    state.room_for("definitions")
    from copepod.text.definitions import skip_any_prefix

    return skip_any_prefix(state, buf.rfind(b"\n", 0, p) + 1) == p


def write_formula(state, q, end):
    """Write the formula that is marked at q; return what follows."""
    stop = marked_end(state, q, end)
    alone = stands_alone(state, q, stop) and begin_code(state)
    put_text(state, b"$" if state.buf[q] == MATH else b"\\")
    write_literal(state, q + 1, stop)
    if alone:
        end_code(state)
    return stop
