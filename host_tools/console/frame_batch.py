"""Many frames at a time: a recording of days is read in seconds.

Only what is certain is taken this way: lines of exactly the form in which frames are recorded.
`parse` gives None for the rest, which then goes line by line through frames.parse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from host_tools.console.frames import ABSENT, FIELDS, FORMS, PREFIX, Frame

SIZE = 8192  # frames in a batch

_FRAME = re.escape(PREFIX).encode() + rb"F (\d+) (\d+) ([A-Za-z0-9-]+) ([a-z_0-9= -]+)\*(\d+)"
# groups: seconds, sequence number, milliseconds, phase, fields, sum
RECORDED = re.compile(rb'^\{"t": ([0-9.]+), "line": "' + _FRAME + rb'(?:\\r)?", "frame"', re.M)
PLAIN = re.compile(rb"^()" + _FRAME + rb"\r?$", re.M)
_NAMES = b"abcdefghijklmnopqrstuvwxyz_="
_DIGITS = b"0123456789-"
_UNTOLD = re.compile(rb" ?[a-z_]+=-")
_NONE = -1  # no field is negative

Match = tuple[bytes, ...]


@dataclass
class Batch:
    """Frames in columns; a value that the device could not tell is NaN."""

    times: NDArray[np.float64]
    seqs: NDArray[np.int64]
    t_ms: NDArray[np.int64]
    phases: list[str]
    values: dict[str, NDArray[np.float64]]
    texts: list[bytes]  # `name=number …` as the device wrote it
    complete: bool  # no field lacks, as in the frames of older firmware

    def frame(self, index: int) -> Frame:
        """One of them."""
        values = {
            name: None if np.isnan(column[index]) else int(column[index])
            for name, column in self.values.items()
        }
        return Frame(int(self.seqs[index]), int(self.t_ms[index]), self.phases[index], values)

    def cells(self) -> list[str]:
        """The numbers of each, comma between them, nothing for what the device could not tell."""
        if self.complete:
            numbers = b"\n".join(self.texts).translate(None, _NAMES)
            return numbers.replace(b" ", b",").replace(b"-", b"").decode().split("\n")
        frames = (self.frame(index) for index in range(len(self.texts)))
        return [cells(frame) for frame in frames]

    def known(self) -> list[str]:
        """What the device could tell in each, as `name=number …`."""
        return _UNTOLD.sub(b"", b"\n".join(self.texts)).decode().split("\n")

    def in_phases(self, beginnings: tuple[str, ...]) -> NDArray[np.bool_]:
        """Which of them are of a phase that begins so."""
        wanted = {phase for phase in set(self.phases) if phase.startswith(beginnings)}
        return np.fromiter((phase in wanted for phase in self.phases), bool, len(self.phases))


def cells(frame: Frame) -> str:
    """The numbers of a frame, comma between them, nothing for what the device could not tell."""
    return ",".join("" if frame[name] is None else str(frame[name]) for name in FIELDS)


def parse(matches: list[Match]) -> Batch | None:
    """What the lines hold; None unless every one is whole and all have the same fields."""
    rows = len(matches)
    told = b"".join([match[4] for match in matches])
    for names in FORMS:
        form = "".join(f"{name}= " for name in names).encode()
        if told.translate(None, _DIGITS) == form * rows:
            break
    else:
        return None
    text = b" ".join([b"%s %s %s %s" % (s, ms, c, v) for _, s, ms, _, v, c in matches])
    text = text.translate(None, _NAMES).replace(b"-", b"%d" % _NONE)
    numbers = np.fromstring(text, dtype=np.int64, sep=" ")
    if len(numbers) != rows * (3 + len(names)):
        return None
    table = numbers.reshape(rows, -1).T
    phases = [match[3].decode() for match in matches]
    if not _sums_are_right(table, phases):
        return None
    times = np.array([float(match[0] or 0) for match in matches])
    absent = np.full(rows, np.nan)
    columns: dict[str, NDArray[np.float64]] = {name: absent for name in FIELDS}
    for name, column in zip(names, table[3:], strict=True):
        columns[name] = np.where(column == _NONE, np.nan, column)
    texts = [match[4].rstrip() for match in matches]
    return Batch(times, table[0], table[1], phases, columns, texts, names == FIELDS)


def _sums_are_right(whole: NDArray[np.int64], phases: list[str]) -> bool:
    """The check of frames.checksum, for all at once."""
    seqs, t_ms, wanted, *values = whole
    total = _add(_add(np.zeros_like(seqs), seqs), t_ms)
    named = np.array(phases)
    for phase in set(phases):
        rows = named == phase
        part = total[rows]
        for byte in phase.encode():
            part = _add(part, byte)
        total[rows] = part
    for column in values:
        total = _add(total, np.where(column == _NONE, ABSENT, column))
    return bool((total == wanted).all())


def _add(total: NDArray[np.int64], number: NDArray[np.int64] | int) -> NDArray[np.int64]:
    return (total * 31 + (number & 0xFFFFFF)) & 0xFFFF
