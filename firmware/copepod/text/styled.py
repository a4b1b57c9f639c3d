"""A text of plain lines with bold, italic and code in them. Loaded on demand. Memory: none of its own.

That is what most bots say: "The light is **on**." It needs a fifth of what blocks.py takes. Only what can't mean
anything else is taken for a style: a delimiter with a blank before it and a letter or digit behind it, closed by the
same in the same line, with nothing else in between. With any doubt it is the walk's.
"""

from micropython import const

_SPANS = const(99)  # entities of a message; the walk counts when there are more
_BOLD = (b"<b>", b"</b>")
_ITALIC = (b"<i>", b"</i>")
_CODE = (b"<code>", b"</code>")


def is_styled(state):
    """True if what is held, of which bare.py said that it may be, is a message that write() can write."""
    return _walk(state, _nowhere)


def write(state, sink):
    """Write the piece as HTML."""
    _walk(state, sink)


def _nowhere(buf, start, end):
    pass


def _walk(state, sink):
    buf = state.buf
    find = state.find
    held = state.held
    p = 0
    left = _SPANS
    while True:
        start = p
        while p < held and buf[p] not in b"*_`":
            p += 1
        sink(buf, start, p)
        if p >= held:
            return True
        left -= 1
        c = buf[p]
        wide = buf[p + 1] == c
        q = p + 1 + wide
        end = find(b"`" if c == 96 else b"*" if c == 42 else b"_", q, held)
        line = find(b"\n", q, held)
        if not left or end < 0 or -1 < line < end or not _is_word(buf[q]) or not _is_word(buf[end - 1]):
            return False
        after = end + 1 + wide
        if wide and buf[end + 1] != c or after < held and not _may_follow(buf[after]):
            return False
        if c == 96:
            if wide:
                return False
            tags = _CODE
        else:
            if p and buf[p - 1] != 32 and buf[p - 1] != 10:
                return False
            for k in range(q, end):
                if buf[k] in b"*_`":
                    return False
            tags = _BOLD if wide else _ITALIC
        tag = tags[0]
        sink(tag, 0, len(tag))
        sink(buf, q, end)
        tag = tags[1]
        sink(tag, 0, len(tag))
        p = after


def _is_word(c):
    return 47 < c < 58 or 96 < c | 32 < 123


def _may_follow(c):
    return c == 10 or c in b" .,:;!?)"
