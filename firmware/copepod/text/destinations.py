"""Destinations in <> or with parentheses or escapes; titles. Loaded on demand. Memory: none of its own."""

from copepod.text.chars import punctuation
from copepod.text.links import LONGEST, skip_prefix


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
