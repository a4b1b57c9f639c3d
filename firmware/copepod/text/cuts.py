"""Counting what a piece comes to, and finding where it ends. Loaded on demand. Memory: none of its own.

A text that may be more than a message is walked over without a sink; what would be written is counted here, and
the last place to cut between blocks is noted. If that is no good, a second walk notes places inside a block.
"""

from micropython import const

from copepod.text.blocks import walk
from copepod.text.chars import utf8_b
from copepod.text.unicode import safe_cut, units, visible
from copepod.text.marks import CODE, END_CODE, ORIGINAL
from copepod.text.state import BLOCK, LIMIT, LINE

_WORD = const(3)
_SENTENCE = const(2)
_ENTITIES = const(100)  # more are silently dropped
_TAG_BYTES = const(12000)  # with 4096 units of five bytes (&amp;) this stays under the 32768 a text may have
_SENTENCES = (b". ", b"! ", b"? ", b"\xe3\x80\x82", b"\xef\xbc\x81", b"\xef\xbc\x9f")


class Full(Exception):
    """Counting has gone as far as it has to."""


def end_of_piece(state):
    """Where the piece is to end; state.shown tells if it has anything to show."""
    state.exact = state.wide and state.held > LIMIT + 512
    cut = count_piece(state)
    if not state.exact and cut < state.held and state.wide and state.over:
        state.exact = True
        cut = count_piece(state)
    if not cut:
        cut = cut_inside(state)
        try:
            count(state, cut)  # does this piece show anything, too?
        except Full:
            pass
    return cut


def count(state, stop):
    """Walk up to `stop`, or until the piece is full."""
    state.restore()
    state.units = state.entities = state.tag_bytes = state.top = 0
    state.top_units = state.top_entities = state.top_tag_bytes = state.latest_cut = 0
    state.most_units = LIMIT
    state.over = state.shown = state.ends_at_top = False
    walk(state, stop, None)


def count_piece(state):
    """Walk until the piece is full; return where to end it between blocks, or 0 if that can not be."""
    try:
        count(state, state.held)
    except Full:
        return state.top if state.ends_at_top else 0
    if state.finished and not state.over:
        return state.held
    return state.top if state.shown else state.held


def block_starts(state, q):
    """A block begins here, in the line with q: the piece may end before it."""
    block_ends(state, state.find(b"\n", q))
    state.latest_cut = state.pos
    if not state.shown or state.after_heading and state.units < state.top_units + 1000:
        return
    if state.inside_block:
        note(state, BLOCK, state.pos)
    elif not state.matched:
        if state.over:
            state.ends_at_top = True
            raise Full
        state.top = state.pos
        state.top_units = state.units
        state.top_entities = state.entities
        state.top_tag_bytes = state.tag_bytes


def block_ends(state, end):
    """The block ends where the window does, and more may come: leave it to the next piece if there is another."""
    if end >= state.held and not (state.finished or state.inside_block) and state.top:
        state.over = state.ends_at_top = True
        raise Full


def cut_inside(state):
    """No end between blocks will do: find the best place inside one."""
    state.inside_block = True
    while True:
        k = 0
        while k < 4:
            state.places[k] = state.place_units[k] = 0
            k += 1
        try:
            count(state, state.held)
            state.latest_cut = state.held
        except Full:
            pass
        best = 0
        for k in range(4):
            place = state.places[k]
            if state.place_units[k] >= LIMIT >> 1:
                best = place
                break
            if place > best and state.place_units[k] >= LIMIT >> 2:
                best = place
        best = best or state.latest_cut
        if best:
            break
        # A span that is longer than a message: let it be text.
        c = state.buf[0]
        if not 11 < c < 32:
            best = safe_cut(state.buf, min(state.held, LIMIT >> 2), 0)
            break
        state.buf[0] = ORIGINAL[c]
        if c == CODE:
            state.buf[state.find(END_CODE, 0)] = 96
    state.inside_block = False
    return best


def count_tag(state, length, opens):
    """A tag of so many bytes that opens so many entities."""
    state.tag_bytes += length
    state.entities += opens
    if state.entities > state.top_entities + _ENTITIES or state.tag_bytes > state.top_tag_bytes + _TAG_BYTES:
        raise Full
    if not state.over and (state.entities > _ENTITIES or state.tag_bytes > _TAG_BYTES):
        burst(state, 0, 0, 0)


def count_text(state, n):
    """Text of n units that is not in the buffer, and that is seen."""
    state.shown = True
    count_units(state, n)


def count_character(state, n):
    """The character of n bytes in state.character."""
    state.shown = state.shown or visible(state.character, 0, n)
    count_units(state, 2 if n == 4 else 1)


def count_run(state, p, end):
    """Text from p to end of the buffer."""
    if not state.shown:
        state.shown = visible(state.buf, p, end)
    n = units(state.buf, p, end) if state.exact else end - p
    if state.units + n > state.most_units:
        burst(state, p, end, n)
    elif state.inside_block:
        note_run(state, p, end)
    state.units += n


def count_units(state, n):
    """Blanks or line feeds."""
    if state.units + n > state.most_units:
        burst(state, 0, 0, n)
    state.units += n


def burst(state, p, end, n):
    """n more units do not fit; p to end is the run that they are, if it may be cut."""
    if state.inside_block:
        if end and not (state.solid or state.link_level or state.mute):
            room = state.most_units - state.units
            cut = p
            if state.exact:
                while room > 0:
                    c = state.buf[cut]
                    room -= 2 if c > 0xEF else 1
                    cut += utf8_b(c)
                if room < 0:
                    cut -= 4
            else:
                cut += room
            note_run(state, p, min(cut + 1, end))
            cut = safe_cut(state.buf, cut, p)
            if cut > p:
                state.latest_cut = cut
        raise Full
    if not state.over:
        state.over = True
        state.most_units = state.top_units + LIMIT  # the block that goes over may fit the next piece
    if state.units + n > state.most_units:
        raise Full


def note(state, rank, p):
    """The piece could be cut at p."""
    if state.inside_block and not (state.link_level or state.mute) and p:
        state.places[rank] = p
        state.place_units[rank] = state.units


def note_run(state, p, end):
    """The last word and sentence that end inside a run."""
    if state.solid or state.link_level or state.mute:
        return
    buf = state.buf
    q = buf.rfind(b" ", p, end)
    if q > p:
        state.places[_WORD] = q + 1
        state.place_units[_WORD] = state.units + (units(buf, p, q) if state.exact else q - p)
    if state.in_code:
        q = buf.rfind(b"\n", p, end)
        rank = LINE
        size = 1
    else:
        rank = _SENTENCE
        q = -1
        for mark in _SENTENCES:
            k = buf.rfind(mark, p, end)
            if k > q:
                q = k
                size = len(mark)
    if q > p and q + size <= end:  # pyright: ignore[reportPossiblyUnboundVariable]
        state.places[rank] = q + size  # pyright: ignore[reportPossiblyUnboundVariable]
        state.place_units[rank] = state.units + (units(buf, p, q) if state.exact else q - p)
