"""What on a console is the bot's own: what it prints, and tracebacks of its code.

A console carries telemetry, the gateway's log, tracebacks, and whatever else a bot.py prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LOG = re.compile(r"\d+ copepod: ")
_TELEMETRY = ("@cp1 ", "[mem ", "@mark ")
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_BOT = ("bot.py", "bot", ".trial/bot.py")


@dataclass(frozen=True)
class Said:
    """Something whole: `kind` is "print", "log" or "traceback", of which `mine` has frames of bot.py."""

    kind: str
    text: str
    mine: bool = False


class BotOutput:
    """Takes console lines one after the other; gives what has been said whole with each."""

    def __init__(self, path: str = "bot.py", source: str = "") -> None:
        self.path = path  # what tracebacks call it
        self.source = source.splitlines()
        self._frames: list[str] | None = None

    def feed(self, text: str) -> Said | None:
        """Take a line; None for telemetry, and within a traceback."""
        if self._frames is not None:
            if _FRAME.match(text):
                self._frames.append(text)
                return None
            frames, self._frames = self._frames, None
            return self._traceback(frames, text)
        if text == "Traceback (most recent call last):":
            self._frames = []
            return None
        if text.startswith(_TELEMETRY):
            return None
        return Said("log" if _LOG.match(text) else "print", text)

    def _traceback(self, frames: list[str], error: str) -> Said:
        found = [match for match in map(_FRAME.match, frames) if match]
        mine = [match for match in found if match["file"] in _BOT]
        lines = ["Traceback (most recent call last):"]
        for match in mine or found:
            if not mine:
                lines.append(match[0])
                continue
            place = f'  File "{self.path}", line {match["line"]}'
            lines.append(place + (f", in {match['function']}" if match["function"] else ""))
            number = int(match["line"])
            if 0 < number <= len(self.source) and self.source[number - 1].strip():
                lines.append(f"    {self.source[number - 1].strip()}")
        return Said("traceback", "\n".join([*lines, error]), bool(mine))
