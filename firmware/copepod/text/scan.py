"""Where the bytes come next that a pass stops at, and the marks put in their place. Memory: the state's arrays.

Three passes go over a block's text: spans.py stops at OPENERS, emphasis.py at state.delimiters, inline.py at
state.stops. Each byte that a pass stops at has a place in an array, where it comes next, found by find(), so that
plain text costs what C costs; what the text does not have is looked for once.
"""

from micropython import const

from .marks import STYLE_MARKS
from .state import FAR, far_places

OPENERS = b"\\`<[]$/"
_FEW = const(9)


def aim(state, at, chars, p, end):
    """Note in `at` where each of `chars` comes next from p on, before `end`."""
    needle = state.needle
    find = state.find
    k = 0
    for c in chars:
        needle[0] = c
        at[k] = find(needle, p, end) & FAR
        k += 1


def seek(state, at, chars, p, end, scope):
    """The nearest of `chars` from p on, or `end`. What is noted in `at` holds up to `scope`; p must not go back."""
    k = 0
    for q in at:
        if q < p:
            state.needle[0] = chars[k]
            at[k] = q = state.find(state.needle, p, scope) & FAR
        if q < end:
            end = q
        k += 1
    return end


def forget_marks(state):
    """Begin anew with few marks: those of one answer are looked for in the next, but only if they are few."""
    if len(state.stops) > _FEW:
        state.stops = bytearray(b"\n&<>")
        state.stops_at = far_places(4)
        state.delimiters = bytearray(b"*_~|")
        state.delimiters_at = far_places(4)


def use_mark(state, mark):
    """From now on the passes look for this mark."""
    state.stops.append(mark)
    state.stops_at.append(FAR)
    if mark not in STYLE_MARKS:
        state.delimiters.append(mark)
        state.delimiters_at.append(FAR)


def set_mark(state, p, mark):
    """Overwrite the byte at p."""
    needle = state.needle
    state.buf[p] = needle[0] = mark
    k = state.stops.find(needle)
    if k < 0:
        use_mark(state, mark)
    if p < state.stops_at[k]:
        state.stops_at[k] = p
    if mark not in STYLE_MARKS:
        k = state.delimiters.find(needle)
        if p < state.delimiters_at[k]:
            state.delimiters_at[k] = p


def aim_passes(state):
    """The window has changed: look again for what the first two passes stop at."""
    start = state.resolved
    held = state.held
    at = state.openers_at
    aim(state, at, OPENERS, start, held)
    if at[3] == FAR:
        at[4] = FAR  # of no use where nothing opens
    at = state.delimiters_at
    aim(state, at, state.delimiters, start, held)
    state.effort = state.chain = 0
    state.bars = at[3] < FAR or start and state.find(b"|", 0, held) >= 0
    state.definitions = (state.openers_at[3] < FAR or start) and state.find(b"]:", 0, held) >= 0


def aim_stops(state, p, end):
    """Look for what the writing pass stops at, from p to end."""
    aim(state, state.stops_at, state.stops, p, end)
    state.stops_end = end
