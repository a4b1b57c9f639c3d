"""Characters that belong together: where a text may be cut. Loaded on demand. Memory: none of its own."""

from copepod.text.chars import point


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
