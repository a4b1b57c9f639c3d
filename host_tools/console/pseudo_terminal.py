"""A command in a terminal that nobody sits at: keys are typed, and what it shows is read.

pyte keeps the screen as a terminal would draw it, and answers what a command asks its terminal.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte

_DIM, _GREY = 2, 90  # pyte knows no dim text: it is drawn in grey
SHELL = r"\$ $"  # the prompt of `sh -i` in newcomer()
# Of the person's environment, what would answer for them or lead elsewhere.
_OURS = re.compile(
    "TELEGRAM_|ALLOW$|BASE_URL$|BOT$|TARGET$|MODEL|API_KEY$|MAKE|MFLAGS|ARGS$|VIRTUAL_ENV|COLUMNS$|LINES$"
)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def newcomer() -> dict[str, str]:
    """The environment of someone who has just logged in: no .venv of ours, no token, a plain prompt."""
    kept = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    ours = Path(sys.executable).parent
    here = [part for part in kept.get("PATH", "").split(os.pathsep) if Path(part) != ours]
    return kept | {"PATH": os.pathsep.join(here), "PS1": "$ ", "ENV": ""}


class _Screen(pyte.Screen):
    """A screen whose answers (where is the cursor?) go back to the command."""

    fd = -1

    def write_process_input(self, data: str) -> None:
        os.write(self.fd, data.encode())

    def select_graphic_rendition(self, *attrs: int) -> None:
        super().select_graphic_rendition(*(_GREY if attr == _DIM else attr for attr in attrs))


class NotShown(AssertionError):
    """What was waited for did not come in time, or the command has ended."""


class PseudoTerminal:
    """`with PseudoTerminal(command) as terminal:` then `type()` keys and wait `until()` all is there."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        folder: Path | None = None,
        columns: int = 110,
        lines: int = 40,
    ) -> None:
        self.seen = ""  # since the last until(), without what moves the cursor
        self.screen = _Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.pid, self.screen.fd = pty.fork()
        if self.pid == 0:
            try:
                size = struct.pack("HHHH", lines, columns, 0, 0)
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)
                os.chdir(folder or ".")
                words = [str(word) for word in command]
                os.execvpe(words[0], words, {**environment, "TERM": "xterm-256color"})
            finally:
                os._exit(127)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.screen.fd, keys.encode())

    def until(self, pattern: str, seconds: float = 15.0) -> str:
        """Read until what has been shown since the last call has the pattern; returns that."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            if time.monotonic() > deadline or not self._read(0.2):
                raise NotShown(f"{pattern!r} was not shown:\n{self.seen[-3000:]}")
        found, self.seen = self.seen, ""
        return found

    def until_screen(self, pattern: str, seconds: float = 15.0) -> None:
        """Read until the screen, as it is now, has the pattern."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text()):
            if time.monotonic() > deadline or not self._read(0.2):
                raise NotShown(f"{pattern!r} is not on the screen:\n{self.text()}")

    def text(self) -> str:
        """The screen as it is now, without blanks at line ends."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def _read(self, wait_s: float) -> bool:
        if not select.select([self.screen.fd], [], [], wait_s)[0]:
            return True
        try:
            data = os.read(self.screen.fd, 65536)
        except OSError:  # the terminal's end
            return False
        self._stream.feed(data)
        self.seen += _CONTROL.sub("", self._decoder.decode(data))
        return bool(data)

    def end(self) -> int:
        """Wait for the command's end; returns its status."""
        while self._read(0.2):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):  # what it has started, too
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.screen.fd)
