"""The piece as its Markdown, also when it can't be formatted. Loaded on demand. Memory: none of its own."""

from copepod.text.marks import CODE, END_CODE, ORIGINAL
from copepod.text.scan import aim_stops, seek
from copepod.text.state import LIMIT


def write_plain(state, sink):
    """The Markdown of the piece, as it was given (but for characters Telegram would not take)."""
    cut = end = state.cut  # of the piece, and of the code span that p lies in
    p = 0
    aim_stops(state, 0, cut)
    while p < cut:
        q = seek(state, state.stops_at, state.stops, p, end, cut)
        c = state.buf[q] if q < cut else 32
        if c in b"\n\t&<>":
            q += 1
        if q > p:
            sink(state.buf, p, q)
        p = q
        if c == 0:
            sink(b"\xef\xbf\xbd", 0, 3)
            p += 1
        elif c < 32 and c != 9 and c != 10:
            p += 1
            if c < 4 and c > 1:
                sink(state.buf, p, p + 1)
            else:
                sink(ORIGINAL, c, c + 1)
                end = state.find(END_CODE, p, cut) if c == CODE else cut


def give_up(state, lost=True):
    """Make the piece in hand, or else a message's worth of what is held, one for write_plain().

    For when there is no memory to format it; False when nothing is held. Not `lost`: it was written, and
    only a piece that is longer than a message with its marks becomes another.
    """
    buf = state.buf
    cut = state.cut
    if lost or cut > LIMIT:
        held = state.held
        c = 30
        while c:  # the cut, or the failure, may part what belongs together: all is Markdown again
            state.needle[0] = c
            p = state.find(state.needle, 0, held)
            while p >= 0:
                buf[p] = buf[p + 1] if c < 4 and c > 1 else ORIGINAL[c]
                p = state.find(state.needle, p + 1, held)
            c -= 1
        if not cut or cut > LIMIT:
            cut = held
            if cut > LIMIT:
                cut = max(buf.rfind(b"\n", 0, LIMIT), buf.rfind(b" ", 0, LIMIT)) + 1 or LIMIT
                while cut and buf[cut] & 0xC0 == 0x80:
                    cut -= 1
        state.cut = cut
        state.resolved = state.depth = state.quotes = state.quote_open = 0
        state.block = state.mid_line = state.style_count = state.containers[0] = 0
        state.bare = 0
        state.written = 2  # what it opens and closes does not matter
    return cut > 0
