"""Whether a text fits a message, seen without walking over it. Memory: none of its own.

An upper bound of what the text becomes, from counts of single bytes (at the speed of count()) and, for a
longer text, from a look at how each line begins. Most answers fit, and then are walked over once, not twice.
"""

from micropython import const

_TINY = const(64)  # bytes that can't come to too many entities
_SHORT = const(184)  # the same with no more code than this: each span may close four styles and open them again
_CODES = const(12)  # backticks, or beginnings of formulas


def fits(state):
    """True if what is held fits a message and has something to show, whatever it means; no need to count then."""
    buf = state.buf
    held = state.held
    if state.tabs or state.block:
        return False
    p = 0
    while True:
        while buf[p] in b"#*->_ +|":
            p += 1
        c = buf[p]
        if c == 96:  # of code or not, what follows is shown
            p += 1
            c = buf[p]
        if 47 <= c < 58 or 97 <= c | 32 <= 122 or c > 127 and surely_shows(buf, p):
            break
        p = state.find(b"\n\n", p, held) + 2
        if p < 2:
            return False
    if held <= _SHORT and not state.bars:
        codes = buf.count(b"`", 0, held) + buf.count(b"$", 0, held) + buf.count(b"\\", 0, held)
        if held <= _TINY or codes <= _CODES:
            return True
    state.room_for("bounds")
    from copepod.text import bounds

    return bounds.surely_fits(state, held)


def surely_shows(buf, p):
    """True if the character at p, which is not ASCII, is none that may be blank."""
    c = buf[p]
    after = buf[p + 1]
    if c == 0xE2:  # not the spaces and joiners of U+20xx, nor the empty Braille pattern
        return after > 0x81 and after != 0xA0 or after == 0x80 and 0x8F < buf[p + 2] < 0xA8
    if c < 0xE0:
        return c > 0xC2 and c != 0xCC and c != 0xCD
    return c != 0xE1 and c < 0xEF and (c != 0xE3 or after > 0x80) or c == 0xF0
