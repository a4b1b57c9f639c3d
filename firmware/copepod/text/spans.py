"""Spans that bind tighter than emphasis: escapes, code, autolinks, HTML, formulas, links. Memory: none of its own.

The first pass over a block's text; what is found is marked in place (marks.py). Of the brackets that are open
the last 24 can begin a link; they lie in state.open_delimiters as place * 4, plus 1 for an image, plus 2 for
what can be no link since there is one in it.
"""

from micropython import const

from .chars import punctuation
from .marks import ADDRESS, AUTOLINK, BACKSLASH, CODE, FORMULA, HTML, IMAGE, LINK, MATH
from .scan import OPENERS, seek, set_mark

_END_CODE = const(30)  # END_CODE as a number
_BRACKETS = const(24)


def resolve_spans(state, p, end):
    """Mark the spans from p to end."""
    buf = state.buf
    at = state.openers_at
    opened = state.open_delimiters
    start = p
    top = 0
    lacking = 0  # bit n: there is no closing run of n backticks any more
    coded = False
    html = None  # the module, for the first < that may begin something
    find = state.find
    held = state.held
    while True:
        q = seek(state, at, OPENERS, p, end, held)
        if q >= end:
            return
        c = buf[q]
        p = q + 1
        if c == 92:
            r = 0
            if buf[p] == 40 or buf[p] == 91:
                state.room_for("formulas")
                from copepod.text import formulas

                r = formulas.formula_end(state, q, end)
            if r:
                set_mark(state, q, FORMULA)
                p = r
            elif p < end and (punctuation(buf[p]) or buf[p] == 10):
                set_mark(state, q, BACKSLASH)
                p += 1
        elif c == 96:
            while p < end and buf[p] == 96:
                p += 1
            n = p - q
            if n > 28 or not lacking >> n & 1:
                r = find(b"`", p, end) if n < 2 else 0
                if not r or buf[r + 1] == 96:
                    r = code_end(state, p, n, end)
                if r > 0:
                    if coded:  # it is known where to look for the first one
                        buf[q] = CODE
                    else:
                        coded = True
                        set_mark(state, q, CODE)
                    buf[r] = _END_CODE
                    p = r + n
                elif n < 29:
                    lacking |= 1 << n
        elif c == 60:
            k = p
            while 97 <= buf[k] | 32 <= 122:
                k += 1
            # Only what can begin a tag or an address is looked at more closely.
            if buf[k] not in (b"\t\n />-+.:0123456789" if k > p else b"/!?0123456789") and (
                k == p or find(b"@", k, min(end, k + 999)) < 0
            ):
                continue
            if html is None:
                state.room_for("html")
                from copepod.text import html
            r = html.autolink_end(state, p, end)
            if r:
                set_mark(state, q, AUTOLINK)
                p = r
            else:
                r = html.html_end(state, p, end)
                if r:
                    set_mark(state, q, HTML)
                    p = r
        elif c == 36:
            state.room_for("formulas")
            from copepod.text import formulas

            r = formulas.formula_end(state, q, end)
            if r:
                set_mark(state, q, MATH)
                p = r
        elif c == 47:
            if q > start and (buf[q - 1] == 58 and buf[p] == 47 or find(b".", max(start, q - 12), q) >= 0):
                state.room_for("addresses")
                from copepod.text import addresses

                if addresses.is_address(state, q, start):
                    set_mark(state, q, ADDRESS)
                    p = addresses.address_end(state, p, end)
        elif c == 91:
            if top == _BRACKETS:
                top -= 1
                k = 0
                while k < top:
                    opened[k] = opened[k + 1]
                    k += 1
            image = q > start and buf[q - 1] == 33 and not (q - 1 > start and buf[q - 2] == BACKSLASH)
            opened[top] = q * 4 + image
            top += 1
        elif top:
            top -= 1
            k = opened[top]
            if not k & 2:
                mark = 0
                if buf[p] == 40 or state.definitions:
                    mark = state.links().link_end(state, k >> 2, q, end)
                if mark:
                    p = state.link_after
                    set_mark(state, q, mark)
                    if k & 1:
                        set_mark(state, (k >> 2) - 1, IMAGE)
                    else:
                        set_mark(state, k >> 2, LINK)
                        k = top
                        while k:
                            k -= 1
                            if not opened[k] & 1:
                                opened[k] |= 2


def code_end(state, p, n, end):
    """Where the next run of exactly n backticks begins, or 0."""
    buf = state.buf
    while True:
        p = state.find(b"`", p, end)
        if p < 0:
            return 0
        q = p
        while buf[p] == 96:
            p += 1
        if p - q == n:
            return q
