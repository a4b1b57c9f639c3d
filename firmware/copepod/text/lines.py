"""What a line begins: marker, thematic break, heading, fence; what ends a paragraph. Memory: loaded on demand."""

from .containers import find_text
from .state import QUOTE

_STARTS = b">#`~-+*_0123456789"


def list_marker(state, q):
    """A list marker at q: its character, or 0; its end goes to state.marker_end, its number to state.number."""
    buf = state.buf
    c = buf[q]
    e = q + 1
    if c not in b"-+*":
        n = 0
        while 48 <= buf[e - 1] < 58 and e - q < 11:
            n = n * 10 + buf[e - 1] - 48
            e += 1
        c = buf[e - 1]
        if e - q == 1 or e - q > 10 or c not in b".)":
            return 0
        state.number = min(n, 65535)
    if buf[e] not in b" \t\n":
        return 0
    state.marker_end = e
    return c


def is_rule(state, q):
    """True if the line whose text begins at q is a thematic break."""
    buf = state.buf
    c = buf[q]
    d = buf[q + 1]
    if c not in b"-*_" or d != c and (d > 32 or buf[q + 2] != c and buf[q + 2] > 32):
        return False
    e = state.find(b"\n", q)
    state.needle[0] = c
    n = buf.count(state.needle, q, e)
    return n > 2 and n + buf.count(b" ", q, e) + buf.count(b"\t", q, e) == e - q


def heading_level(state, q):
    """The length of the run of # that opens a heading at q, or 0."""
    buf = state.buf
    p = q
    while buf[p] == 35:
        p += 1
    return p - q if p - q < 7 and buf[p] in b" \t\n" else 0


def fence_run(state, q):
    """The length of the run that opens a fenced block at q, or 0."""
    buf = state.buf
    c = buf[q]
    p = q
    while buf[p] == c:
        p += 1
    if p - q < 3:
        return 0
    if c == 96:
        e = state.find(b"\n", p)
        for mark in b"`\x16\x1e":  # or one that is marked
            state.needle[0] = mark
            if state.find(state.needle, p, e) > 0:
                return 0
    return p - q


def interrupts(state, q, listed):
    """True if the line whose text begins at q ends the paragraph before it (`listed`: in the same item)."""
    c = state.buf[q]
    if c not in _STARTS:
        return False
    if c == QUOTE or is_rule(state, q):
        return True
    if c == 35:
        return heading_level(state, q) > 0
    if c == 96 or c == 126:
        return fence_run(state, q) > 0
    if c == 95 or not list_marker(state, q):
        return False
    if not listed:
        return True
    find_text(state, state.marker_end, 0)
    return state.buf[state.text_at] != 10 and (c < 48 or state.number == 1)


def may_be_table(state, q):
    """True if the line after the one with q begins as a table's delimiter row does."""
    buf = state.buf
    q = state.find(b"\n", q) + 1
    while q < state.held and buf[q] in b" \t>":
        q += 1
    return buf[q] in b"|-:"
