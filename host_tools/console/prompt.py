"""A line to type on and a line that moves at the bottom of the terminal; text scrolls above them.

In a pipe there is neither: lines are read from standard input and output is plain.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import queue
import select
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

try:
    import termios
    import tty
except ImportError:  # not a Unix
    termios = tty = None


PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"  # the terminal marks what is pasted
PASTE_BEGIN, PASTE_END = "\x1b[200~", "\x1b[201~"


class Editor:
    """What a line editor must at least do: type, erase, take back, go back in history.

    What is pasted is text to its last line feed: it is sent when Enter is pressed.
    """

    def __init__(self) -> None:
        self.text = ""
        self.history: list[str] = []
        self._at = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._escape = ""
        self._pasting = False
        self._returned = False

    def keys(self, data: bytes) -> Iterator[str]:
        """Take bytes from the terminal; yields each line that was finished.

        Raises EOFError for Ctrl-D on an empty line.
        """
        for char in self._decoder.decode(data):
            if self._escape or char == "\x1b":
                self._sequence(char)
            elif self._pasting:
                self._paste(char)
            elif char in "\r\n":
                line, self.text = self.text, ""
                if line:
                    self.history.append(line)
                self._at = len(self.history)
                yield line
            elif char in "\x7f\b":
                self.text = self.text[:-1]
            elif char == "\x15":  # Ctrl-U
                self.text = ""
            elif char == "\x17":  # Ctrl-W
                self.text = self.text.rstrip().rpartition(" ")[0]
            elif char == "\x04":
                if not self.text:
                    raise EOFError
            elif char >= " ":
                self.text += char

    def _paste(self, char: str) -> None:
        if char in "\r\n":
            if not (char == "\n" and self._returned):  # CR LF is one end of a line
                self.text += "\n"
        elif char.isprintable() or char == "\t":
            self.text += char
        self._returned = char == "\r"

    def _sequence(self, char: str) -> None:
        self._escape += char
        if self._escape in (PASTE_BEGIN, PASTE_END):
            self._pasting = self._escape == PASTE_BEGIN
            self._escape = ""
            return
        if char == "\x1b" or (len(self._escape) == 2 and char in "[O"):
            return
        if char.isalpha() or char == "~" or len(self._escape) > 8:
            if char in "AB" and self.history:
                self._at = max(0, min(len(self.history), self._at + (-1 if char == "A" else 1)))
                past = self._at < len(self.history)
                self.text = self.history[self._at] if past else ""
            self._escape = ""


class Prompt:
    """`with Prompt(console, status) as prompt:` then `read()` lines and print on the console."""

    def __init__(
        self,
        console: Console,
        status: Callable[[], RenderableType],
        label: str = "you ",
        source: TextIO | None = None,
    ) -> None:
        self.console = console
        self.source = source or sys.stdin
        self.label = label
        self._status = status
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._editor = Editor()
        self._live: Live | None = None
        self._saved: list[Any] | None = None
        self.interactive = bool(
            termios and self.source.isatty() and console.is_terminal and console.width > 20
        )

    def __enter__(self) -> Prompt:
        if self.interactive and termios and tty:
            fd = self.source.fileno()
            self._saved = termios.tcgetattr(fd)
            tty.setcbreak(fd)
            self._tell_terminal(PASTE_ON)
            self._live = Live(
                get_renderable=self._bottom,
                console=self.console,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        else:
            threading.Thread(target=self._pipe, daemon=True, name="stdin").start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._saved is not None and termios:
            self._tell_terminal(PASTE_OFF)
            termios.tcsetattr(self.source.fileno(), termios.TCSADRAIN, self._saved)

    def read(self, timeout: float) -> str | None:
        """A line, or None when none was finished in that time. EOFError at the end of input."""
        if not self.interactive:
            try:
                line = self._lines.get(timeout=timeout)
            except queue.Empty:
                return None
            if line is None:
                raise EOFError
            return line
        with contextlib.suppress(queue.Empty):
            line = self._lines.get_nowait()
            assert line is not None
            return line
        fd = self.source.fileno()
        ready, _, _ = select.select([fd], [], [], timeout)
        if ready:
            data = os.read(fd, 4096)
            if not data:
                raise EOFError
            for line in self._editor.keys(data):
                self._lines.put(line)
        self.refresh()
        return None

    def refresh(self) -> None:
        """Draw the bottom lines anew."""
        if self._live is not None:
            self._live.refresh()

    def _tell_terminal(self, sequence: str) -> None:
        self.console.file.write(sequence)
        self.console.file.flush()

    def _pipe(self) -> None:
        for line in self.source:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _bottom(self) -> RenderableType:
        text = self._editor.text.replace("\n", "⏎").replace("\t", " ")
        room = self.console.width - cell_len(self.label) - 4
        text = text[-room:]  # a cell or two each: the rest can't be seen
        while cell_len(text) > room:
            text = text[1:]
        line = Text(self.label + "› ", style="bold green", no_wrap=True, overflow="crop")
        line.append(text, style="not bold default")
        line.append("▏", style="blink")
        line.append("\n")
        status = self._status()
        line.append(status if isinstance(status, Text) else str(status))
        return line
