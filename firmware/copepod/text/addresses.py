"""Bare addresses, which Telegram finds: no delimiter inside one means anything. Loaded on demand. Memory: none."""

from copepod.text.chars import punctuation
from copepod.text.marks import BACKSLASH
from copepod.text.scan import set_mark

_TRAILING = b"?!.,:;*_~|'("  # what ends an address no more than a sentence's end does


def is_address(state, q, start):
    """True if the slash at q is the first one of an address: of https:// or the like, or after example.com."""
    buf = state.buf
    if buf[q - 1] == 58:
        return buf[q + 1] == 47 and q - 1 > start and is_alphanumeric(buf[q - 2])
    p = q
    while p > start and 97 <= buf[p - 1] | 32 <= 122:
        p -= 1
    return q - p > 1 and p - 1 > start and buf[p - 1] == 46 and is_alphanumeric(buf[p - 2])


def is_alphanumeric(c):
    return 48 <= c < 58 or 97 <= c | 32 <= 122


def address_end(state, p, end):
    """Where the address ends whose first slash is before p: before a blank, `<`, CJK, or what closes a bracket."""
    buf = state.buf
    start = p
    round_ = square = 0
    while p < end:
        c = buf[p]
        if c == 92 and p + 1 < end and punctuation(buf[p + 1]):
            set_mark(state, p, BACKSLASH)
            c = BACKSLASH
        if c == BACKSLASH:
            p += 2
            continue
        if c <= 32 or c in b'<>"`\\' or c > 0xE1:
            break
        if c == 40 or c == 41:
            round_ += 1 if c == 40 else -1
        elif c == 91 or c == 93:
            square += 1 if c == 91 else -1
        if round_ < 0 or square < 0:
            break
        p += 1
    while p > start and buf[p - 1] in _TRAILING and not (p - 1 > start and buf[p - 2] == BACKSLASH):
        p -= 1
    return p
