"""Paragraphs: where they end, and writing them. Memory: none of its own."""

from .emphasis import resolve
from .inline import write_text
from .margins import begin_block
from .marks import BOLD, DEFINITION
from .output import style_off, style_on
from .state import PARAGRAPH


def may_begin(buf, p):
    """False if the line at p, which lies in no container, is a paragraph's, as most are that begin with a mark."""
    c = buf[p]
    if 48 <= c < 58:
        while 48 <= buf[p] < 58:
            p += 1
        return buf[p] in b".)"
    if c in b"#*+-=_":
        while buf[p] == c:
            p += 1
        return buf[p] in b" \t\n"
    if c in b"`~":
        return buf[p + 1] == c and buf[p + 2] == c
    return c in b" \t\n>" or c == DEFINITION


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
        if not (state.depth or state.bars or may_begin(buf, p)):
            continue
        if c == 10 or c < 46 and c in b"-*+" and buf[p + 1] == 32 and buf[p + 2] > 32:
            return e
        if state.structure().ends_paragraph(state, p):
            return e


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
