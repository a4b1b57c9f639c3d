"""Which characters beyond ASCII are blank, punctuation or symbols. Loaded on demand. Memory: none of its own."""

from copepod.text.chars import BLANK, CJK, CJK_PUNCTUATION, PUNCTUATION
from copepod.text.unicode import point


def kind_of(buf, p):
    """The kind of the character at p, which is not ASCII."""
    # Beyond ASCII: punctuation and symbols, as first and last code points (two bytes each), ascending.
    ranges = (
        b"\x00\xa1\x00\xa9\x00\xab\x00\xac\x00\xae\x00\xb1\x00\xb4\x00\xb4\x00\xb6\x00\xb8\x00\xbb\x00\xbb"
        b"\x00\xbf\x00\xbf\x00\xd7\x00\xd7\x00\xf7\x00\xf7\x05\x5a\x05\x5f\x05\x89\x05\x8a\x05\xbe\x05\xbe"
        b"\x05\xf3\x05\xf4\x06\x0c\x06\x0c\x06\x1b\x06\x1f\x06\x6a\x06\x6d\x06\xd4\x06\xd4\x09\x64\x09\x65"
        b"\x20\x10\x20\x27\x20\x30\x20\x5e\x20\x7a\x20\x7e\x20\x8a\x20\x8e\x20\xa0\x20\xcf\x21\x00\x21\x01"
        b"\x21\x16\x21\x17\x21\x22\x21\x22\x21\x90\x24\x26\x24\x9c\x24\xe9\x25\x00\x27\x75\x27\x94\x2b\xff"
        b"\x2e\x00\x2f\xff\x30\x01\x30\x04\x30\x08\x30\x20\x30\x30\x30\x30\x30\x3d\x30\x3f\x30\x9b\x30\x9c"
        b"\x30\xa0\x30\xa0\x30\xfb\x30\xfb\xfe\x30\xfe\x6f\xff\x01\xff\x0f\xff\x1a\xff\x20\xff\x3b\xff\x40"
        b"\xff\x5b\xff\x65\xff\xe0\xff\xfd"
    )
    c = buf[p]
    c = point(buf, p)
    if c in (0xA0, 0x1680, 0x202F, 0x205F, 0x3000) or 0x2000 <= c <= 0x200A:
        return BLANK
    if c > 0xFFFF:
        return CJK if 0x20000 <= c < 0x40000 else PUNCTUATION if 0x1F000 <= c < 0x20000 else 0
    low = 0
    high = len(ranges) >> 2
    while low < high:
        middle = (low + high) >> 1
        if ranges[middle * 4 + 2] << 8 | ranges[middle * 4 + 3] < c:
            low = middle + 1
        else:
            high = middle
    low *= 4
    symbol = low < len(ranges) and ranges[low] << 8 | ranges[low + 1] <= c
    if is_cjk(c):
        return CJK_PUNCTUATION if symbol else CJK
    return PUNCTUATION if symbol else 0


def is_cjk(code):
    """True for Chinese, Japanese and Korean, their punctuation and full-width forms."""
    if code < 0x2E80:
        return 0x1100 <= code < 0x1200
    if code < 0xA960:
        return code < 0xA4D0
    if code < 0xF900:
        return code < 0xA980 or 0xAC00 <= code < 0xD800
    return code < 0xFB00 or 0xFE30 <= code < 0xFE70 or code > 0xFEFF
