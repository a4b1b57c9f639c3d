"""Block structure: the walk over a piece, one block at a time. Memory: none of its own.

The walk goes from state.pos up to where the piece is to be cut, and may stop inside a block; what it leaves in
state is where the next piece begins.
"""

from .output import close_styles, open_styles, put_tag
from .paragraphs import write_paragraph
from .scan import aim_stops
from .state import CODE_BLOCK, HEADING, PARAGRAPH, TABLE


def write_piece(state, sink):
    """The piece as HTML; the same each time."""
    if state.written:
        state.restore()
    state.written = 1
    walk(state, state.cut, sink)
    state.written = 2


def pass_over(state):
    """Walk over the piece as write_piece() does, but write it nowhere: where does it end?"""
    write_piece(state, _nowhere)


def _nowhere(buf, start, end):
    pass


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
        state.structure().write_quote(state, 0)
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
                state.structure().write_block(state, p, stop)
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
            state.fences().write_code(state, stop)
        elif kind == TABLE:
            state.tables().write_rows(state, stop)
        else:
            state.structure().write_heading(state, state.pos, state.find(b"\n", state.pos), stop)
    if state.block == PARAGRAPH or state.block == HEADING:
        close_styles(state)
    if state.quote_open:
        put_tag(state, b"</blockquote>")
