"""Emphasis by delimiter runs, ~~strike~~, ||spoiler||, paired HTML tags. Memory: none of its own.

The second pass over a block's text: what pairs up is marked in place (marks.py). state.open_delimiters is the
stack of runs that may open: place, and how many << 7 | character << 3 | both ways << 2 | length % 3. Of a
character there are the four lowest bits; 0 is the wall that a link puts up, 1 to 5 an HTML tag of that style.
Of more than 24 that are open the older half becomes text.

Two rules are not CommonMark's. Next to CJK a run opens and closes as if punctuation were not in the way (the
rules of markdown-cjk-friendly): **「a」**b. And two or more stars close after _ENDS before a letter: **a:**b.
"""

from micropython import const

from .chars import BLANK, CJK, CJK_PUNCTUATION, KINDS, PUNCTUATION
from .marks import ADDRESS, AUTOLINK, BACKSLASH, CODE, END_CODE, FORMULA, HTML, IMAGE, LINK, MATH, TAG
from .scan import seek, set_mark
from .spans import resolve_spans

_ENDS = b":.!?,;)"  # a run after these closes strong text, also before a letter
_STRONG = const(2)
_STAR = const(4)
_UNDERSCORE = const(6)
_STRIKE = const(14)
_STRIKE_SINGLE = const(16)
_SPOILER = const(18)
_DEEPEST_OPEN = const(24)
_LONGEST_RUN = const(511)  # delimiters of a run that can open; more are text


def resolve(state, p, end):
    """Mark what the text from p to end means, unless that is done."""
    if p < state.resolved:
        p = state.resolved
    if p < end:
        if min(state.openers_at) < end:
            resolve_spans(state, p, end)
        at = state.delimiters_at
        if at[0] < end or at[1] < end or at[2] < end or at[3] < end or state.delimiters.find(b"\x14") > 0:
            resolve_emphasis(state, p, end)
        state.resolved = end


def push_delimiter(state, top, p, what):
    """Put what may open on the stack, which has `top` entries; return how many it has then."""
    runs = state.open_delimiters
    if top == _DEEPEST_OPEN:
        top = _DEEPEST_OPEN >> 1
        k = 0
        while k < top * 2:
            runs[k] = runs[k + top * 2]
            k += 1
    runs[top * 2] = p
    runs[top * 2 + 1] = what
    return top + 1


def resolve_emphasis(state, p, end):
    """Mark the delimiters from p to end that pair up; spans are marked already."""
    buf = state.buf
    runs = state.open_delimiters
    start = p
    top = 0
    html = None  # the module, for the first tag
    at = state.delimiters_at
    marks = state.delimiters
    find = state.find
    held = state.held
    while True:
        q = seek(state, at, marks, p, end, held)
        if q >= end:
            return
        c = buf[q]
        p = q + 1
        if c > 31:
            while p < end and buf[p] == c:
                p += 1
            top = pair_run(state, c, q, p, start, end, top)
        elif c == BACKSLASH:
            p += 1
        elif c == CODE:
            p = find(END_CODE, p, end) + 1
            while buf[p] == 96:
                p += 1
        elif c == AUTOLINK:
            p = state.find(b">", p, end) + 1
        elif c == HTML:
            if html is None:
                state.room_for("html")
                from copepod.text import html
            style = html.tag_style(state, p)
            if style:
                top = push_delimiter(state, top, q, style << 3)
            elif buf[p] == 47:
                style = html.tag_style(state, p + 1)
                k = top
                while style and k and runs[k * 2 - 1]:
                    k -= 1
                    if runs[k * 2 + 1] == style << 3:
                        set_mark(state, runs[k * 2], TAG)
                        set_mark(state, q, TAG)
                        top = k
                        break
            p = html.html_end(state, p, end)
        elif c == LINK or c == IMAGE:
            top = push_delimiter(state, top, q, 0)
        elif c == MATH or c == FORMULA:
            state.room_for("formulas")
            from copepod.text import formulas

            p = formulas.marked_end(state, q, end)
        elif c == ADDRESS:
            state.room_for("addresses")
            from copepod.text import addresses

            p = addresses.address_end(state, p, end)
        else:
            while top and runs[top * 2 - 1]:
                top -= 1
            if top:
                top -= 1
            p = state.links().link_tail(state, q, end)


def char_kind(state, p):
    """The kind of the character at p, which is not ASCII."""
    c = state.buf[p]
    if 0xCF < c < 0xD4:
        return 0  # Cyrillic
    if 0xE3 < c < 0xEA or 0xEA < c < 0xED:
        return CJK  # Chinese, Korean
    state.room_for("symbols")
    from copepod.text import symbols

    return symbols.kind_of(state.buf, p)


def pair_run(state, c, q, p, start, end, top):
    """Pair the run of c from q to p with what is open; keep it if it may open. Returns the new top."""
    buf = state.buf
    runs = state.open_delimiters
    n = length = p - q
    if c > 95 and n != 2 and (c == 124 or n > 2):
        return top
    before = after = BLANK
    if q > start:
        k = q - 1
        before = buf[k]
        if before < 128:
            before = KINDS[before]
        else:
            while buf[k] & 0xC0 == 0x80 and k:
                k -= 1
            before = char_kind(state, k)
    if p < end:
        after = buf[p]
        after = KINDS[after] if after < 128 else char_kind(state, p)
    if c == 124:
        opens = after != BLANK
        closes = before != BLANK
    else:
        opens = after != BLANK and (after != PUNCTUATION or before)
        closes = before != BLANK and (before != PUNCTUATION or after)
        if c == 95 or c == 126 and n == 1:
            both = opens and closes
            opens = opens and (not both or before == PUNCTUATION or before == CJK_PUNCTUATION)
            closes = closes and (not both or after == PUNCTUATION or after == CJK_PUNCTUATION)
        elif n > 1 and not closes and before == PUNCTUATION and buf[q - 1] in _ENDS:
            closes = True  # **Note:**text, as people read it
    what = (c & 15) << 3 | n % 3
    if opens and closes:
        what |= 4
    if closes:
        k = top
        while n and k and runs[k * 2 - 1]:
            k -= 1
            other = runs[k * 2 + 1]
            if (other ^ what) & 0x78:
                continue
            room = other >> 7
            if c > 95:
                if room != n:
                    continue
                mark = _SPOILER if c == 124 else _STRIKE if n == 2 else _STRIKE_SINGLE
                used = n
            else:
                if (other | what) & 4 and ((other & 3) + (what & 3)) % 3 == 0 and (other | what) & 3:
                    continue
                used = 2 if room > 1 and n > 1 else 1
                mark = _STRONG if used == 2 else _STAR if c == 42 else _UNDERSCORE
            room -= used
            set_mark(state, runs[k * 2] + room, mark)
            set_mark(state, q + length - n, mark + 1)
            n -= used
            runs[k * 2 + 1] = other & 127 | room << 7
            top = k
            if room:
                top += 1
                k += 1
    if n and opens:
        n = min(n, _LONGEST_RUN)
        top = push_delimiter(state, top, q + length - n, n << 7 | what)
    return top
