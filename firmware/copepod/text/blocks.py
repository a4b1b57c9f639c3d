"""Block structure: the walk over a piece, one block at a time. Memory: none of its own.

The walk goes from state.pos up to where the piece is to be cut, and may stop inside a block; what it leaves in
state is where the next piece begins.
"""

from .blanks import skip_blanks
from .containers import (
    after_quote,
    begin_block,
    find_text,
    match_line,
    open_quote,
    pop_containers,
    push_container,
)
from .fences import read_fence, write_code
from .lines import fence_run, heading_level, is_rule, list_marker, may_be_table
from .marks import DEFINITION
from .output import close_styles, open_styles, put_blanks, put_escaped, put_run, put_tag, put_text
from .paragraphs import write_heading, write_paragraph
from .scan import aim_stops, set_mark
from .state import CODE_BLOCK, DEEPEST, HEADING, PARAGRAPH, QUOTE, TABLE

_BULLETS = (b"\xe2\x80\xa2 ", b"\xe2\x97\xa6 ", b"\xe2\x96\xaa ")
_RULE = b"\xe2\x80\x94\xe2\x80\x94\xe2\x80\x94"
_MARKERS = b"-+*0123456789"


def write_piece(state, sink):
    """The piece as HTML; the same each time."""
    if state.written:
        state.restore()
    state.written = 1
    walk(state, state.cut, sink)
    state.written = 2


def walk(state, stop, sink):
    """Go over the piece up to `stop`, counting or writing."""
    buf = state.buf
    state.sink = sink
    state.mute = state.solid = False
    state.link_level = state.bracket_level = state.image_level = 0
    aim_stops(state, 0, state.held)
    state.pos = state.gap = 0
    state.after_heading = state.in_code = False
    state.begun = state.any_begun = state.block > 0
    if not state.block:
        state.quote_open = 0
    elif state.quote_open:
        state.quote_open = 0
        open_quote(state, 0)
    if state.block == PARAGRAPH or state.block == HEADING:
        open_styles(state)
    while state.pos < stop:
        kind = state.block
        if not kind:
            p = state.pos
            c = buf[p]
            if c == 10 and not state.quotes:
                state.gap = 2
                state.pos = p + 1
            elif c < 65 or c in b"[_`~" or state.depth or state.bars:
                write_block(state, p, stop)
            else:  # text in no container: nothing but a paragraph
                state.begun = state.base = state.column = state.matched = 0
                state.text_at = p
                if not sink:
                    state.counter.block_starts(state, p)
                state.after_heading = state.indent = state.containers[0] = 0
                write_paragraph(state, p, stop)
        elif kind == PARAGRAPH:
            write_paragraph(state, state.pos, stop)
        elif kind == CODE_BLOCK:
            write_code(state, stop)
        elif kind == TABLE:
            from copepod.text.tables import write_rows

            write_rows(state, stop)
        else:
            write_heading(state, state.pos, state.find(b"\n", state.pos), stop)
    if state.block == PARAGRAPH or state.block == HEADING:
        close_styles(state)
    if state.quote_open:
        put_tag(state, b"</blockquote>")


def write_block(state, p, stop):
    """A block that may lie in containers or be more than a paragraph."""
    buf = state.buf
    if state.depth or buf[p] in b" \t":
        match_line(state, p)
    else:
        state.text_at = p
        state.column = state.base = state.matched = 0
    if buf[state.text_at] == 10:
        pop_containers(state, state.matched)
        state.gap = 2
        state.pos = state.text_at + 1
        return
    state.begun = state.task = False
    if state.matched < state.depth:
        pop_containers(state, state.matched)
    if not state.sink:
        state.counter.block_starts(state, state.text_at)
    state.after_heading = False
    while True:
        q = state.text_at
        c = buf[q]
        if state.column - state.base > 3 or state.task:
            break
        if state.depth < DEEPEST and c == QUOTE:
            state.base = after_quote(state)
            push_container(state, QUOTE, 0, 0)
            state.quotes += 1
            if state.begun and state.quotes > 1:
                put_text(state, b"&gt; ", 2)
        elif state.depth < DEEPEST and c in _MARKERS and begin_item(state, q):
            pass
        else:
            break
    state.matched = state.depth
    e = state.depth - state.quotes
    state.indent = 4 * e - 2 if e else 0  # of further lines: by how deep it lies in lists
    if state.task:
        state.containers[3 * state.depth] = 0
        write_paragraph(state, q, stop)
        return
    if state.column - state.base > 3:
        if buf[q] != 10:
            state.fence = state.language_length = 0
            state.fence_indent = 4
            write_code(state, stop)
            return
    state.containers[3 * state.depth] = 0
    e = state.find(b"\n", q)
    state.next_pos = e + 1
    if c == 10:
        pass
    elif c == 35 and heading_level(state, q):
        write_heading(state, skip_blanks(state, q + heading_level(state, q)), e, stop)
        return
    elif (c == 96 or c == 126) and fence_run(state, q):
        read_fence(state, q, e)
        write_code(state, stop)
        return
    elif c in b"-*_" and is_rule(state, q):
        begin_block(state)
        put_text(state, _RULE, 3)
    elif (c == 91 or c == DEFINITION) and state.definitions and is_definition(state, q):
        state.gap = max(state.gap, 1)
    elif state.bars and may_be_table(state, q) and is_table(state, q, stop):
        return
    else:
        write_paragraph(state, q, stop)
        return
    state.pos = state.next_pos


def is_definition(state, q):
    """True if a link reference definition begins at q; it is marked, and shows nothing."""
    from copepod.text.definitions import definition_end

    end = definition_end(state, q, state.held)
    if not end:
        return False
    state.next_pos = end + 1
    if not state.sink:
        state.counter.block_ends(state, end)
    set_mark(state, q, DEFINITION)
    return True


def is_table(state, q, stop):
    """True if a table begins at q; it has been written then, up to `stop`."""
    from copepod.text.tables import table_columns, write_table

    if not table_columns(state, state.pos, q):
        return False
    write_table(state, q, stop)
    return True


def begin_item(state, q):
    """A list item at q: open it and write its marker. False if there is none."""
    c = list_marker(state, q)
    if not c or c < 46 and is_rule(state, q):
        return False
    buf = state.buf
    e = state.marker_end
    column = state.column + e - q
    base = state.base
    find_text(state, e, column)
    if buf[state.text_at] == 10 or state.column - column > 4:
        width = column + 1 - base
    else:
        width = state.column - base
    k = 3 * state.depth
    number = 0
    if c == 46 or c == 41:
        number = state.containers[k + 2] + 1 if state.containers[k] == c else state.number
        if number > 65535:
            number = 65535
    push_container(state, c, width, number)
    state.base = base + width
    state.indent = 4 * (state.depth - state.quotes - 1)
    begin_block(state)
    if c == 46 or c == 41:
        if number == 65535:
            put_run(state, q, e)
        else:
            put_number(state, number)
            put_run(state, e - 1, e)
        put_blanks(state, 1)
    else:
        q = state.text_at
        if (
            buf[q] == 91
            and buf[q + 2] == 93
            and buf[q + 1] in b" xX"
            and buf[q + 3] in b" \t"
            and buf[skip_blanks(state, q + 3)] != 10
        ):
            put_text(state, b"\xe2\x98\x90 " if buf[q + 1] == 32 else b"\xe2\x98\x91 ", 2)
            find_text(state, q + 4, 0)
            state.base = 0
            state.task = True
        else:
            put_text(state, _BULLETS[min(state.depth - state.quotes, 3) - 1], 2)
    return True


def put_number(state, n):
    """A number of up to five digits."""
    digits = 10000
    while digits > 1 and n < digits:
        digits //= 10
    while digits:
        put_escaped(state, 48 + n // digits % 10)
        digits //= 10
