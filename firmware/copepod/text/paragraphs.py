"""Paragraphs and headings: where they end, and writing them. Memory: none of its own."""

from .containers import begin_block, match_line
from .emphasis import resolve
from .inline import write_text
from .lines import interrupts, may_be_table
from .marks import BOLD
from .output import style_off, style_on
from .state import HEADING, PARAGRAPH


def paragraph_end(state, p):
    """Where the paragraph that p is in ends; state.underline is the end of the line that makes it a heading, or 0."""
    buf = state.buf
    state.underline = 0
    while True:
        e = state.find(b"\n", p)
        if e >= state.held:
            return e
        p = e + 1
        c = buf[p]
        if c > 64 and not (state.depth or state.bars) and c != 95 and c != 96 and c != 126:
            continue  # begins with a letter, in no container
        if c == 10 or c < 46 and c in b"-*+" and buf[p + 1] == 32 and buf[p + 2] > 32 or ends_paragraph(state, p):
            return e


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
    from copepod.text.tables import table_columns

    return table_columns(state, p, q) > 0


def write_paragraph(state, p, stop):
    """A paragraph or heading whose text begins at p, or goes on there."""
    going_on = state.block == PARAGRAPH
    end = paragraph_end(state, p)
    under = state.underline
    if not state.sink:
        state.counter.block_ends(state, end)
    resolve(state, p, end)
    if not going_on:
        begin_block(state)
        if under:
            style_on(state, BOLD)
    if stop < end:
        write_text(state, p, stop)
        state.block = PARAGRAPH
        state.pos = stop
        return
    write_text(state, p, end)
    while state.style_count:
        style_off(state)
    state.block = 0
    state.gap = 1
    state.after_heading = under > 0
    state.pos = (under or end) + 1


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
