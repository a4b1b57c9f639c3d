"""Labels, titles, destinations in <> or with parentheses or escapes. Loaded on demand. Memory: none of its own."""

from copepod.text.blanks import skip_prefix
from copepod.text.chars import punctuation
from copepod.text.marks import BACKSLASH, DEFINITION, LINK
from copepod.text.state import LONGEST


def read_destination(state, p, end):
    """A link destination at p: its end, or 0."""
    find = state.find
    end = min(end, p + LONGEST)
    q = find(b")", p, end)
    if q > p and state.buf[p] != 60 and find(b" ", p, q) < 0 and find(b"\n", p, q) < 0 and find(b"(", p, q) < 0:
        if find(b"\\", p, q) < 0 and not (state.tabs and find(b"\t", p, q) > 0):
            state.destination = p
            state.destination_end = q
            return q
    return destination_end(state, p, end)


def destination_end(state, p, end):
    """A link destination at p, before `end`: its end, or 0."""
    buf = state.buf
    if buf[p] == 60:
        state.destination = p = p + 1
        while p < end and buf[p] != 10 and buf[p] != 60:
            if buf[p] == 62:
                state.destination_end = p
                return p + 1
            p += 2 if buf[p] == 92 else 1
        return 0
    state.destination = p
    depth = 0
    while p < end:
        c = buf[p]
        if c <= 32:
            break
        if c == 92 and punctuation(buf[p + 1]):
            p += 1
        elif c == 40:
            depth += 1
        elif c == 41:
            if not depth:
                break
            depth -= 1
        p += 1
    state.destination_end = p
    return 0 if depth or p >= end and end - state.destination == LONGEST else p


def title_end(state, p, end):
    """A title at p: where it ends, or 0."""
    buf = state.buf
    close = buf[p]
    if close not in b"\"'(":
        return 0
    if close == 40:
        close = 41
    end = min(end, p + LONGEST)
    p += 1
    while p < end:
        c = buf[p]
        if c == close:
            return p + 1
        if c == 92:
            p += 1
        elif c == 10 and buf[skip_prefix(state, p + 1)] == 10 or c == 40 and close == 41:
            return 0
        p += 1
    return 0


def label_end(state, p, end):
    """The bracket that closes the label whose text begins at p, or 0."""
    buf = state.buf
    end = min(end, p + 999)
    filled = False
    while p < end:
        c = buf[p]
        if c == 93:
            return p if filled else 0
        if c == 91 or c == LINK or c == DEFINITION or c == 10 and buf[skip_prefix(state, p + 1)] == 10:
            return 0
        if c == 92 or c == BACKSLASH:
            p += 1
        if c > 32:
            filled = True
        p += 1
    return 0
