"""Quotes and list items: which of them a line lies in, opening and closing them. Memory: loaded on demand.

Containers that are open lie in state.containers, three numbers each: kind (QUOTE, or the last byte of a list
marker), the width that an item's lines are indented by, and the item's number. What is found of a line is left
in state.text_at, column, base and matched.
"""

from micropython import const

from .blanks import skip_blanks
from .output import put_tag
from .state import QUOTE

_LONG_QUOTE = const(700)  # bytes from which a quote is expandable


def find_text(state, p, column):
    """Note in state.text_at and column the first place from p on that is not blank, p being at `column`."""
    buf = state.buf
    while True:
        c = buf[p]
        if c == 32:
            column += 1
        elif c == 9:
            column += 4 - (column & 3)
        else:
            break
        p += 1
    state.text_at = p
    state.column = column


def match_line(state, p):
    """Take the line at p through the open containers; note how many matched and where its text begins."""
    base = m = 0
    state.text_at = p
    state.column = 0
    if state.buf[p] in b" \t":
        find_text(state, p, 0)
    k = 0
    while m < state.depth:
        if state.containers[k] == QUOTE:
            if state.buf[state.text_at] != QUOTE or state.column - base > 3:
                break
            base = after_quote(state)
        elif state.buf[state.text_at] != 10:
            if state.column - base < state.containers[k + 1]:
                break
            base += state.containers[k + 1]
        m += 1
        k += 3
    state.base = base
    state.matched = m


def after_quote(state):
    """Step over the mark of a quote; return the column where its content begins."""
    q = state.text_at + 1
    base = state.column + 1
    find_text(state, q, base)
    return base + 1 if state.buf[q] in b" \t" else base


def push_container(state, what, width, number):
    """Open a container."""
    k = 3 * state.depth
    state.containers[k] = what
    state.containers[k + 1] = width
    state.containers[k + 2] = number
    state.containers[k + 3] = 0  # a list that was open below is over
    state.depth += 1


def pop_containers(state, m):
    """Close containers until m are left."""
    while state.depth > m:
        state.depth -= 1
        if state.containers[3 * state.depth] == QUOTE:
            state.quotes -= 1
            if not state.quotes and state.quote_open:
                state.quote_open = 0
                put_tag(state, b"</blockquote>")


def write_quote(state, p):
    """Open a quote; it is expandable if it goes on for long from p."""
    state.quote_open = 1
    q = p
    while q < state.held and q - p < _LONG_QUOTE:
        if q > p and state.buf[skip_blanks(state, q)] != QUOTE:
            break
        q = state.find(b"\n", q) + 1
    put_tag(state, b"<blockquote expandable>" if q - p >= _LONG_QUOTE else b"<blockquote>", 1)
