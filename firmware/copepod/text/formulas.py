"""Formulas in dollars, which stay as they are written. Loaded on demand. Memory: none of its own."""


def formula_end(state, p, end):
    """After the formula in dollars that begins at p, or 0: $$...$$, or $...$ on a line and not money."""
    buf = state.buf
    if buf[p + 1] == 36:
        q = state.find(b"$$", p + 2, end)
        return q + 2 if q > p + 2 else 0
    if buf[p + 1] <= 32 or p + 1 >= end:
        return 0
    stop = state.find(b"\n", p, end)
    q = state.find(b"$", p + 1, end if stop < 0 else stop)
    if q < 0 or buf[q - 1] <= 32 or buf[q - 1] == 92 or 48 <= buf[q + 1] < 58 or not is_formula(state, p + 1, q):
        return 0
    return q + 1


def is_formula(state, p, end):
    """True if the text has something that only a formula has."""
    buf = state.buf
    while p < end:
        if buf[p] in b"\\^_={}":
            return True
        p += 1
    return False
