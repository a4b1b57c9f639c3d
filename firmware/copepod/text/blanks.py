"""Skipping blanks, line ends and the marks of quotes. Memory: none of its own."""


def skip_prefix(state, p):
    """Where the text of a paragraph's line begins: after blanks and the marks of open quotes."""
    buf = state.buf
    n = state.quotes
    while True:
        c = buf[p]
        if c == 62 and n:
            n -= 1
        elif c != 32 and c != 9:
            return p
        p += 1


def skip_gap(state, p):
    """Skip blanks and at most one line end."""
    q = skip_blanks(state, p)
    if state.buf[q] == 10:
        q = skip_prefix(state, q + 1)
    return q


def skip_blanks(state, p):
    """The first place from p on that is no blank or tab."""
    buf = state.buf
    while buf[p] == 32 or buf[p] == 9:
        p += 1
    return p
