"""The JSON reader with a sink: strings of any length in pieces, none is held. Memory: 0.6 kB more than a Reader's."""

from micropython import const

from copepod.net.json_stream import Reader
from copepod.textbuffer import TextBuffer

FIRST_SUNK = const(8)  # the place of a value from which on strings go to piece()

_REPLACEMENT_B = const(3)  # a surrogate that waits for its other half


class Pieces(Reader):
    """A Reader whose strings ($) of the places from FIRST_SUNK on go to piece(slot, buf, start, end), in UTF-8.

    A piece ends anywhere, inside of a character, too. What comes of one window has room in the reader's own buffer, of
    3 bytes for each of SHORT units, so nothing is ever cut: a window may have 512 bytes here.
    """

    SHORT = 192

    piece: "Any"

    def __init__(self, schema):
        super().__init__(schema, TextBuffer(b""))

    def opened(self, letter):
        pass

    def closed(self, letter):
        pass

    def _keep(self, buf, start, end):
        slot = (self._action & 127) - 48
        if slot < FIRST_SUNK:
            Reader._keep(self, buf, start, end)
            return
        self._state = 5  # _AFTER, as the reader calls it
        if end > start:
            self.piece(slot, buf, start, end)

    def _string(self, buf, i, end):
        i = Reader._string(self, buf, i, end)
        slot = (self._action & 127) - 48
        if (
            slot >= FIRST_SUNK and not self._naming and self._state >= 7
        ):  # _ESCAPE, _STRING: it goes on
            n = self._n
            lead = self._lead
            rest = 0
            if lead >= 0 and lead + _REPLACEMENT_B == n:
                n = lead
                rest = _REPLACEMENT_B
            if n:
                self.piece(slot, self._short, 0, n)
                if rest:
                    self._short[:rest] = b"\xef\xbf\xbd"
            self._lead = 0 if rest else -1
            self._n = rest
        return i
