"""An answer out of the session's file, as parts for the formatter. Memory: 0.9 kB and 200 B, while it is sent."""

from micropython import const

from copepod.assistant.string_sink import Pieces

_WINDOW_B = const(192)
_SCHEMA = b"m content$8"


class Answer(Pieces):
    """Async iterator over the text of the message in the line that begins at `at`."""

    SHORT = 72  # the window is smaller, too
    failed: "str | None" = None  # why it is no answer, where the model gave none

    def __init__(self, path, at):
        super().__init__(_SCHEMA)
        self._path = path
        self._at = at
        self._file: "Any" = open(path, "rb")
        self._file.seek(at)
        self._in = bytearray(_WINDOW_B)
        self._out = bytearray(_WINDOW_B + 8)
        self._size_b = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            if self._file is None:
                raise StopAsyncIteration
            n = self._file.readinto(self._in)
            stop = self._in.find(b"\n", 0, n)
            last = stop >= 0 or not n
            self.feed(self._in, 0, n if stop < 0 else stop)
            if last:
                self.close()
            text = self._text(last)
            if text:
                return text

    def again(self):
        """Begin anew."""
        self.close()
        self.__init__(self._path, self._at)

    def close(self):
        """No more of it is wanted."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def piece(self, slot, buf, start, end):
        out = self._out
        n = self._size_b
        for at in range(start, end):
            out[n] = buf[at]
            n += 1
        self._size_b = n

    def _text(self, last):
        # The whole characters that are there; what is malformed is made good.
        out = self._out
        n = end = self._size_b
        if not last:
            back = 1
            while back < 4 and back < n and out[n - back] & 0xC0 == 0x80:
                back += 1
            if n and out[n - back] >= 0xC0:
                end = n - back
        if not end:
            return ""
        try:
            text = str(memoryview(out)[:end], "utf8")  # pyright: ignore[reportArgumentType]
        except ValueError:
            from copepod.net import json_text

            text = json_text.text(out, 0, end, end, False)
        for at in range(n - end):
            out[at] = out[end + at]
        self._size_b = n - end
        return text
