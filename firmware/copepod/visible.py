"""What others have written, safe for a console: no control character, one line. Memory: loaded when needed.

Nothing that comes from outside can move the cursor, begin a line, turn the direction of writing, or
pass for telemetry (docs/telemetry.md).
"""

import io
import sys

_HIDDEN = (  # beside the controls: what turns or ends a line, or shows nothing
    (0x7F, 0x9F),
    (0x61C, 0x61C),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xD800, 0xDFFF),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE0FFF),
)
_NAMES = {9: "\\t", 10: "\\n", 13: "\\r"}


def visible(text):
    """`text` with each control character as its escape: \\x1b, \\n, \\u202e; the @ of telemetry, too."""
    parts = []
    start = at = 0
    for c in text:
        code = ord(c)
        if code < 32 or code > 126 and _hidden(code):
            parts.append(text[start:at])
            parts.append(_escape(code))
            start = at + 1
        at += 1
    parts.append(text[start:])
    return "".join(parts).replace("@cp", "\\x40cp")


def _hidden(code):
    for first, last in _HIDDEN:
        if first <= code <= last:
            return True
    return False


def _escape(code):
    if code in _NAMES:
        return _NAMES[code]
    return "\\x%02x" % code if code < 256 else "\\u%04x" % code


class Traceback(io.IOBase):
    """A stream for sys.print_exception(): its own lines as they are, the exception's text in one."""

    def __init__(self):
        self._line = b""  # what has come of a line
        self._text = False  # in the exception's text, where no line is the traceback's any more

    def write(self, data):
        """Take a piece of it, as MicroPython writes them."""
        self._line += bytes(data)
        while not self._text:
            end = self._line.find(b"\n")
            if end < 0:
                break
            line = self._line[:end]
            if not (line.startswith(b"Traceback (most recent") or line.startswith(b'  File "')):
                self._text = True
                break
            sys.stdout.write(str(line, "utf8") + "\n")
            self._line = self._line[end + 1 :]
        return len(data)

    def end(self, scrub):
        """Print what is left, the exception's name and text, once scrub(text) has gone over it."""
        try:
            text = str(self._line, "utf8")
        except (ValueError, UnicodeError):
            text = repr(self._line)
        sys.stdout.write(visible(scrub(text.rstrip("\n"))) + "\n")


def trace(error, scrub: "Any" = str):
    """sys.print_exception(error), safe for the console; scrub(text) takes out what nobody may see."""
    stream = Traceback()
    try:
        sys.print_exception(error, stream)  # pyright: ignore[reportAttributeAccessIssue]
    except Exception as second:  # somebody's own __str__
        stream.write((type(second).__name__ + " while it was printed\n").encode())
    stream.end(scrub)
