"""Parts of a link: blanks, destination, title, label; what Telegram keeps. Memory: none of its own.

What a destination spans is left in state.destination and state.destination_end.
"""

from micropython import const

from .blanks import skip_gap
from .chars import punctuation
from .marks import END_INLINE, END_LABEL
from .output import put_code_point, put_tag, reference_at
from .state import LONGEST

_STRIDE = const(64)  # bytes of a destination that are looked through at once
_HREF = b'&<>"\\'
_SCHEMES = (b"http://", b"https://", b"tg://", b"ton://", b"tonsite://")


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
    from copepod.text.destinations import destination_end

    return destination_end(state, p, end)


def inline_end(state, p, end):
    """The end of `(destination "title")` whose parenthesis is at p, or 0."""
    buf = state.buf
    q = skip_gap(state, p + 1)
    if q < end and buf[q] == 41:
        state.destination = state.destination_end = q
        return q + 1
    p = read_destination(state, q, end)
    if not p:
        return 0
    q = skip_gap(state, p)
    if q > p and q < end and buf[q] != 41:
        from copepod.text.destinations import title_end

        q = title_end(state, q, end)
        if not q:
            return 0
        q = skip_gap(state, q)
    return q + 1 if q < end and buf[q] == 41 else 0


def link_tail(state, q, end):
    """Where the link whose closing bracket is marked at q ends; for ( ) the destination is noted too."""
    c = state.buf[q]
    if c == END_INLINE:
        return inline_end(state, q + 1, end)
    if c == END_LABEL:
        from copepod.text.destinations import label_end

        return (label_end(state, q + 2, end) or q + 2) + 1
    return q + 1


def is_kept(state):
    """True if the server keeps a link to what lies from state.destination to its end."""
    buf = state.buf
    p = state.destination
    end = state.destination_end
    for scheme in _SCHEMES:
        n = len(scheme)
        if n < end - p:
            k = 0
            while k < n and buf[p + k] | 32 == scheme[k] | 32:
                k += 1
            if k == n:
                break
    else:
        return False
    p += n
    if scheme[0] == 116:
        return True
    start = p
    dot = 0
    while p < end:
        c = buf[p]
        if c == 47 or c == 63 or c == 35:
            break
        if c == 46 and p > start:
            dot = p
        elif c == 64:
            dot = 0
            start = p + 1
        elif c <= 32 or c in b'"<>\\^`{|}%&':
            return False
        p += 1
    return buf[start] == 91 or dot > 0 and dot < p - 1


def put_href(state, literal=False):
    """Write the destination as an attribute's value, in a tag that opens a link."""
    put_tag(state, b'<a href="', 1)
    p = state.destination
    end = state.destination_end
    sink = state.sink
    while p < end:
        stop = q = min(end, p + _STRIDE)
        for c in _HREF:
            state.needle[0] = c
            k = state.find(state.needle, p, q)
            if k >= 0:
                q = k
        if not sink:
            state.tag_bytes += q - p + 6
        elif q > p:
            sink(state.buf, p, q)
        p = q + 1
        if q == stop:
            p = q
        else:
            c = state.buf[q]
            if literal:
                pass
            elif c == 92 and q + 1 < end and punctuation(state.buf[q + 1]):
                c = state.buf[p]
                p += 1
            elif c == 38:
                found = reference_at(state, q, end)
                if found:
                    c = found >> 6
                    p = q + (found & 63)
            if not sink:
                pass
            elif c == 34:
                sink(b"&quot;", 0, 6)
            else:
                put_code_point(state, c)
    put_tag(state, b'">')
