"""Telemetry lines as the device prints them (docs/telemetry.md): parsing, checksums, gaps.

A console carries three kinds of line: telemetry frames (`@cp1 F …`), telemetry events
(`@cp1 E …`) and everything else, which is log. `parse` takes one line apart; `FrameStream`
follows a whole console: it counts damaged lines, sees missing sequence numbers and reboots, and
joins the `micropython.mem_info()` block that may follow a frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

PREFIX = "@cp1 "

# Every frame carries every field, in this order; "-" means that this port can't tell.
FIELDS = (
    "mem_free",  # literally gc.mem_free(); on ESP32 this includes room outside the GC heap
    "gc_free",  # GC heap, free
    "gc_used",  # gc.mem_alloc() at this moment, garbage included
    "gc_live",  # gc.mem_alloc() after a collection
    "gc_run",  # largest free run of the GC heap
    "idf_free",  # ESP-IDF heap, free
    "idf_big",  # ESP-IDF heap, largest block
    "idf_min",  # ESP-IDF heap, smallest amount ever free
    "gc_total",  # GC heap, all its areas together
    "in",  # messages received
    "out",  # messages sent
    "err",  # errors
    "tls",  # TLS connections opened
    "back",  # back-offs
)
# Fields that version 1 did not have from the beginning, oldest first: older firmware and
# recordings lack the last ones.
ADDED = ("gc_total",)
# What a frame may carry: the fields of today, and those of each time before one was added.
FORMS = tuple(
    tuple(name for name in FIELDS if name not in ADDED[count:])
    for count in range(len(ADDED), -1, -1)
)
UNITS = {name: "B" for name in FIELDS[:9]}

ABSENT = 0x5A5A  # what "-" counts as in the checksum
_MASK_VALUE = 0xFFFFFF
_MASK_SUM = 0xFFFF

_LINE = re.compile(r"@cp1 ([FE]) (\d+) (\d+) (\S+) (.*?) ?\*(\d+)\s*$")
_MEM_INFO_GC = re.compile(r"GC: total: (\d+), used: (\d+), free: (\d+)")
_MEM_INFO_RUNS = re.compile(r"max free sz: (\d+)")
# a line of the device's log, whatever others have written into it
_LOG = re.compile(r"\d+ copepod: ")
_HUMAN = re.compile(r"\[mem (\S.{19})\] ")


class FrameError(ValueError):
    """A line that starts as telemetry but is damaged, or of a version this parser doesn't know."""


@dataclass(frozen=True)
class Frame:
    """One memory frame. `values` holds every name of FIELDS; None is "can't tell"."""

    seq: int
    t_ms: int
    phase: str
    values: dict[str, int | None]

    def __getitem__(self, name: str) -> int | None:
        return self.values[name]

    def as_dict(self) -> dict[str, int | str | None]:
        """Flat form for JSON."""
        return {"seq": self.seq, "t_ms": self.t_ms, "phase": self.phase, **self.values}


@dataclass(frozen=True)
class Event:
    """Something that happened on the device: boot, tls, poll, pair, backoff, error, stop."""

    seq: int
    t_ms: int
    name: str
    value: int

    def as_dict(self) -> dict[str, int | str]:
        """Flat form for JSON."""
        return {"seq": self.seq, "t_ms": self.t_ms, "event": self.name, "value": self.value}


@dataclass(frozen=True)
class MemInfo:
    """What micropython.mem_info() printed: bytes, and the largest free run in GC blocks."""

    total: int
    used: int
    free: int
    max_free_blocks: int

    def largest_run(self, word_bits: int) -> int:
        """Largest free run in bytes; a GC block is four machine words."""
        return self.max_free_blocks * word_bits // 2


def checksum(seq: int, t_ms: int, name: str, values: Iterable[int | None]) -> int:
    """The sum that ends a line; small integers only, so that a device makes it without garbage."""
    total = 0
    numbers = [seq, t_ms, *name.encode(), *(ABSENT if v is None else v for v in values)]
    for number in numbers:
        total = (total * 31 + (number & _MASK_VALUE)) & _MASK_SUM
    return total


def is_telemetry(line: str) -> bool:
    """True if the line holds a telemetry prefix, whole or damaged, of any version."""
    return re.search(r"@cp\d", line) is not None


def is_human(line: str) -> bool:
    """True for the line in the study's form that precedes each frame."""
    return _HUMAN.match(line) is not None


def parse(line: str) -> Frame | Event | None:
    """One console line: a Frame, an Event, or None when it is no telemetry.

    A prefix of other text (a print without a newline) is passed over; a line of the log has no
    telemetry, since it may quote what people write. Raises FrameError when the line is damaged.
    """
    if _LOG.match(line) or not is_telemetry(line):
        return None
    start = line.find(PREFIX)
    if start < 0:
        raise FrameError(f"telemetry of another version: {line.strip()[:20]!r}, not {PREFIX!r}")
    match = _LINE.match(line[start:])
    if match is None:
        raise FrameError(f"damaged telemetry line: {line.strip()[:60]!r}")
    kind, seq_text, t_text, name, rest, sum_text = match.groups()
    names: tuple[str, ...] = ()
    seq, t_ms, wanted = int(seq_text), int(t_text), int(sum_text)
    if kind == "E":
        try:
            numbers: list[int | None] = [int(rest)]
        except ValueError:
            raise FrameError(f"event value {rest!r} is no number") from None
    else:
        names, numbers = _values(rest)
    if checksum(seq, t_ms, name, numbers) != wanted:
        raise FrameError(f"checksum of line {seq} is wrong: {line.strip()[:60]!r}")
    if kind == "E":
        return Event(seq, t_ms, name, numbers[0] or 0)
    return Frame(seq, t_ms, name, dict.fromkeys(FIELDS) | dict(zip(names, numbers, strict=True)))


def _values(text: str) -> tuple[tuple[str, ...], list[int | None]]:
    """Names and numbers of `name=number` pairs in the order of FIELDS."""
    parts = text.split()
    names = tuple(part.partition("=")[0] for part in parts)
    if names not in FORMS:
        raise FrameError(f"fields {' '.join(names)[:60]!r} are not those of this version")
    values: list[int | None] = []
    for part in parts:
        number = part.partition("=")[2]
        try:
            values.append(None if number == "-" else int(number))
        except ValueError:
            raise FrameError(f"field {part!r} is no number") from None
    return names, values


def format_frame(frame: Frame) -> str:
    """The machine line of a frame, as the device prints it."""
    fields = " ".join(f"{n}={'-' if frame[n] is None else frame[n]}" for n in FIELDS)
    total = checksum(frame.seq, frame.t_ms, frame.phase, (frame[n] for n in FIELDS))
    return f"{PREFIX}F {frame.seq} {frame.t_ms} {frame.phase} {fields} *{total}"


def format_event(event: Event) -> str:
    """The machine line of an event, as the device prints it."""
    total = checksum(event.seq, event.t_ms, event.name, [event.value])
    return f"{PREFIX}E {event.seq} {event.t_ms} {event.name} {event.value} *{total}"


@dataclass
class FrameStream:
    """Follows one console: feed it every line, ask what came, what broke and what is missing."""

    frames: list[Frame] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    mem_infos: list[tuple[str, MemInfo]] = field(default_factory=list)  # (phase, block)
    damaged: int = 0  # telemetry lines that did not parse
    missing: int = 0  # sequence numbers never seen (a damaged line is missing too)
    reboots: int = 0  # times that the sequence began anew
    keep: int | None = None  # how many frames and events to keep; None: all
    _next: int | None = None
    _gc_line: tuple[int, int, int] | None = None

    def feed(self, line: str) -> Frame | Event | None:
        """Take one line; returns what it held. Damage is counted, never raised."""
        try:
            item = parse(line)
        except FrameError:
            self.damaged += 1
            return None
        if item is None:
            self._mem_info(line)
            return None
        self._sequence(item)
        kept = self.frames if isinstance(item, Frame) else self.events
        kept.append(item)  # type: ignore[arg-type]
        if self.keep is not None and len(kept) > self.keep:
            del kept[: len(kept) - self.keep]
        return item

    def phase(self, name: str) -> Frame | None:
        """The latest frame of that phase."""
        return next((frame for frame in reversed(self.frames) if frame.phase == name), None)

    def low_water(self, name: str = "gc_free") -> int | None:
        """Smallest value of a field over all frames kept; None if no frame could tell."""
        values = [v for v in (frame[name] for frame in self.frames) if v is not None]
        return min(values, default=None)

    def high_water(self, name: str = "gc_used") -> int | None:
        """Largest value of a field over all frames kept."""
        values = [v for v in (frame[name] for frame in self.frames) if v is not None]
        return max(values, default=None)

    def follow(self, seqs: Sequence[int]) -> bool:
        """Take the numbers of whole frames, far more than are kept; False if a boot is among them."""
        ordered = all(before < after for before, after in pairwise(seqs))
        if not ordered or seqs[0] == 0 or (self._next is not None and seqs[0] < self._next):
            return False
        expected = int(seqs[0]) if self._next is None else self._next
        self.missing += int(seqs[-1]) + 1 - expected - len(seqs)
        self._next = int(seqs[-1]) + 1
        return True

    def _sequence(self, item: Frame | Event) -> None:
        expected = self._next
        if expected is not None:
            if item.seq > expected:
                self.missing += item.seq - expected
            elif item.seq < expected:
                self.reboots += 1
                self.missing += item.seq
        self._next = item.seq + 1

    def _mem_info(self, line: str) -> None:
        """Join the lines `GC: total…` and `… max free sz: N` into one MemInfo."""
        found = _MEM_INFO_GC.search(line)
        if found:
            self._gc_line = (int(found[1]), int(found[2]), int(found[3]))
            return
        runs = _MEM_INFO_RUNS.search(line)
        if runs and self._gc_line:
            phase = self.frames[-1].phase if self.frames else ""
            self.mem_infos.append((phase, MemInfo(*self._gc_line, int(runs[1]))))
            if self.keep is not None:
                del self.mem_infos[: -self.keep]
            self._gc_line = None
