"""Characters of ASCII: blank or punctuation; how long any character is. Memory: constants only."""

from micropython import const

# The kinds of characters that emphasis knows; any other is 0.
BLANK = const(1)
PUNCTUATION = const(2)  # and symbols
CJK = const(3)
CJK_PUNCTUATION = const(4)
# Of ASCII; marks are punctuation, since they stand for it.
KINDS = (
    b"\2\2\2\2\2\2\2\2\2\1\1\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2"
    b"\1\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\0\0\0\0\0\0\0\0\0\0\2\2\2\2\2\2"
    b"\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\2\2\2\2"
    b"\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\2\2\2\0"
)


def utf8_b(c):
    """How many bytes a character has whose first is c."""
    return 1 if c < 0xC0 else 2 if c < 0xE0 else 3 if c < 0xF0 else 4


def punctuation(c):
    """True for ASCII punctuation."""
    return 32 < c < 128 and KINDS[c] > 1
