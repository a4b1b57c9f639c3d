"""Where the bytes come next that a pass stops at, and the marks put in their place. Memory: the state's arrays.

Three passes go over a block's text: spans.py stops at OPENERS, emphasis.py at state.delimiters, inline.py at
state.stops. Each byte that a pass stops at has a place in an array, where it comes next, found by find(), so that
plain text costs what C costs; what the text does not have is looked for once.
"""

from .marks import BACKSLASH, HTML
from .state import DELIMITERS, FAR, far_places

OPENERS = b"\\`<[$]"  # ] comes last: it is looked for only where [ has been found


def aim(state, at, chars, n, p, end):
    """Note in `at` where each of the first n of `chars`, four at least, comes next, before `end`."""
    needle = state.needle
    find = state.find
    needle[0] = chars[0]
    at[0] = find(needle, p, end) & FAR
    needle[0] = chars[1]
    at[1] = find(needle, p, end) & FAR
    needle[0] = chars[2]
    at[2] = find(needle, p, end) & FAR
    needle[0] = chars[3]
    at[3] = find(needle, p, end) & FAR
    k = 4
    while k < n:
        needle[0] = chars[k]
        at[k] = find(needle, p, end) & FAR
        k += 1


def forget_marks(state):
    """No mark is in use any more."""
    for k in range(4, state.stop_count):
        state.stops_at[k] = FAR
    state.stop_count = 4
    state.stops_at = state.few_stops_at
    for k in range(4, len(state.few_stops_at)):
        state.stops_at[k] = FAR
    if len(state.delimiters_at) > DELIMITERS:
        state.delimiters_at = far_places(DELIMITERS)  # a short one is looked through faster
    for k in range(4, DELIMITERS):
        state.delimiters_at[k] = FAR
    state.delimiter_count = 4


def use_mark(state, mark):
    """From now on the passes look for this mark; returns which of state.stops it is."""
    n = state.stop_count
    if n == len(state.few_stops_at):
        state.many_stops_at = state.many_stops_at or far_places(32)
        state.stops_at = copy_places(state.few_stops_at, state.many_stops_at)
    state.stops[n] = mark
    state.stop_count = n + 1
    if mark >= HTML or mark == BACKSLASH:
        k = state.delimiter_count
        if k == len(state.delimiters_at):
            state.delimiters_at = copy_places(state.delimiters_at, far_places(16))
        state.delimiters[k] = mark
        state.delimiter_count = k + 1
    return n


def set_mark(state, p, mark):
    """Overwrite the byte at p."""
    needle = state.needle
    state.buf[p] = needle[0] = mark
    k = state.stops.find(needle, 0, state.stop_count)
    if k < 0:
        k = use_mark(state, mark)
    if p < state.stops_at[k]:
        state.stops_at[k] = p
    if mark > 19 or mark == BACKSLASH:
        k = state.delimiters.find(needle, 0, state.delimiter_count)
        if k >= 0 and p < state.delimiters_at[k]:
            state.delimiters_at[k] = p


def aim_passes(state):
    """The window has changed: look again for what the two passes stop at."""
    at = state.openers_at
    n = len(OPENERS) - 1
    at[n] = FAR  # of no use where nothing opens
    aim(state, at, OPENERS, n, state.resolved, state.held)
    if at[3] < FAR:
        at[n] = state.find(b"]", state.resolved, state.held) & FAR
    aim(state, state.delimiters_at, state.delimiters, state.delimiter_count, state.resolved, state.held)
    state.effort = state.chain = 0
    state.bars = state.delimiters_at[3] < FAR or state.resolved and state.find(b"|", 0, state.held) >= 0
    state.definitions = (at[3] < FAR or state.resolved) and state.find(b"]:", 0, state.held) >= 0


def aim_stops(state, p, end):
    """Look for what the writing pass stops at, from p to end; p must not lie before what was written last."""
    aim(state, state.stops_at, state.stops, state.stop_count, p, end)
    state.stops_end = end


def copy_places(old, new):
    for k in range(len(old)):
        new[k] = old[k]
    return new
