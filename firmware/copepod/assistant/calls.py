"""The tool calls in a line of the session's file, one at a time. Memory: 0.8 kB and the call's arguments; dropped."""

from micropython import const

from copepod.assistant.string_sink import Pieces

_WINDOW_B = const(256)
_SCHEMA = b"m role$0 tool_calls{t\nt id$1 function{f\nf name$2 arguments$8"


class Calls(Pieces):
    """Reads lines: at(file, offset, index). `role` is the message's, `count` the number of its calls.

    `call_id`, `name` and `arguments` (a bytearray) are those of the call `index`.
    """

    SHORT = 128  # units of an id; the window is smaller, too

    def __init__(self):
        super().__init__(_SCHEMA)
        self._in = bytearray(_WINDOW_B)

    def at(self, file, offset, index=-1):
        """Read the line; returns where the next one begins. ValueError if it is no message."""
        self.begin()
        self.count = 0
        self.call_id = self.name = ""
        self.arguments = bytearray()
        self._wanted = index
        window = self._in
        file.seek(offset)
        while True:
            n = file.readinto(window)
            stop = window.find(b"\n", 0, n)
            self.feed(window, 0, n if stop < 0 else stop)
            if stop >= 0 or not n:
                self.finish()
                self.role = self.values[0]
                return offset + stop + 1
            offset += n

    def closed(self, letter):
        if letter == 116:
            if self.count == self._wanted:
                self.call_id = self.values[1] or ""
                self.name = self.values[2] or ""
            self.count += 1
            self.values[1] = self.values[2] = None

    def piece(self, slot, buf, start, end):
        if self.count == self._wanted:
            self.arguments.extend(memoryview(buf)[start:end])
