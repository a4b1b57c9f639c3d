"""Inline text whose delimiters are marked: styles, code, links, references, line ends. Memory: none of its own."""

from .blanks import skip_prefix
from .literal import begin_code, end_code, write_literal
from .margins import put_margin
from .marks import ADDRESS, BACKSLASH, CODE, END_CODE, FORMULA, HTML, MATH, STYLE, TAG
from .output import (
    put_blanks,
    put_breaks,
    put_code_point,
    put_escaped,
    put_run,
    put_text,
    reference_at,
    style_off,
    style_on,
)
from .state import FAR, LINE


def write_text(state, p, end):
    """Write the text from p to end, which is resolved."""
    buf = state.buf
    at = state.stops_at
    stops = state.stops
    needle = state.needle
    find = state.find
    scope = state.stops_end
    sink = state.sink
    plain = not (
        state.depth or state.inside_block
    )  # between two lines stands nothing but a line feed
    k = p
    q = min(at)
    while p < end:
        if k < p:
            k = p
        while q < k:  # the last one's place is known
            needle[0] = buf[q]
            i = stops.find(needle)
            if at[i] != q:  # overwritten since, or looked up by put_raw
                q = min(at)
                if q >= k:
                    break
                i = 0
                while at[i] != q:
                    i += 1
                needle[0] = stops[i]
            at[i] = find(needle, k, scope) & FAR
            q = min(at)
        if q >= end:
            q = end
            c = 10
        else:
            c = buf[q]
        if q > p:
            e = q
            if c == 10:
                while e > p and buf[e - 1] == 32:
                    e -= 1
                if plain and e == q and q + 1 < end and buf[q + 1] > 32:
                    k = q + 1
                    continue
            if e > p:
                if sink:
                    sink(buf, p, e)
                else:
                    put_run(state, p, e)
        if q == end:
            return
        if not (sink or state.link_level):
            state.latest_cut = q
        p = q + 1
        if c == CODE:
            while buf[p] == 96:
                p += 1
            i = find(END_CODE, p, end)
            k = i + p - q
            if i < 0:  # its end is not in this block after all
                i = k = end
            if sink and buf[p] > 32:
                needle[0] = c
                at[stops.find(needle)] = find(needle, i, scope) & FAR
                q = min(at)
            if q > i and not (
                state.style_count or state.link_level or state.mute
            ):  # nothing to escape in it
                sink(b"<code>", 0, 6)
                sink(buf, p, i)
                sink(b"</code>", 0, 7)
            else:
                write_code_span(state, p, i)
                q = min(at)
            p = k
        elif c < HTML and (c > 13 or 1 < c < 8):
            if c < 4 or 14 <= c < 16 or c > 17:
                p += 1
            if c & 1:
                style_off(state)
            else:
                style_on(state, STYLE[c])
        elif c == 10:
            p = skip_prefix(state, p)
            if p < end:
                if state.inside_block:
                    state.counter.note(state, LINE, p)
                put_breaks(state)
                if state.indent or state.quotes > 1:
                    put_margin(state)
        elif c == 38:
            i = reference_at(state, q, end)
            put_code_point(state, i >> 6 or 38)
            if i:
                p = q + (i & 63)
        elif c == 60 or c == 62 or c == 0:
            put_escaped(state, c)
        elif c == 9:
            put_blanks(state, 1)
        elif c == BACKSLASH:
            if buf[p] == 38:
                put_escaped(state, 38)
                p += 1
        elif c == TAG:
            if buf[p] == 47:
                style_off(state)
            else:
                state.room_for("html")
                from copepod.text import html

                style_on(state, html.tag_style(state, p))
            p = state.find(b">", p, end) + 1
        elif c == ADDRESS:
            put_text(state, b"/")
        elif c == MATH or c == FORMULA:
            state.room_for("formulas")
            from copepod.text import formulas

            p = formulas.write_formula(state, q, end)
        else:
            p = state.links().write_span(state, c, q, end)


def write_code_span(state, p, end):
    """Write the code from p to end, between its backticks; styles are closed around it."""
    buf = state.buf
    if end - p > 2 and buf[p] in b" \n" and buf[end - 1] in b" \n":
        blanks = buf.count(b" ", p, end) + buf.count(b"\n", p, end)
        if (
            blanks + (state.tabs and buf.count(b"\t", p, end)) < end - p
        ):  # else it is nothing but blanks
            p += 1
            end -= 1
    if state.link_level or state.mute:
        while True:  # in a table's cell an escaped bar is a bar
            q = state.find(b"\\|", p, end) if state.mute else -1
            if q < 0:
                break
            write_literal(state, p, q, True)
            p = q + 1
        write_literal(state, p, end, True)
        return
    begin_code(state)
    write_literal(state, p, end, True)
    end_code(state)
