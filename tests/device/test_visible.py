"""What others write can't move the console's cursor, begin a line or turn it round: log lines and tracebacks."""

import sys

from copepod import visible
from copepod.log import log

PURE = True

FRAME = "@cp1 E 7 1000 stop 0 *41153"
TRICKS = (
    FRAME,
    "\x1b[2J\x1b[H",
    "a\n" + FRAME,
    "a\r" + FRAME,
    "a\r\n123 copepod: access: paired with id 666",
    "\x00\x07\x08\x7f",
    "\x9b2J\x85",
    "\u202eabc\u2066\u200f",
    "\u2028" + FRAME + "\u2029",
    '\n  File "main.py", line 1, in <module>\n' + FRAME,
    "\nTraceback (most recent call last):\n" + FRAME,
)


class Console:
    """Takes what is written to sys.stdout by the two modules that print."""

    def __init__(self):
        self.parts = []
        self.stdout = self

    def write(self, text):
        self.parts.append(text)

    def lines(self):
        return "".join(self.parts).split("\n")


def harmless(text):
    for c in text:
        code = ord(c)
        assert 32 <= code < 127 or code > 0xA0 and not 0x2000 <= code < 0x2070, (text, code)
    assert "@cp" not in text


def test_what_is_seen_stays_as_it_is():
    for text in ("", "hello", "\u6f6e\u6c34 \u0436 \U0001f980 \u00e9", "a\\n b", '"' + "x" * 300):
        assert visible.visible(text) == text
    assert visible.visible("a\x1b[0mb\tc\n\u202e") == "a\\x1b[0mb\\tc\\n\\u202e"


def test_tricks_in_the_log():
    import copepod.log as module

    before = module.sys
    for trick in TRICKS:
        for part in (trick, ValueError(trick), KeyError(trick), OSError(5, trick)):
            console = module.sys = Console()
            try:
                log("handler", "failed: ", part)
            finally:
                module.sys = before
            lines = console.lines()
            assert len(lines) == 2 and lines[1] == "", lines
            harmless(lines[0])
            assert lines[0].startswith("handler: failed: ")


class Bad(Exception):
    def __str__(self):
        raise ValueError("no")


def test_an_error_that_has_no_text():
    import copepod.log as module

    before = module.sys
    console = module.sys = Console()
    try:
        log("handler", "failed: ", Bad())
    finally:
        module.sys = before
    assert console.lines()[0] == "handler: failed: (Bad that can't be shown)"


def test_tricks_in_a_traceback():
    if sys.implementation.name != "micropython":
        return

    class Modules(Console):
        print_exception = sys.print_exception

    before = visible.sys
    for trick in TRICKS:
        for kind in (ValueError, KeyError, SyntaxError):
            console = visible.sys = Modules()
            try:
                try:
                    {}[trick] if kind is KeyError else [][kind(trick)]
                except Exception as error:
                    visible.trace(error)
                try:
                    raise kind(trick)
                except Exception as error:
                    visible.trace(error)
            finally:
                visible.sys = before
            lines = console.lines()
            assert lines.pop() == ""
            for line in lines:
                harmless(line)
                known = line.startswith("Traceback (most recent") or line.startswith("  File ")
                assert known or line[:8] in ("ValueErr", "KeyError", "SyntaxEr", "TypeErro"), line
            ends = [line for line in lines if line[:1] not in " T" or line.startswith("Type")]
            assert len(ends) == 2, lines
    console = visible.sys = Modules()
    try:
        try:
            raise Bad
        except Bad as error:
            visible.trace(error)
    finally:
        visible.sys = before
    assert "test_visible.py" in console.lines()[1] and "Bad" in console.lines()[2]
