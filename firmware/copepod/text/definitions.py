"""Link reference definitions: finding the one of a label. Loaded on demand. Memory: none of its own."""

from micropython import const

from copepod.text.chars import utf8_b
from copepod.text.unicode import point
from copepod.text.blanks import skip_blanks, skip_gap
from copepod.text.destinations import label_end, read_destination, title_end
from copepod.text.marks import DEFINITION, END_LABEL, LINK, ORIGINAL

_SHARP_S = const(0xDF)  # in labels the same as ss
_MOST_EFFORT = const(30000)  # bytes of labels, or so, that are compared for the references of a window


def definition_end(state, p, end):
    """The end of the line of a link definition that begins at p, or 0."""
    buf = state.buf
    q = label_end(state, p + 1, end)
    if not q or buf[q + 1] != 58 or buf[p + 1] == 94:
        return 0
    p = skip_gap(state, q + 2)
    q = read_destination(state, p, end)
    if not q or q == p:
        return 0
    start = state.destination
    stop = state.destination_end
    after = skip_blanks(state, q)
    good = after if buf[after] == 10 else 0
    title = skip_gap(state, q)
    if title > q:
        title = title_end(state, title, end)
        if title:
            title = skip_blanks(state, title)
            if buf[title] == 10:
                good = title
    state.destination = start
    state.destination_end = stop
    return good


def is_defined(state, p, end, again=False):
    """Find the definition of the label from p to end: one met before, or one that follows in the window.

    `again`: it was found before. Looking for the first time ends when it has cost too much.
    """
    buf = state.buf
    held = state.held
    at = state.find(b"\x0b", 0, held)
    while at >= 0 and (again or state.effort < _MOST_EFFORT):
        if same_label(state, p, end, at + 1, label_end(state, at + 1, held)):
            definition_end(state, at, held)
            return True
        at = state.find(b"\x0b", at + 1, held)
    at = end
    while again or state.effort < _MOST_EFFORT:
        at = state.find(b"]:", at, held)
        if at < 0:
            break
        q = buf.rfind(b"[", max(end, at - 1000), at)
        while q > 0 and buf[q - 1] == 92:
            q = buf.rfind(b"[", end, q)
        if (
            q >= 0
            and same_label(state, p, end, q + 1, at)
            and label_end(state, q + 1, held) == at
            and starts_line(state, q)
            and definition_end(state, q, held)
        ):
            return True
        at += 2
    return False


def starts_line(state, q):
    """True if q is where a line's text begins, and the line before it is not in the middle of a paragraph."""
    buf = state.buf
    line = first = buf.rfind(b"\n", 0, q) + 1
    if skip_any_prefix(state, line) != q:
        return False
    k = q - 1
    while k >= line and buf[k] in b" \t>":
        k -= 1
    if k >= line and (buf[k] in b"-+*" or buf[k - 1] == 49):
        return True  # it begins an item
    chain = state.chain  # a line that was asked for before; those above it that begin with [ are known with it
    if line <= chain and buf.count(b"\n", line, chain) == buf.count(b"\n[", line, chain + 1):
        return True
    while line > 1 and line != chain:
        before = buf.rfind(b"\n", 0, line - 1) + 1
        q = skip_any_prefix(state, before)
        if q >= line - 1:
            break
        if buf[q] == DEFINITION:
            break
        if state.effort < _MOST_EFFORT:
            state.effort += 8
        c = buf[q]
        if c != 91 or not definition_end(state, q, line):
            while c in b"`~" and buf[q] == c:  # a fence with a language opens: what follows is code
                q += 1
            return c in b"#=-*" or c in b"`~" and skip_blanks(state, q) >= line - 1
        line = before  # a definition, if it is in no paragraph
    state.chain = first
    return True


def skip_any_prefix(state, p):
    """After what may stand before a block's text in its first line: blanks, marks of quotes and list items."""
    buf = state.buf
    while True:
        c = buf[p]
        if c in b" \t>" or c in b"-+*" and buf[p + 1] in b" \t":
            p += 1
        elif 48 <= c < 58:
            q = p
            while 48 <= buf[q] < 58:
                q += 1
            if buf[q] not in b".)" or buf[q + 1] not in b" \t":
                return p
            p = q + 1
        else:
            return p


def same_label(state, p, end, q, stop):
    """Labels are the same but for letter case and the amount of blanks."""
    buf = state.buf
    p = skip_space(state.buf, p, end)
    q = skip_space(state.buf, q, stop)
    if state.effort < _MOST_EFFORT:
        state.effort += 4
    while p < end and q < stop:
        if state.effort < _MOST_EFFORT:
            state.effort += 1
        a = buf[p]
        b = buf[q]
        if a in b" \t\n" or b in b" \t\n":
            if a > 32 or b > 32:
                break
            p = skip_space(state.buf, p, end)
            q = skip_space(state.buf, q, stop)
            continue
        if a < 32:
            a = buf[p + 1] if 1 < a < 4 else ORIGINAL[a]
        if a != b:
            a = small(a if a < 128 else point(buf, p))
            b = small(point(buf, q))
            if a == _SHARP_S and b == 115 == buf[q + 1] | 32:
                q += 1
            elif b == _SHARP_S and a == 115 == buf[p + 1] | 32:
                p += 1
            elif a != b:
                return False
        p += utf8_b(buf[p])
        q += utf8_b(buf[q])
    return skip_space(state.buf, p, end) >= end and skip_space(state.buf, q, stop) >= stop


def skip_space(buf, p, end):
    while p < end and buf[p] in b" \t\n":
        p += 1
    return p


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


def reference_end(state, p, q, end):
    """What follows the full, collapsed or shortcut reference whose text's brackets are at p and q; 0 if it is none."""
    buf = state.buf
    if buf[q + 1] == 91:
        r = label_end(state, q + 2, end)
        if r:
            return r + 1 if is_defined(state, q + 2, r) else 0
    if label_end(state, p + 1, end) == q and buf[p + 1] != 94 and is_defined(state, p + 1, q):
        return q + 3 if buf[q + 1] == 91 and buf[q + 2] == 93 and q + 2 < end else q + 1
    return 0


def find_definition(state, p, q, end):
    """Note the destination of the marked reference whose text's brackets are at p and q."""
    start = p + 1 if state.buf[p] == LINK else p + 2
    if state.buf[q] == END_LABEL and label_end(state, q + 2, end):
        start = q + 2
        q = label_end(state, start, end)
    return is_defined(state, start, q, True)
