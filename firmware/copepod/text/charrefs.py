"""Entity and numeric character references (`&amp;`, `&#9731;`). Loaded on demand. Memory: none of its own."""


def put_encoded(state, code):
    """A character beyond ASCII by its code point."""
    n = encode(code, state.character)
    if state.sink:
        state.sink(state.character, 0, n)
    else:
        state.counter.count_character(state, n)


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


def encode(code, out):
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
