"""An upper bound of what a longer text becomes, from counts of bytes and how its lines begin: see fits.py.

Memory: loaded on demand.
"""

from micropython import const

from .state import LIMIT

_INDENT = const(42)  # units before a line in 8 containers
_LONGER = const(4)  # by which the number of an item, or a bullet without text, may grow
_SURE_ENTITIES = const(92)  # some may go on from the piece before
# First bytes of characters that are fewer units than bytes: by one below 0xE0, else by two.
_LEADS = b"\xd0\xd1\xe4\xe5\xe6\xe7\xe8\xe9\xe3\xef\xf0\xe2\xd7\xd8\xd9\xe0\xea\xeb\xec\xc3"
_PREFIX = b" >-+*0123456789.)"  # what indents a line, and the marks of containers
_AFTER = b"_[|"  # what may begin a line that no paragraph's line can follow: a rule, a definition, a row


def surely_fits(state, n):
    """The same for a text of n bytes in which something is to be seen."""
    buf = state.buf
    find = state.find
    held = state.held
    tables = 0
    p = 0
    while state.bars:
        p = find(b"|", p, held)
        if p < 0:
            break
        p = buf.rfind(b"\n", 0, p) + 1
        k = p
        while buf[k] in b"|-: >":
            k += 1
        if buf[k] == 10:  # what makes a table: each row takes the width of all columns
            n += state.tables().table_growth(state, p, k)
            tables += 1
        p = find(b"\n", k)
    if tables:
        state.wide = max(state.view[0:held]) > 127
    lines = buf.count(b"\n", 0, held) + 1
    entities = count_entities(state, 0, held, 1) + tables
    growth = lines * (_INDENT + _LONGER)
    if n + growth > LIMIT or entities + 2 * lines > _SURE_ENTITIES:
        if lines > 1:
            fine = entities > _SURE_ENTITIES >> 1
            growth = count_lines(state, tables if fine else entities, fine)
            if growth < 0:
                return False
        elif entities + 2 > _SURE_ENTITIES:
            return False
        elif buf[0] > 64 and not state.depth:
            growth = 0
        n += growth
        for c in _LEADS:
            if n <= LIMIT:
                break
            state.needle[0] = c
            n -= buf.count(state.needle, 0, held) << (c > 0xDF)
    return n <= LIMIT


def count_entities(state, p, end, styles):
    """At most so many entities come of the inline text from p to end, with `styles` open already."""
    buf = state.buf
    n = 0
    for k in range(3):
        if state.delimiters_at[k] < state.held:
            state.needle[0] = state.delimiters[k]
            n += buf.count(state.needle, p, end)
    if (
        n > _SURE_ENTITIES >> 1
        and n == buf.count(b"**", p, end) * 2
        and not buf.count(b"***", p, end)
    ):
        n >>= 1  # nothing but strong
    n >>= 1
    kinds = 3 if state.delimiters_at[2] < state.held else 2
    if state.bars:
        kinds = 5
        n += buf.count(b"||", p, end)
    if state.openers_at[2] < state.held:
        kinds = 5
        n += buf.count(b"<", p, end)
    styles += n
    if state.openers_at[3] < state.held:
        n += buf.count(b"[", p, end)
    # Code, as formulas may be, closes the styles that are open, of up to so many kinds, and opens them again.
    code = 0
    if state.openers_at[1] < state.held:
        code += buf.count(b"`", p, end) >> 1
    if state.openers_at[5] < state.held:
        code += buf.count(b"$", p, end) >> 1
    if state.openers_at[0] < state.held:
        code += buf.count(b"\\(", p, end) + buf.count(b"\\[", p, end)
    return n + code * (1 + min(styles, kinds))


def count_lines(state, n, fine):
    """Units that indentation and marks may add; -1 if there may be too many entities, n being known.

    `fine`: count those of inline text too, block by block, as styles do not go beyond a block.
    """
    buf = state.buf
    find = state.find
    held = state.held
    deep = _INDENT if state.depth else 0
    growth = headings = block = p = 0
    fences = True  # it is known which fences open and which close
    after = True  # the line before can't go on in this one
    while p < held:
        k = p
        c = buf[p]
        e = find(b"\n", p)
        if c == 10:
            if fine:
                n += count_entities(state, block, p, headings)
                block = p
            deep = headings = 0
            after = True
        elif c > 64 and c != 96 and c != 126:
            growth += deep
            after = c in _AFTER
        else:
            while buf[k] in _PREFIX:
                k += 1
            c = buf[k]
            if (
                fine
                and c > 64
                and buf[k - 1] == 32
                and k > p + 1
                and 41 < buf[p] < 46
                and buf[p + 1] == 32
            ):
                n += count_entities(state, block, p, headings)  # an item of a list is a block
                block = k
                headings = 0
            if c in b"#=\n" or (c == 96 or c == 126) and buf[k + 1] == c:
                begins = True
            else:
                blanks = buf.count(b" ", p, k)
                begins = buf.count(b"    ", p, k) if blanks < k - p else blanks > 3 and after
            if begins:
                n += 1
                headings = 1
                after = True
                if c == 126 or c == 96 and k > p and buf[k + 1] == 96:
                    fences = False
                elif c == 96 and fences:
                    state.structure()  # has them
                    from copepod.text.lines import fence_run

                    if fence_run(state, p):
                        if fine:
                            n += count_entities(state, block, p, headings)
                        headings = 0
                        state.fence = 96  # for closing_line(); the walk sets them anew
                        state.fence_length = fence_run(state, p)
                        e = state.fences().closing_line(state, e + 1)
                        if e >= held:
                            block = held
                            break
                        e = block = find(b"\n", e)
            else:
                after = c in _AFTER
            if k > p:
                n += buf.count(b">", p, k) > 0
                deep = max(deep, min(2 * (k - p) + 2, _INDENT))
                growth += _LONGER
            growth += deep
        if n > _SURE_ENTITIES or growth > LIMIT:
            return -1
        p = e + 1
    if fine:
        n += count_entities(state, block, held, headings)
    return growth if n <= _SURE_ENTITIES else -1
