"""What makes the Markdown of a piece stand alone, for a server that formats. Loaded on demand. Memory: none."""

from copepod.text.blocks import pass_over
from copepod.text.containers import match_line
from copepod.text.lines import interrupts
from copepod.text.output import put_blanks, put_breaks, put_text
from copepod.text.plain import write_plain
from copepod.text.state import CODE_BLOCK, QUOTE, TABLE
from copepod.text.structure import put_number


def write_markdown(state, sink):
    """The piece as Markdown that stands alone, for a server that formats; the same each time.

    A fence that the cut lies in is closed, and opened again with its language, in the items and quotes that it
    is in. A table goes on below a header without text; one of 16 columns or more, or of which a row is cut,
    goes on as text. Styles do not go on: of a pair around the cut each mark is text, as it has to be when
    it is not known which marks they were. A list that is numbered 1. 1. 1. begins anew.
    """
    if state.written:
        state.restore()
    state.sink = sink
    reopen(state)
    write_plain(state, sink)
    pass_over(state)  # as drop() would
    state.sink = sink
    reclose(state)


def reopen(state):
    """Write what the beginning of the piece lies in."""
    kind = state.block
    middle = state.mid_line
    m = state.depth
    if kind != CODE_BLOCK and kind != TABLE and (kind or not m):
        return
    if not (kind and middle):
        match_line(state, 0)
        if not kind:
            if state.quotes or state.column < 4 or state.buf[state.text_at] == 10:
                return  # nobody would take it for code
            m = state.matched
        elif state.matched < m:
            return  # it ended with its containers
    if kind == TABLE:
        q = state.text_at
        if middle or state.kept_columns[0] > 15 or state.buf[q] == 10 or interrupts(state, q, False):
            return
    k = 0
    while k < m:
        what = state.containers[3 * k]
        if what != QUOTE:
            put_lead(state, k)
            put_bullet(state, what, state.containers[3 * k + 1], state.containers[3 * k + 2])
        k += 1
    if kind == TABLE:
        put_header(state, 0)
        put_header(state, 1)
    elif kind:
        if state.fence:
            put_lead(state, m)
            put_blanks(state, state.fence_indent)
            put_rail(state)
            if state.language_length:
                state.sink(state.kept_language, 0, state.language_length)
            put_breaks(state)
        if middle:
            put_lead(state, m)
            put_blanks(state, state.fence_indent)


def reclose(state):
    """Write the end of the fence that the end of the piece lies in."""
    if state.block == CODE_BLOCK and state.fence:
        if state.buf[state.cut - 1] != 10:
            put_breaks(state)
        put_lead(state, state.depth)
        put_rail(state)


def put_bullet(state, what, width, number):
    """The marker of an item on a line of its own, so that the text of the item begins after `width` columns."""
    n = 3
    left = number
    while left > 9:
        left //= 10
        n += 1
    if what != 46 and what != 41:
        n = 2
    elif n > width:  # it has become longer than what it was
        what = 45
        n = 2
    put_blanks(state, min(width - n, 3))
    if n > 2:
        put_number(state, number)
    state.needle[0] = what
    put_text(state, state.needle)
    put_breaks(state)


def put_lead(state, m):
    """What a line in the first m containers begins with."""
    k = 0
    while m:
        if state.containers[k] == QUOTE:
            put_text(state, b"> ")
        else:
            put_blanks(state, state.containers[k + 1])
        k += 3
        m -= 1


def put_rail(state):
    """The marks of a fence."""
    state.needle[0] = state.fence
    n = state.fence_length
    while n:
        put_text(state, state.needle)
        n -= 1


def put_header(state, rule):
    """A table's header without text, or the rule below it."""
    put_lead(state, state.depth)
    n = state.kept_columns[0]
    k = 0
    while k < n:
        k += 1
        put_text(state, b"|")
        align = state.kept_columns[k] >> 6
        if rule:
            put_text(state, (b"-", b":-", b"-:", b":-:")[align])
        else:
            put_blanks(state, 1)
    put_text(state, b"|")
    put_breaks(state)
