"""Markdown in, Telegram HTML out, in pieces that are each a whole message. Memory: one buffer, made at start.

    fmt = Formatter()
    fmt.begin()
    taken = fmt.feed(text)      # UTF-8 bytes taken; less than all: a piece is ready
    fmt.finish()
    while fmt.ready():
        fmt.write(sink)         # sink(buffer, start, end): HTML, in order, valid only during the call
        fmt.drop()

The buffer is the window: what decides how a piece looks and where it ends lies inside it. The Markdown of
the piece stays there until drop(), so that it can be written again, or as plain text. docs/formatting.md
explains the algorithm; state.py has every field.
"""

import gc

from micropython import const

from copepod.once import forget

from .bare import bareness
from .fits import fits
from .intake import clean, is_full
from .scan import aim_passes, forget_marks
from .state import BARE, FAR, STYLED, State

_BUFFER = const(12544)  # 4,096 Chinese characters and some
_PLENTY_B = const(131072)  # a board without PSRAM has less
# Modules that are imported by the function that needs one, and forgotten when the answer is done.
_ON_DEMAND = (
    "styled structure containers lines fences links tables unicode destinations definitions "
    "html formulas addresses charrefs symbols controls rich plain"
)

_CUTS_B = const(4600)  # of Python's heap, for cuts.py: see state.py
_COUNTING = "bounds cuts"  # of no use when it is known where the piece ends


class Formatter:
    """One answer at a time; `buffer` may be lent by the caller: a bytearray of 1,024 to 16,000 bytes.

    With `keeps_modules` what was loaded on demand stays for the next answer: most answers have lists, code and
    links, and loading that takes longer than formatting them. Where the heap is small it is forgotten each time,
    blocks.py only where its code is in RAM.
    """

    keeps_blocks = False

    def __init__(self, buffer=None):
        self.state = State(bytearray(_BUFFER) if buffer is None else buffer)
        self.keeps_modules = not hasattr(gc, "mem_free") or gc.mem_free() > _PLENTY_B

    def begin(self):
        """Start a new answer; whatever was held is forgotten."""
        self.state.begin()
        forget_marks(self.state)
        if not self.keeps_modules:
            self.forget_modules()

    def feed(self, text, start=0):
        """Take UTF-8 of `text` (a str, or bytes-like) from its byte `start` on; return how many bytes were taken."""
        state = self.state
        view = _utf8(text)
        end = len(view)
        p = start
        while p < end and not state.cut and not is_full(state):
            held = state.held
            n = end - p
            if held + n > state.room:
                n = max(state.room - held, 1)  # beyond it only what completes a character
            part = view if n == end else view[p : p + n]
            state.view[held : held + n] = part
            p += n
            state.held = held + n
            clean(state, held, part)
        return max(p - start, 0)

    def adopt(self, size_b):
        """Take the first `size_b` bytes of the buffer as the text so far: the caller has put UTF-8 there."""
        self.state.held = size_b
        clean(self.state, 0, self.state.view[0:size_b])

    def finish(self):
        """No more text comes."""
        self.state.finished = True

    def ready(self):
        """True if a whole piece can be written now."""
        state = self.state
        while not state.cut and state.held and (state.finished or is_full(state)):
            self._choose()
        return state.cut > 0

    def done(self):
        """True when the answer is finished and nothing is left to write."""
        return self.state.finished and not self.ready()

    def load(self):
        """Have what write() needs, now that a MemoryError can still make the piece its Markdown: see give_up()."""
        state = self.state
        if state.bare == STYLED:
            self._styled()
        elif state.blocks_module is None and not state.bare:
            state.blocks().pass_over(state)

    def write(self, sink):
        """The piece as HTML; the same each time."""
        state = self.state
        need = state.need
        state.need = None  # what was loaded a moment ago fits again, and the request has begun
        try:
            if state.bare == BARE:
                sink(state.buf, 0, state.cut)
            elif state.bare:
                self._styled().write(state, sink)
            else:
                state.blocks().write_piece(state, sink)
        finally:
            state.need = need

    def write_plain(self, sink):
        """The Markdown of the piece, as it was given (but for characters Telegram would not take)."""
        from copepod.text import plain

        plain.write_plain(self.state, sink)

    def write_markdown(self, sink):
        """The piece as Markdown that stands alone, for a server that formats; the same each time (rich.py)."""
        from copepod.text import rich

        rich.write_markdown(self.state, sink)

    def give_up(self, lost=True):
        """Make the piece in hand, or else a message's worth of what is held, one for write_plain().

        For when there is no memory to format it; False when nothing is held. Not `lost`: it was written, and
        only a piece that is longer than a message with its marks becomes another.
        """
        self.forget_modules()
        gc.collect()
        from copepod.text import plain

        return plain.give_up(self.state, lost)

    def drop(self):
        """The piece was accepted: make room for the next."""
        state = self.state
        if state.written < 2 and not state.bare:
            state.blocks().pass_over(state)
        state.keep()
        cut = state.cut
        held = state.held - cut
        if held:
            state.view[0:held] = state.view[cut : state.held]
        state.held = held
        state.resolved = max(state.resolved - cut, 0)
        state.cut = state.written = 0
        state.bare = 0
        if state.finished and not held and not self.keeps_modules:
            self.forget_modules()

    def forget_modules(self):
        """Drop the modules that were loaded on demand, and their memory with them."""
        state = self.state
        state.structure_module = state.links_module = state.fences_module = None
        if not self.keeps_blocks:
            state.blocks_module = state.sink = None  # pass_over() has one of its own
            forget("copepod.text.blocks")
        self._forget(_ON_DEMAND)
        self._forget(_COUNTING)

    def _forget(self, names):
        self.state.counter = None
        for name in names.split():
            forget("copepod.text." + name)

    def _styled(self):
        self.state.room_for("styled")
        from copepod.text import styled

        return styled

    def _choose(self):
        # Decide where the piece ends; what has nothing to show is dropped.
        state = self.state
        state.mark()
        # A line ends where the text does: the end of any line can be found without asking if there is one.
        state.buf[state.held] = state.buf[state.held + 1] = 10
        state.inside_block = False
        state.table_at = FAR
        aim_passes(state)
        if state.finished and not state.resolved:
            state.bare = bareness(state)
            if state.bare == STYLED and not self._styled().is_styled(state):
                state.bare = 0
            if state.bare:
                state.cut = state.held
                return
        blocks = state.blocks()
        sure = state.finished and not state.resolved and fits(state)
        if not self.keeps_modules:
            self._forget(_COUNTING)
        if sure:
            state.cut = state.held
            if not self.keeps_modules:
                # Here it can still become its Markdown, should there be no memory for what the walk loads.
                blocks.pass_over(state)
            return
        state.wide = max(state.view[0 : state.held]) > 127
        state.make_room(_CUTS_B)
        from copepod.text import cuts

        state.counter = cuts  # pyright: ignore[reportAttributeAccessIssue]
        cut = cuts.end_of_piece(state)
        if not self.keeps_modules:
            cuts = None
            self._forget(_COUNTING)
        state.restore()
        state.cut = cut
        if not state.shown:
            self.drop()


def _utf8(text):
    """A view of the UTF-8 of a str (a copy only where MicroPython's own way is not to be had) or of bytes."""
    if not isinstance(text, str):
        return text if isinstance(text, memoryview) else memoryview(text)
    try:
        return memoryview(text)  # pyright: ignore[reportArgumentType]
    except TypeError:
        return memoryview(text.encode("utf-8", "surrogatepass"))
