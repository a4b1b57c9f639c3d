"""Recordings: a console with the host's time on every line, as JSON lines.

The first line names the format; each further one holds `t` (seconds since the start) and `line`
exactly as the device sent it, and for telemetry also `frame` or `event` with its fields, so that
jq and pandas need no parser. `notice` lines are the monitor's own.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from host_tools import text_files
from host_tools.console.frame_batch import Batch, cells
from host_tools.console.frames import FIELDS, Event, Frame
from host_tools.errors import UserError

FORMAT = "copepod-recording"
VERSION = 1


class Entry(NamedTuple):
    """One line of a recording."""

    t: float
    line: str
    notice: bool = False


class Recorder:
    """Writes a recording; every line is on disk before the next one is read."""

    def __init__(self, path: Path, source: str) -> None:
        self._file = path.open("w", encoding="utf-8")
        started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        self._write({"format": FORMAT, "version": VERSION, "source": source, "started": started})

    def line(self, t: float, line: str, item: Frame | Event | None) -> None:
        """One console line and what it held."""
        entry: dict[str, Any] = {"t": round(t, 3), "line": line}
        if isinstance(item, Frame):
            entry["frame"] = item.as_dict()
        elif isinstance(item, Event):
            entry["event"] = item.as_dict()
        self._write(entry)

    def notice(self, t: float, text: str) -> None:
        """Something that the monitor saw: a lost port, an alert."""
        self._write({"t": round(t, 3), "notice": text})

    def close(self) -> None:
        self._file.close()

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._file.flush()


def read(path: Path) -> Iterator[Entry]:
    """The lines of a recording, or of a plain console log (then every line is at t = 0)."""
    recorded, lines = opened(path)
    for raw in lines:
        found = entry(raw, recorded)
        if found is not None:
            yield found


def opened(path: Path) -> tuple[bool, Iterator[bytes]]:
    """Whether a file is a recording, and its further lines; else it is a console log."""
    lines = text_files.lines(path)
    first = next(lines, None)
    if first is None:
        raise UserError(f"{path}: the recording is empty")
    head = _json(first)
    if head is None or head.get("format") != FORMAT:
        return False, itertools.chain([first], lines)
    if head.get("version") != VERSION:
        raise UserError(f"{path}: recording of version {head.get('version')}, not {VERSION}")
    return True, lines


def entry(raw: bytes, recorded: bool) -> Entry | None:
    """What a line holds; None for one that was cut off when its writer was killed."""
    if not recorded:
        return Entry(0.0, raw.decode("utf-8", "replace").rstrip("\r\n"))
    value = _json(raw)
    if value is not None and "notice" in value:
        return Entry(float(value["t"]), str(value["notice"]), True)
    if value is not None and "line" in value:
        return Entry(float(value["t"]), str(value["line"]))
    return None


def _json(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


class CsvTable:
    """Frames as a table: host seconds, sequence, device ms, phase and every field."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        try:
            self._file = path.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}") from error
        self._file.write(",".join(("host_s", "seq", "t_ms", "phase", *FIELDS)) + "\r\n")

    def frame(self, t: float, frame: Frame) -> None:
        """One row."""
        self.count += 1
        phase = frame.phase if "," not in frame.phase else json.dumps(frame.phase)
        self._file.write(f"{t:.3f},{frame.seq},{frame.t_ms},{phase},{cells(frame)}\r\n")

    def batch(self, batch: Batch) -> None:
        """Many rows."""
        self.count += len(batch.texts)
        self._file.write(
            "".join(
                f"{t:.3f},{seq},{t_ms},{phase},{numbers}\r\n"
                for t, seq, t_ms, phase, numbers in zip(
                    batch.times.tolist(),
                    batch.seqs.tolist(),
                    batch.t_ms.tolist(),
                    batch.phases,
                    batch.cells(),
                    strict=True,
                )
            )
        )

    def close(self) -> None:
        self._file.close()
