"""Literal text: code, HTML that is shown, formulas. Memory: none of its own."""

from .blanks import skip_prefix
from .output import close_styles, open_styles, put_blanks, put_breaks, put_escaped, put_run, put_tag
from .state import FAR


def put_raw(state, p, end, column=0):
    """Literal text: escaped, nothing else; its tabs go to the next fourth column, the text being at `column`."""
    if state.tabs:
        state.room_for("controls")
        from copepod.text import controls

        controls.put_tabbed(state, p, end, column)
        return
    if not state.sink:
        if p < end:
            put_run(state, p, end)
        return
    at = state.stops_at
    needle = state.needle
    while p < end:
        q = end
        for k in range(1, 4):  # & < >
            r = at[k]
            if r < p:
                needle[0] = state.stops[k]
                r = at[k] = state.find(needle, p, state.stops_end) & FAR
            if r < q:
                q = r
        if q > p:
            put_run(state, p, q)
        if q < end:
            put_escaped(state, state.buf[q])
        p = q + 1


def write_literal(state, p, end, blank=False):
    """Write text as it is, but for the prefixes of its lines; line ends as blanks if so asked."""
    solid = state.solid
    state.solid = True
    while p < end:
        q = state.find(b"\n", p, end)
        if q < 0:
            put_raw(state, p, end)
            break
        put_raw(state, p, q)
        if blank:
            put_blanks(state, 1)
        else:
            put_breaks(state)
        p = skip_prefix(state, q + 1)
    state.solid = solid


def begin_code(state):
    """Open a span of code, with the styles around it closed; False where there can be none."""
    if state.link_level or state.mute:
        return False
    close_styles(state)
    put_tag(state, b"<code>", 1)
    return True


def end_code(state):
    """Close the span of code, and open the styles again."""
    put_tag(state, b"</code>")
    open_styles(state)
