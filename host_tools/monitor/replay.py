"""A recording of any length through a model, in bounded memory: a million frames in seconds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from host_tools.console import frame_batch, tracebacks
from host_tools.console.frame_batch import Batch
from host_tools.console.frames import Event, Frame
from host_tools.monitor import recording
from host_tools.monitor.model import Model

_MEM_INFO = re.compile(rb"GC: total|max free sz")
FEW = 16  # lines that are not worth a batch


def _is_told(line: bytes) -> bool:
    """True for telemetry, whole or not, and what else is read with it."""
    return b"@cp" in line or b"[mem " in line or _MEM_INFO.search(line) is not None


class Sink(Protocol):
    """Something that wants every frame."""

    def frame(self, t: float, frame: Frame) -> None: ...

    def batch(self, batch: Batch) -> None: ...


class Replay:
    """Reads a file into `model`, and hands every frame to the sinks.

    `watch` is called after each frame; then each is read by itself, which takes longer.
    """

    def __init__(
        self,
        path: Path,
        model: Model,
        sinks: list[Sink],
        watch: Callable[[], None] | None = None,
    ) -> None:
        self.model = model
        self._sinks = sinks
        self._watch = watch
        self._recorded, self._lines = recording.opened(path)
        self._pattern = frame_batch.RECORDED if self._recorded else frame_batch.PLAIN
        self._human = b', "line": "[mem ' if self._recorded else b"\n[mem "
        self._newest: tuple[float, Frame] | None = None  # what follows may still add to it

    def run(self) -> None:
        """Read it all."""
        while lines := list(itertools.islice(self._lines, frame_batch.SIZE)):
            if self._watch:
                self._one_by_one(lines)
            elif not self._at_once(lines):
                self._in_parts(lines)
        self._pass_on()

    def _in_parts(self, lines: list[bytes]) -> None:
        """Down to the line that does not go with the others."""
        if len(lines) <= FEW:
            self._one_by_one(lines)
            return
        for part in (lines[: len(lines) // 2], lines[len(lines) // 2 :]):
            if not self._at_once(part):
                self._in_parts(part)

    def _one_by_one(self, lines: list[bytes]) -> None:
        for line in lines:
            self._one(line)

    def _at_once(self, lines: list[bytes]) -> bool:
        """Take lines that are nothing but whole frames in order, the same for people, and the log.

        The log has no part in the order of the frames: its lines are taken after them.
        """
        text = b"".join(lines)
        found = self._pattern.findall(text)
        human = (b"\n" + text).count(self._human)
        others: list[bytes] = []
        if len(found) + human != len(lines):
            others = [line for line in lines if not _is_told(line)]
        if not found or len(found) + human + len(others) != len(lines):
            return False
        batch = frame_batch.parse(found)
        if batch is None or not self.model.take(batch):
            return False
        self.model.lines += human
        self._pass_on()
        for sink in self._sinks:
            sink.batch(batch)
        self._one_by_one(others)
        return True

    def _one(self, raw: bytes) -> None:
        entry = recording.entry(raw, self._recorded)
        if entry is None:
            return
        if entry.notice:
            self.model.log.append((entry.t, f"-- {entry.line} --"))
            return
        item = self.model.feed(entry.t, tracebacks.placed(entry.line))
        if isinstance(item, (Frame, Event)):
            self._pass_on()
        if isinstance(item, Frame):
            self._newest = (entry.t, item)
            if self._watch:
                self._watch()

    def _pass_on(self) -> None:
        if self._newest is not None:
            for sink in self._sinks:
                sink.frame(*self._newest)
            self._newest = None
