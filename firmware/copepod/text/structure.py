"""Blocks that are more than plain lines: quotes, lists, headings, rules. Memory: loaded on demand."""

from .blanks import skip_blanks
from .containers import write_quote  # noqa: F401  for margins.py
from .containers import after_quote, find_text, match_line, pop_containers, push_container
from .emphasis import resolve
from .inline import write_text
from .lines import fence_run, heading_level, interrupts, is_rule, list_marker, may_be_table
from .margins import begin_block
from .marks import BOLD, DEFINITION
from .output import put_blanks, put_escaped, put_run, put_text, style_off, style_on
from .paragraphs import write_paragraph
from .scan import set_mark
from .state import DEEPEST, HEADING, QUOTE

_BULLETS = (b"\xe2\x80\xa2 ", b"\xe2\x97\xa6 ", b"\xe2\x96\xaa ")
_RULE = b"\xe2\x80\x94\xe2\x80\x94\xe2\x80\x94"
_MARKERS = b"-+*0123456789"


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
            state.fences().write_code(state, stop)
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
        fences = state.fences()
        fences.read_fence(state, q, e)
        fences.write_code(state, stop)
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
    state.room_for("definitions")
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
    tables = state.tables()
    if not tables.table_columns(state, state.pos, q):
        return False
    tables.write_table(state, q, stop)
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


def ends_paragraph(state, p):
    """True if the paragraph ends before the line at p."""
    buf = state.buf
    match_line(state, p)
    q = state.text_at
    c = buf[q]
    if c == 10:
        return True
    if state.column - state.base > 3:
        return False
    inside = state.matched == state.depth
    if inside and (c == 61 or c == 45):
        k = q
        while buf[k] == c:
            k += 1
        while buf[k] in b" \t":
            k += 1
        if buf[k] == 10:
            state.underline = k
            return True
    if interrupts(state, q, inside):
        return True
    if not (state.bars and may_be_table(state, q)):
        return False
    return state.tables().table_columns(state, p, q) > 0


def write_heading(state, p, e, stop):
    """A heading's text from p to the line's end e, without its closing marks."""
    buf = state.buf
    after = e + 1
    while e > p and buf[e - 1] in b" \t":
        e -= 1
    k = e
    while k > p and buf[k - 1] == 35:
        k -= 1
    if k == p or buf[k - 1] in b" \t":
        e = k
    resolve(state, p, e)
    if not state.block:
        begin_block(state)
        style_on(state, BOLD)
    if stop < e:
        write_text(state, p, stop)
        state.block = HEADING
        state.pos = stop
        return
    write_text(state, p, e)
    style_off(state)
    state.block = 0
    state.after_heading = True
    state.pos = after
