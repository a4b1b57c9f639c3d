"""Writing: text, tags and styles, to the sink or, when there is none, to what counts. Memory: none of its own.

A walk over the Markdown is the same with a sink and without; without one state.counter is the module whose
functions count_run, count_text, count_units and count_tag are told what would have been written.
"""

from .marks import EDGES, TAGS

_BLANKS = b"                                "


def put_run(state, p, end):
    """Text that lies in the buffer and needs no escaping."""
    if state.sink:
        state.sink(state.buf, p, end)
    else:
        state.counter.count_run(state, p, end)


def put_text(state, text, n=1):
    """Text that is not in the buffer, of n units (and columns)."""
    if state.sink:
        state.sink(text, 0, len(text))
    else:
        state.counter.count_text(state, n)


def put_blanks(state, n, text=_BLANKS):
    """n blanks (or dashes)."""
    if not state.sink:
        state.counter.count_units(state, n)
        return
    while n > 0:
        k = min(n, len(text))
        state.sink(text, 0, k)
        n -= k


def put_breaks(state, n=1):
    """n line feeds, two at most."""
    if state.sink:
        state.sink(b"\n\n", 0, n)
    else:
        state.counter.count_units(state, n)


def put_escaped(state, c):
    """A character of ASCII; U+FFFD for NUL."""
    if c == 38:
        put_text(state, b"&amp;")
    elif c == 60:
        put_text(state, b"&lt;")
    elif c == 62:
        put_text(state, b"&gt;")
    elif c:
        state.needle[0] = c
        put_text(state, state.needle)
    else:
        put_text(state, b"\xef\xbf\xbd")


def put_tag(state, text, opens=0):
    """A tag that opens so many entities."""
    if state.mute:
        return
    if state.sink:
        state.sink(text, 0, len(text))
    else:
        state.counter.count_tag(state, len(text), opens)


def put_edge(state, k):
    """A tag of a style: twice the style, and one if it closes."""
    if state.mute:
        return
    if state.sink:
        state.sink(TAGS, EDGES[k], EDGES[k + 1])
    else:
        state.counter.count_tag(state, EDGES[k + 1] - EDGES[k], 1 - (k & 1))


def style_on(state, style):
    """A style opens; its tag is written unless it is open already."""
    n = state.style_count
    if n < 8:
        state.styles[n] = style
        if first_of(state, n):
            put_edge(state, style * 2)
    state.style_count = n + 1


def style_off(state):
    """The style that opened last closes."""
    n = state.style_count - 1
    if n >= 0:
        state.style_count = n
        if n < 8 and first_of(state, n):
            put_edge(state, state.styles[n] * 2 + 1)


def first_of(state, n):
    """True if the n-th open style is not open already."""
    i = 0
    while i < n:
        if state.styles[i] == state.styles[n]:
            return False
        i += 1
    return True


def close_styles(state):
    """Write the closing tags of all open styles, which stay open for open_styles()."""
    n = min(state.style_count, 8)
    while n:
        n -= 1
        if first_of(state, n):
            put_edge(state, state.styles[n] * 2 + 1)


def open_styles(state):
    """Write the opening tags of all open styles."""
    for n in range(min(state.style_count, 8)):
        if first_of(state, n):
            put_edge(state, state.styles[n] * 2)


def reference_at(state, p, end):
    """The character reference at p, an ampersand: its code point << 6 | its length; 0 if it is none."""
    if state.find(b";", p + 2, min(end, p + 12)) < 0:
        return 0
    state.room_for("charrefs")
    from copepod.text import charrefs

    return charrefs.reference(state.buf, p, end)


def put_code_point(state, code):
    """A character by its code point."""
    if code < 128:
        put_escaped(state, code)
        return
    state.room_for("charrefs")
    from copepod.text import charrefs

    charrefs.put_encoded(state, code)
