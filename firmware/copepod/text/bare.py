"""Whether a text is bare: nothing in it means anything to Markdown. Memory: none of its own.

What most handlers say is: "The lamp is on." It is written as it stands, and blocks.py need not be loaded for it, nor
for "The lamp is **on**." (styled.py). A text may be bare without being found to be; what is found to be is what the
walk over it would write.
"""

from .fits import surely_shows
from .state import BARE, LIMIT, STYLED

_MEANT = b"\\~|[<>&$"  # opens or ends something, or has to be escaped
_STYLES = b"*_`"


def bareness(state):
    """BARE if what is held is a message as it stands, STYLED if it may be one for styled.py, else 0."""
    buf = state.buf
    held = state.held
    if held > LIMIT or state.tabs or state.block or state.depth or buf[held - 1] <= 32:
        return 0
    if buf[0] > 127 and not surely_shows(buf, 0):
        return 0
    p = 0
    while p < held:
        # A line that begins with a letter begins no block but a paragraph, nor underlines one.
        c = buf[p]
        if not (97 <= c | 32 <= 122 or c > 127 or c in _STYLES):
            return 0
        p = state.find(b"\n", p, held) + 1
        if not p:
            break
        if buf[p - 2] == 32:
            return 0
        if buf[p] == 10:
            p += 1
    if state.find(b"//", 0, held) >= 0:
        return 0  # an address
    needle = state.needle
    for c in _MEANT:
        needle[0] = c
        if state.find(needle, 0, held) >= 0:
            return 0
    for c in _STYLES:
        needle[0] = c
        if state.find(needle, 0, held) >= 0:
            return STYLED
    return BARE
