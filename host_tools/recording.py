"""Recordings: a console with the host's time on every line, as JSON lines.

The first line names the format; each further one holds `t` (seconds since the start) and `line`
exactly as the device sent it, and for telemetry also `frame` or `event` with its fields, so that
jq and pandas need no parser. `notice` lines are the monitor's own.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from host_tools.errors import UserError
from host_tools.frames import FIELDS, Event, Frame

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
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise UserError(f"{path}: the recording is empty")
    head = _json(lines[0])
    if head is None or head.get("format") != FORMAT:
        yield from (Entry(0.0, line.rstrip("\r")) for line in lines)
        return
    if head.get("version") != VERSION:
        raise UserError(f"{path}: recording of version {head.get('version')}, not {VERSION}")
    for line in lines[1:]:
        entry = _json(line)
        if entry is None:
            continue  # cut off when its writer was killed
        if "notice" in entry:
            yield Entry(float(entry["t"]), str(entry["notice"]), True)
        elif "line" in entry:
            yield Entry(float(entry["t"]), str(entry["line"]))


def _json(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def write_csv(path: Path, frames: list[tuple[float, Frame]]) -> None:
    """Frames as a table: host seconds, sequence, device ms, phase and every field."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("host_s", "seq", "t_ms", "phase", *FIELDS))
        for host_s, frame in frames:
            fields = ["" if frame[name] is None else frame[name] for name in FIELDS]
            writer.writerow((f"{host_s:.3f}", frame.seq, frame.t_ms, frame.phase, *fields))
