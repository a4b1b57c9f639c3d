"""The interface of a target and of the gateway running on it.

A Target starts the application with a config and gives a Device. A Device is a console that
someone reads for you (lines, telemetry) with a start and an end; whatever the place, a scenario
needs no more than that.
"""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.console.frames import Event, Frame, FrameStream
from host_tools.errors import UserError
from host_tools.toolchain.pages import Breakdown

KEEP_LINES = 20_000


def heap_bytes(text: str) -> int:
    """Bytes of a heap given as on the Unix port: 49152, 48k, 1M."""
    found = re.fullmatch(r"(\d+)([kKmM]?)", text)
    if found is None:
        raise UserError(f"heap {text!r}: expected a size like 128k")
    return int(found[1]) * {"": 1, "k": 1024, "m": 1024 * 1024}[found[2].lower()]


@dataclass(frozen=True)
class Line:
    """One console line and when the host read it (unix time)."""

    at: float
    text: str


class Device(ABC):
    """The gateway, running. Subclasses feed console bytes in with `_feed`, then call `_ended`."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=KEEP_LINES)
        self.frames = FrameStream()
        self.on_line: Callable[[Line, Frame | Event | None], None] | None = None
        self.ended = False
        self._condition = threading.Condition(threading.RLock())
        self._rest = b""

    # --- the end, in two ways

    @abstractmethod
    def stop(self, timeout: float = 5.0) -> int | None:
        """End it as Ctrl-C does; returns the exit status where there is one."""

    @abstractmethod
    def kill(self) -> None:
        """End it at this instant, as a power cut does."""

    def set_link(self, up: bool) -> None:
        """Cut the network, or mend it. UserError where there is none that could be cut."""
        raise UserError("outages need a target with a network of its own: rv32 or esp32")

    @property
    @abstractmethod
    def exit_status(self) -> int | None:
        """The exit status, None while it runs or where there is none."""

    def rss(self) -> dict[str, Any] | None:
        """Resident memory of the process that runs the gateway, read and checked by name.

        `{"name", "rss_kb", "anon_kb", "file_kb", "peak_kb"}`, or None where there is no such process.
        """
        return None

    def pages(self) -> Breakdown | None:
        """Where the resident pages of that process go, None where there is none."""
        return None

    # --- what it says

    def wait(self, predicate: Callable[[], Any], timeout: float = 10.0) -> bool:
        """Wait until `predicate()` holds; asked again with each line. False at the end of time."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while not predicate():
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    return bool(predicate())
                self._condition.wait(min(left, 0.25))
        return True

    def wait_line(self, pattern: str, timeout: float = 10.0) -> Line | None:
        """The first line that the regular expression finds, waiting for it; None if none came."""
        found: list[Line] = []

        def look() -> bool:
            found[:] = self.find(pattern)[:1]
            return bool(found)

        self.wait(look, timeout)
        return found[0] if found else None

    def find(self, pattern: str) -> list[Line]:
        """Every kept line in which the regular expression is found."""
        search = re.compile(pattern).search
        with self._condition:
            return [line for line in self.lines if search(line.text)]

    def text(self) -> str:
        """The kept console output, for a failure's message."""
        with self._condition:
            return "\n".join(line.text for line in self.lines)

    def event(self, name: str) -> Event | None:
        """The latest event of that name."""
        with self._condition:
            return next((e for e in reversed(self.frames.events) if e.name == name), None)

    # --- for subclasses

    def _feed(self, data: bytes) -> None:
        """Take console bytes as they come; whole lines become Lines."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        for raw in whole:
            self._line(raw)

    def _ended(self) -> None:
        """No more output will come."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""
        with self._condition:
            self.ended = True
            self._condition.notify_all()

    def _line(self, raw: bytes) -> None:
        line = Line(time.time(), raw.decode("utf-8", "replace").rstrip("\r"))
        with self._condition:
            self.lines.append(line)
            item = self.frames.feed(line.text)
            self._condition.notify_all()
        if self.on_line:
            self.on_line(line, item)


class Target(ABC):
    """A place to run the gateway.

    `address` is the name by which that place knows this machine, `listen` where a server on this
    machine must listen to be reached from there.
    """

    name: str
    word_bits: int
    address: str = "localhost"
    listen: str = "127.0.0.1"
    default_heap: str | None = "128k"  # None: the place has one of its own
    settable_heap: bool = True  # whether a run can be given another
    default_app: str = "mpy"
    heap_limit_b: int | None = None  # of GC heap, beside which the place has room for TLS
    patience: float = 1.0  # times longer than a process on this machine it may take to do anything

    @abstractmethod
    def interpreter(self) -> str:
        """The interpreter in words: path or board, and version."""

    @abstractmethod
    def start(
        self,
        config: dict[str, Any],
        *,
        workdir: Path,
        files: dict[str, bytes] | None = None,
        heap: str | None = None,
        app: str = "mpy",
        gc: str = "auto",
        pre: str = "",
        bot: str | None = None,
    ) -> Device:
        """Start the gateway with this config.

        `files` are put where relative paths in the config are looked up (the certificate in
        `tls.ca`). `app` is "mpy" (from files, as a stock board) or "frozen". `gc` "off" disables
        the collector before the application starts, `pre` are Python statements that run before
        it, `bot` replaces the user's bot.py.
        """
