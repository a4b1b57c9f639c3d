"""Characters: what counts as blank or punctuation, how wide, how long; references. Memory: constants only."""

from micropython import const

_BLANK = const(1)
_PUNCTUATION = const(2)

# kind_of() of ASCII; marks stand for punctuation.
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


def kind_of(buf, p):
    """1 if the character at p is blank, 2 if it is punctuation or a symbol, else 0."""
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
    if c < 0x80:
        return KINDS[c]
    c = point(buf, p)
    if c in (0xA0, 0x1680, 0x202F, 0x205F, 0x3000) or 0x2000 <= c <= 0x200A:
        return _BLANK
    if c > 0xFFFF:
        return _PUNCTUATION if 0x1F000 <= c < 0x20000 else 0
    low = 0
    high = len(ranges) >> 2
    while low < high:
        middle = (low + high) >> 1
        if ranges[middle * 4 + 2] << 8 | ranges[middle * 4 + 3] < c:
            low = middle + 1
        else:
            high = middle
    low *= 4
    return _PUNCTUATION if low < len(ranges) and ranges[low] << 8 | ranges[low + 1] <= c else 0


def small(code):
    """The small letter of a capital one: Latin to U+017F and Vietnamese, Greek, Cyrillic, Armenian; else as it is."""
    if code < 0x530:
        if 65 <= code < 91 or 0xC0 <= code < 0xDF and code != 0xD7 or 0x391 <= code < 0x3AC or 0x410 <= code < 0x430:
            return code + 32
        if 0x400 <= code < 0x410:
            return code + 80
        if 0x388 <= code < 0x38B:
            return code + 37
        if code in (0x386, 0x38C, 0x38E, 0x38F, 0x3C2):  # with accents; a final sigma
            return (0x3AC, 0x3CC, 0x3CD, 0x3CE, 0x3C3)[(0x386, 0x38C, 0x38E, 0x38F, 0x3C2).index(code)]
        if 0x139 <= code < 0x149 or 0x179 <= code < 0x17F:
            return code + 1 & ~1
        if code == 0x178:
            return 0xFF
        if code == 0x1A0 or code == 0x1AF:
            return code + 1
        if 0x100 <= code < 0x178 and code != 0x138 or 0x460 <= code < 0x482 or 0x48A <= code < 0x4C0 or code >= 0x4D0:
            return code | 1
        return code
    if code < 0x557:
        return code + 48 if code > 0x530 else code
    if 0x1E00 <= code < 0x1F00:  # Vietnamese among them
        return 0xDF if code == 0x1E9E else code | 1 if code < 0x1E96 or code > 0x1E9F else code
    return code


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


def columns_of(buf, p, end):
    """Columns that the text takes in a fixed-width font: 2 for East Asian and emoji, 0 for combining."""
    n = 0
    joined = False
    while p < end:
        c = buf[p]
        if c < 0x80:
            p += 1
            n += 1
            continue
        if not joined:
            if c < 0xE0 and c != 0xCC and c != 0xCD:  # Latin, Greek, Cyrillic, Hebrew, Arabic
                p += 2
                n += 1
                continue
            if 0xE3 < c < 0xEA or 0xEA < c < 0xED:  # Chinese, Korean
                p += 3
                n += 2
                continue
        code = point(buf, p)
        p += size(c)
        if code == 0x200D:
            joined = True
            continue
        if extends(code):
            continue
        wide = 0x1100 <= code < 0x1160 or 0x2E80 <= code < 0xA4D0 or 0xAC00 <= code < 0xD7A4
        wide = wide or 0xF900 <= code < 0xFB00 or 0xFE30 <= code < 0xFE70 or 0xFF00 <= code < 0xFF61
        wide = wide or code > 0x1F000 or code in (0x2705, 0x274C, 0x2B50, 0x26A0, 0x231B, 0x23F3, 0x2728)
        if not joined:
            n += 2 if wide else 1
        joined = False
    return n


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


def reference(buf, p, end):
    """A character reference at p (an ampersand): code point << 6 | length, or 0 if it is none."""
    # Named references: Latin-1 from U+00A0 on in order, then those whose code points follow.
    names = (
        b" nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3"
        b" acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde"
        b" Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute"
        b" Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde"
        b" auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute"
        b" ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml"
        b" amp lt gt quot apos hellip mdash ndash lsquo rsquo ldquo rdquo bull trade euro larr rarr uarr darr harr"
        b" le ge ne asymp infin minus radic sum alpha beta gamma delta pi lambda mu sigma omega check star ensp"
        b" emsp thinsp zwnj zwj "
    )
    points = (
        b"\x00\x26\x00\x3c\x00\x3e\x00\x22\x00\x27\x20\x26\x20\x14\x20\x13\x20\x18\x20\x19\x20\x1c\x20\x1d"
        b"\x20\x22\x21\x22\x20\xac\x21\x90\x21\x92\x21\x91\x21\x93\x21\x94\x22\x64\x22\x65\x22\x60\x22\x48"
        b"\x22\x1e\x22\x12\x22\x1a\x22\x11\x03\xb1\x03\xb2\x03\xb3\x03\xb4\x03\xc0\x03\xbb\x03\xbc\x03\xc3"
        b"\x03\xc9\x27\x13\x26\x06\x20\x02\x20\x03\x20\x09\x20\x0c\x20\x0d"
    )
    semicolon = buf.find(b";", p, min(end, p + 12))
    if semicolon < p + 2:
        return 0
    length = semicolon + 1 - p
    code = 0
    if buf[p + 1] == 35:
        p += 2
        base = 10
        if buf[p] | 32 == 120:
            base = 16
            p += 1
        if not 0 < semicolon - p < (8 if base == 10 else 7):
            return 0
        while p < semicolon:
            c = buf[p] | 32 if buf[p] > 64 else buf[p]
            digit = c - 48 if 48 <= c < 58 else c - 87 if 97 <= c < 103 else 16
            if digit >= base:
                return 0
            code = code * base + digit
            p += 1
        if code == 9:
            code = 32
        if code < 32 and code != 10 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            code = 0xFFFD
    else:
        at = 0
        while True:  # without a copy: the table is short
            k = 1
            while k < length - 1 and at + k < len(names) and names[at + k] == buf[p + k] and buf[p + k] != 32:
                k += 1
            if k == length - 1 and names[at + k] == 32:
                break
            at = names.find(b" ", at + 1)
            if at < 0 or at + 1 == len(names):
                return 0
        code = 0xA0 + names.count(b" ", 0, at)
        if code > 0xFF:
            code = (code - 0x100) * 2
            code = points[code] << 8 | points[code + 1]
    return code << 6 | length


def put_character(code, out):
    """Write the UTF-8 of a code point into `out` (4 bytes or more); return how many bytes it took."""
    if code < 0x80:
        out[0] = code
        return 1
    if code < 0x800:
        out[0] = 0xC0 | code >> 6
        out[1] = 0x80 | code & 0x3F
        return 2
    if code < 0x10000:
        out[0] = 0xE0 | code >> 12
        out[1] = 0x80 | code >> 6 & 0x3F
        out[2] = 0x80 | code & 0x3F
        return 3
    out[0] = 0xF0 | code >> 18
    out[1] = 0x80 | code >> 12 & 0x3F
    out[2] = 0x80 | code >> 6 & 0x3F
    out[3] = 0x80 | code & 0x3F
    return 4
