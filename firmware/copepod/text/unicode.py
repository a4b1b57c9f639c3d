"""Characters beyond ASCII: their code points, what shows, where a text may be cut. Loaded on demand. Memory: none."""

from copepod.text.chars import utf8_b


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
        p += utf8_b(buf[p])
        if code < 0xA0:
            if code > 32:
                return True
        elif code in (0xA0, 0x30A, 0x333, 0x33F, 0x1680, 0x180E, 0x205F, 0x2800, 0x3000, 0xFEFF, 0xFFFC):
            continue
        elif not (0x2000 <= code < 0x2010 or 0x2028 <= code < 0x2030 or 0xE0000 <= code < 0xE0080):
            return True
    return False


def extends(code):
    """True if the character belongs to the one before it: combining, variation, skin tone, tag."""
    return (
        0x300 <= code < 0x370
        or 0x200B <= code < 0x2010
        or 0x20D0 <= code < 0x2100
        or 0xFE00 <= code < 0xFE10
        or 0x1F3FB <= code < 0x1F400
        or code >= 0xE0000
    )


def safe_cut(buf, p, start):
    """The last place up to p, after start, where a text may be cut; p if there is none."""
    place = p
    for _ in range(32):
        while place > start and buf[place] & 0xC0 == 0x80:
            place -= 1
        if place <= start:
            return p
        before = place - 1
        while before > start and buf[before] & 0xC0 == 0x80:
            before -= 1
        code = point(buf, place)
        if not (extends(code) or point(buf, before) == 0x200D):
            if not 0x1F1E6 <= code < 0x1F200:
                return place
            flags = 0  # regional letters before: an even number makes whole flags
            at = place - 4
            while at >= start and 0x1F1E6 <= point(buf, at) < 0x1F200:
                flags += 1
                at -= 4
            if not flags & 1:
                return place
        place = before
    return p
