"""Characters: what counts as blank or punctuation, how long, whether they show. Memory: constants only."""

# Of ASCII: 1 for what is blank, 2 for punctuation, also for the marks that stand for it.
KINDS = (
    b"\2\2\2\2\2\2\2\2\2\1\1\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2"
    b"\1\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\0\0\0\0\0\0\0\0\0\0\2\2\2\2\2\2"
    b"\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\2\2\2\2"
    b"\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\2\2\2\0"
)


def point(buf, p):
    """The code point of the character that starts at p."""
    c = buf[p]
    if c < 0x80:
        return c
    if c < 0xE0:
        return (c & 0x1F) << 6 | buf[p + 1] & 0x3F
    if c < 0xF0:
        return (c & 0x0F) << 12 | (buf[p + 1] & 0x3F) << 6 | buf[p + 2] & 0x3F
    return (c & 7) << 18 | (buf[p + 1] & 0x3F) << 12 | (buf[p + 2] & 0x3F) << 6 | buf[p + 3] & 0x3F


def size(c):
    """How many bytes a character has whose first is c."""
    return 1 if c < 0xC0 else 2 if c < 0xE0 else 3 if c < 0xF0 else 4


def punctuation(c):
    """True for ASCII punctuation."""
    return 32 < c < 128 and KINDS[c] > 1


def units(buf, p, end):
    """UTF-16 units of the text from p to end."""
    n = end - p
    while p < end:
        c = buf[p]
        if c < 0x80:
            p += 1
        elif c < 0xE0:
            p += 2
            n -= 1
        else:
            n -= 2
            p += 3 if c < 0xF0 else 4
    return n


def visible(buf, p, end):
    """True if there is anything that Telegram does not count as blank."""
    while p < end:
        code = point(buf, p)
        p += size(buf[p])
        if code < 0xA0:
            if code > 32:
                return True
        elif code in (0xA0, 0x30A, 0x333, 0x33F, 0x1680, 0x180E, 0x205F, 0x2800, 0x3000, 0xFEFF, 0xFFFC):
            continue
        elif not (0x2000 <= code < 0x2010 or 0x2028 <= code < 0x2030 or 0xE0000 <= code < 0xE0080):
            return True
    return False
