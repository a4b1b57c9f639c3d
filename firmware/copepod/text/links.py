"""Parts of a link: blanks, destination, title, label; what Telegram keeps. Memory: loaded on demand.

What a destination spans is left in state.destination and state.destination_end.
"""

from micropython import const

from .blanks import skip_blanks, skip_gap
from .chars import punctuation
from .destinations import read_destination
from .literal import write_literal
from .marks import AUTOLINK, CODE, END_INLINE, END_LABEL, HTML, IMAGE, LINK
from .output import put_code_point, put_escaped, put_tag, put_text, reference_at

_END_SHORT = const(27)
_STRIDE = const(64)  # bytes of a destination that are looked through at once
_HREF = b'&<>"\\'
_SCHEMES = (b"http://", b"https://", b"tg://", b"ton://", b"tonsite://")


def inline_end(state, p, end):
    """The end of `(destination "title")` whose parenthesis is at p, or 0."""
    buf = state.buf
    q = skip_gap(state, p + 1)
    if q < end and buf[q] == 41:
        state.destination = state.destination_end = q
        return q + 1
    p = read_destination(state, q, end)
    if not p:
        return 0
    q = skip_gap(state, p)
    if q > p and q < end and buf[q] != 41:
        state.room_for("destinations")
        from copepod.text.destinations import title_end

        q = title_end(state, q, end)
        if not q:
            return 0
        q = skip_gap(state, q)
    return q + 1 if q < end and buf[q] == 41 else 0


def link_tail(state, q, end):
    """Where the link whose closing bracket is marked at q ends; for ( ) the destination is noted too."""
    c = state.buf[q]
    if c == END_INLINE:
        return inline_end(state, q + 1, end)
    if c == END_LABEL:
        state.room_for("destinations")
        from copepod.text.destinations import label_end

        return (label_end(state, q + 2, end) or q + 2) + 1
    return q + 1


def is_kept(state):
    """True if the server keeps a link to what lies from state.destination to its end."""
    buf = state.buf
    p = state.destination
    end = state.destination_end
    for scheme in _SCHEMES:
        n = len(scheme)
        if n < end - p:
            k = 0
            while k < n and buf[p + k] | 32 == scheme[k] | 32:
                k += 1
            if k == n:
                break
    else:
        return False
    p += n
    if scheme[0] == 116:
        return True
    start = p
    dot = 0
    while p < end:
        c = buf[p]
        if c == 47 or c == 63 or c == 35:
            break
        if c == 46 and p > start:
            dot = p
        elif c == 64:
            dot = 0
            start = p + 1
        elif c <= 32 or c in b'"<>\\^`{|}%&':
            return False
        p += 1
    return buf[start] == 91 or dot > 0 and dot < p - 1


def put_href(state, literal=False):
    """A tag that opens a link to the destination; `literal`: without escapes and character references."""
    put_tag(state, b'<a href="', 1)
    if state.sink:
        send_destination(state, literal)
    else:
        state.tag_bytes += href_bytes(state)
    put_tag(state, b'">')


def put_destination(state):
    """The destination as text, in the place of a link's text or an image's description that shows nothing."""
    if state.sink:
        send_destination(state, False)
    else:
        solid = state.solid
        state.solid = True  # no place to cut at
        state.counter.count_run(state, state.destination, state.destination_end)
        state.solid = solid


def href_bytes(state):
    """At most so many bytes has the destination in a tag."""
    n = 6 + state.destination_end - state.destination
    for c in _HREF:
        state.needle[0] = c
        n += 6 * state.buf.count(state.needle, state.destination, state.destination_end)
    return n


def send_destination(state, literal):
    """Write the destination as HTML."""
    p = state.destination
    end = state.destination_end
    sink = state.sink
    while p < end:
        stop = q = min(end, p + _STRIDE)
        for c in _HREF:
            state.needle[0] = c
            k = state.find(state.needle, p, q)
            if k >= 0:
                q = k
        if q > p:
            sink(state.buf, p, q)
        p = q + 1
        if q == stop:
            p = q
            continue
        c = state.buf[q]
        if c == 92 and not literal and p < end and punctuation(state.buf[p]):
            c = state.buf[p]
            p += 1
        elif c == 38 and not literal:
            found = reference_at(state, q, end)
            if found:
                c = found >> 6
                p = q + (found & 63)
        if c == 34:
            sink(b"&quot;", 0, 6)
        else:
            put_code_point(state, c)


def link_end(state, p, q, end):
    """The mark for the bracket at q that closes the one at p, or 0; what follows begins at state.link_after."""
    buf = state.buf
    if buf[q + 1] == 40:
        r = inline_end(state, q + 1, end)
        if r:
            state.link_after = r
            return END_INLINE
    if not state.definitions:
        return 0
    state.room_for("definitions")
    from copepod.text.definitions import reference_end

    r = reference_end(state, p, q, end)
    state.link_after = r
    return (END_LABEL if r > q + 1 else _END_SHORT) if r else 0


def write_span(state, c, q, end):
    """Write the span or the edge of a link that is marked at q; return what follows."""
    buf = state.buf
    p = q + 1
    if c == LINK or c == IMAGE:
        if c == IMAGE:
            p += 1
        state.bracket_level += 1
        empty = IMAGE < buf[skip_blanks(state, p)] < AUTOLINK  # a bracket that ends it
        linked = (empty or not (state.link_level or state.mute)) and find_target(state, q, end)
        if linked and not (state.link_level or state.mute):
            put_href(state)
            state.link_level = state.bracket_level
        if empty:
            put_destination(state)  # it would be nothing to see
        if c == IMAGE and not state.mute:
            state.mute = True
            state.image_level = state.bracket_level
        return p
    if c == AUTOLINK:
        stop = state.find(b">", p, end)
        state.destination = p
        state.destination_end = stop
        linked = not (state.link_level or state.mute) and is_kept(state)
        if linked:
            put_href(state, True)
        write_literal(state, p, stop)
        if linked:
            put_tag(state, b"</a>")
        return stop + 1
    if c == HTML:
        state.room_for("html")
        from copepod.text.html import html_end

        stop = html_end(state, p, end)
        put_text(state, b"&lt;")
        write_literal(state, p, stop)
        return stop
    if not state.bracket_level:
        put_escaped(state, 93)  # its beginning is text after all
        return p
    if state.image_level == state.bracket_level:
        state.mute = False
        state.image_level = 0
    if state.link_level == state.bracket_level:
        put_tag(state, b"</a>")
        state.link_level = 0
    state.bracket_level -= 1
    return link_tail(state, q, end)


def find_target(state, p, end):
    """Find the destination of the link or image marked at p; True if Telegram keeps such a link."""
    buf = state.buf
    q = p
    depth = 0
    while True:
        c = buf[q]
        if CODE < c < AUTOLINK:
            depth += 1 if c < END_INLINE else -1
            if not depth:
                break
        q += 1
        if q >= end:
            return False
    if c == END_INLINE:
        link_tail(state, q, end)
    else:
        state.room_for("definitions")
        from copepod.text.definitions import find_definition

        if not find_definition(state, p, q, end):
            return False
    return is_kept(state)
