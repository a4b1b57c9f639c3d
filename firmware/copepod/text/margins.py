"""Where a block's lines begin: gaps, indentation, marks of quotes. Memory: none of its own."""

from .output import put_blanks, put_breaks, put_text


def begin_block(state):
    """Begin a block's first line, unless a list marker already has."""
    if not state.begun:
        state.begun = True
        if state.gap and state.any_begun:
            put_breaks(state, state.gap)
        state.gap = 1
        if state.quotes:
            open_quote(state)
            put_quote_marks(state)
        if state.indent and state.any_begun:
            put_blanks(state, state.indent)
        state.any_begun = True
    elif state.quotes:
        open_quote(state)


def open_quote(state):
    """Open the quote that the block lies in, if it is not open."""
    if not state.quote_open:
        state.structure().write_quote(state, state.pos)


def put_margin(state):
    """Begin a further line of a block: marks of nested quotes, indentation of lists."""
    put_quote_marks(state)
    put_blanks(state, state.indent)


def put_quote_marks(state):
    """Quotes in the outermost one are shown by their marks."""
    for _ in range(state.quotes - 1):
        put_text(state, b"&gt; ", 2)
