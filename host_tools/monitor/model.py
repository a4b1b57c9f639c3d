"""What a monitor knows: the series, the marks, the trends, and what they mean.

It takes console lines with host times and does no input or output, so the live screen, a replay,
a plot and a test all look at the same thing.
"""

from __future__ import annotations

import math
import operator
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from host_tools.console.frame_batch import Batch
from host_tools.console.frames import (
    FIELDS,
    Event,
    Frame,
    FrameStream,
    MemInfo,
    is_human,
    is_telemetry,
)
from host_tools.errors import UserError
from host_tools.monitor.series import Numbers, Series

KEEP_FRAMES = 200  # as many as the screen can draw
KEEP_MARKS = 2000
KEEP_LOG = 500
TREND_FIELDS = ("gc_free", "gc_run", "idf_free", "idf_big")
LIVE_FREE = "free after a collection"
# What micropython.mem_info() prints; it is read, not shown.
_MEM_INFO = re.compile(r"(mem: total=|stack: \d+ out of|GC: total: | No\. of 1-blocks:)")
MIN_INFOS = 4  # until the size of a block is certain
# Trends are read from these: before, memory falls because the gateway is being set up.
SETTLED_PHASES = ("steady", "interval", "burst")

# names that people type for --alert
ALIASES = {
    "free": "gc_free",
    "used": "gc_used",
    "live": "gc_live",
    "largest": "gc_run",
    "idf": "idf_free",
    "errors": "err",
}
COUNTERS = ("missing", "damaged", "reboots")

MIN_SAMPLES = 8
MIN_SPAN_S = 120.0
CONFIDENCE = 1.96  # standard errors, 95 %
# below this a slope is called steady, however certain: 1 kB an hour would take two days to matter
STEADY_B_PER_H = 1024.0
KNOWN_B_PER_H = 8 * STEADY_B_PER_H
LEAST_FALL_B = 512  # what falls less than this while it is watched is settling, not leaking


@dataclass(frozen=True)
class Mark:
    """An event on the time axis."""

    t: float
    name: str
    value: int


@dataclass(frozen=True)
class Trend:
    """A straight line through a series: bytes an hour, and how sure that is."""

    per_hour: float
    error: float  # half of the 95 % interval
    falling: bool = False  # down for certain, and still so in the second half of the time

    @property
    def known(self) -> bool:
        """False while the interval is so wide that it could hide a leak."""
        return self.error < KNOWN_B_PER_H

    def __str__(self) -> str:
        return f"{self.per_hour:+,.0f} ± {self.error:,.0f} B/h"


def trend(points: list[tuple[float, int]]) -> Trend | None:
    """Least squares over (seconds, bytes); None while there is too little to tell.

    Memory that falls once (a buffer made at the first message) and stays is no leak: it has to go
    on falling.
    """
    if len(points) < MIN_SAMPLES or points[-1][0] - points[0][0] < MIN_SPAN_S:
        return None
    slope, error = _line(points)
    falls = slope + error < -STEADY_B_PER_H
    if falls:
        later, wide = _line(points[len(points) // 2 :])
        span_h = (points[-1][0] - points[0][0]) / 3600
        falls = later + wide < -STEADY_B_PER_H / 2 and -slope * span_h > LEAST_FALL_B
    return Trend(slope, error, falls)


def _line(points: list[tuple[float, int]]) -> tuple[float, float]:
    """Slope of the best straight line and half its 95 % interval, in bytes an hour."""
    count = len(points)
    mean_t = sum(t for t, _ in points) / count
    mean_v = sum(v for _, v in points) / count
    square = sum((t - mean_t) ** 2 for t, _ in points)
    if not square:
        return 0.0, math.inf
    slope = sum((t - mean_t) * (v - mean_v) for t, v in points) / square
    rest = sum((v - mean_v - slope * (t - mean_t)) ** 2 for t, v in points)
    error = math.sqrt(rest / max(1, count - 2) / square)
    return slope * 3600, CONFIDENCE * error * 3600


def watermark(points: list[tuple[float, int]], windows: int = 24) -> list[tuple[float, int]]:
    """The upper edge of a saw-tooth: the highest value of each of some equal stretches.

    Free memory falls as garbage piles up and jumps back when it is collected; the leak is in the
    height that it jumps back to.
    """
    if len(points) < windows * 2:
        return points
    size = len(points) / windows
    edges = [round(i * size) for i in range(windows + 1)]
    return [max(points[a:b], key=lambda point: point[1]) for a, b in pairwise(edges) if b > a]


def _extend(series: Series, times: Numbers, values: Numbers) -> None:
    known = ~np.isnan(values)
    series.extend(times[known], values[known])


@dataclass
class Alert:
    """A condition on a frame, such as `free<20000`."""

    text: str
    name: str
    compare: Callable[[int, int], bool]
    limit: int

    @classmethod
    def parse(cls, text: str) -> Alert:
        """UserError says which names there are."""
        match = re.fullmatch(r"\s*(\w+)\s*(<=|>=|<|>|==)\s*(\d+)\s*", text)
        if match is None:
            raise UserError(f"--alert {text!r}: write it like 'free<20000'")
        name = ALIASES.get(match[1], match[1])
        if name not in FIELDS and name not in COUNTERS:
            names = ", ".join((*ALIASES, *FIELDS, *COUNTERS))
            raise UserError(f"--alert {text!r}: no value {match[1]!r}; there are {names}")
        compare = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
        return cls(text.replace(" ", ""), name, compare.get(match[2], operator.eq), int(match[3]))

    def fired(self, model: Model) -> str | None:
        """What is wrong, or None."""
        if self.name in COUNTERS:
            value = getattr(model.stream, self.name)
        else:
            frame = model.last
            value = frame[self.name] if frame else None
            if value is None and self.name == "gc_free" and frame:
                value = frame["mem_free"]
        if value is None or not self.compare(value, self.limit):
            return None
        return f"alert {self.text}: {self.name} is {value}"


@dataclass
class Model:
    """Everything seen on one console, in memory that does not grow with it.

    The newest frames, marks and lines are kept as they are, of the rest exact extremes and an
    outline (series.py).
    """

    stream: FrameStream = field(default_factory=lambda: FrameStream(keep=1))
    frames: deque[tuple[float, Frame]] = field(default_factory=lambda: deque(maxlen=KEEP_FRAMES))
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=KEEP_MARKS))
    log: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=KEEP_LOG))
    lines: int = 0
    frame_count: int = 0
    mark_count: int = 0
    first_t: float = 0.0  # host time of the first frame
    boot_at: float = 0.0  # host time of the frame or event that began this boot
    boot_seen: bool = False
    now: float = 0.0
    _whole: dict[str, Series] = field(default_factory=lambda: {n: Series() for n in FIELDS})
    _settled: dict[str, Series] = field(default_factory=dict)  # of this boot, since it was set up
    _info: MemInfo | None = None  # the newest mem_info block taken
    _infos: int = 0  # how many
    _unit: int = 0  # greatest common divisor of the sizes in them

    @property
    def last(self) -> Frame | None:
        """The newest frame."""
        return self.frames[-1][1] if self.frames else None

    @property
    def up_s(self) -> float:
        """How long the gateway has run: since its start where that was seen, else by its clock.

        On a board the clock begins with the gateway, on Unix with the machine.
        """
        if self.boot_seen and self.frames:
            return self.frames[-1][0] - self.boot_at
        return self.last.t_ms / 1000 if self.last else 0.0

    def feed(self, t: float, line: str) -> Frame | Event | None:
        """Take one console line."""
        self.lines += 1
        self.now = max(self.now, t)
        reboots = self.stream.reboots
        item = self.stream.feed(line)
        if item is not None and (item.seq == 0 or self.stream.reboots > reboots):
            self.boot_at, self.boot_seen = t, True
            self._settled.clear()
        told = isinstance(item, Event) and item.name == "boot"
        if self.stream.reboots > reboots and not told:
            self._mark(Mark(t, "boot", 0))
        if isinstance(item, Frame):
            self._frame(t, item)
        elif isinstance(item, Event):
            self._mark(Mark(t, item.name, item.value))
        elif _MEM_INFO.match(line):
            self._largest_run()
        elif not is_telemetry(line) and not is_human(line) and line.strip():
            self.log.append((t, line))
        return item

    def take(self, batch: Batch) -> bool:
        """Take many frames; False, and nothing is done, if they have to be fed line by line."""
        if not self.stream.follow(batch.seqs.tolist()):
            return False
        count = len(batch.times)
        if not self.frame_count:
            self.first_t = float(batch.times[0])
        self.lines += count
        self.frame_count += count
        self.now = float(batch.times[-1])
        for index in range(max(0, count - KEEP_FRAMES), count):
            self.frames.append((float(batch.times[index]), batch.frame(index)))
        settled = batch.in_phases(SETTLED_PHASES)
        live = batch.values["gc_free"] + batch.values["gc_used"] - batch.values["gc_live"]
        for name, column in batch.values.items():
            _extend(self._whole[name], batch.times, column)
            if name in TREND_FIELDS:
                _extend(self._of_boot(name), batch.times[settled], column[settled])
        _extend(self._of_boot(LIVE_FREE), batch.times[settled], live[settled])
        return True

    def _frame(self, t: float, frame: Frame) -> None:
        if not self.frame_count:
            self.first_t = t
        self.frame_count += 1
        self.frames.append((t, frame))
        for name, series in self._whole.items():
            value = frame[name]
            if value is not None:
                series.append(t, value)
        if not frame.phase.startswith(SETTLED_PHASES):
            return
        for name in TREND_FIELDS:
            value = frame[name]
            if value is not None:
                self._of_boot(name).append(t, value)
        free, used, live = frame["gc_free"], frame["gc_used"], frame["gc_live"]
        if free is not None and used is not None and live is not None:
            self._of_boot(LIVE_FREE).append(t, free + used - live)

    def _of_boot(self, name: str) -> Series:
        return self._settled.setdefault(name, Series())

    def _mark(self, mark: Mark) -> None:
        self.mark_count += 1
        self.marks.append(mark)

    def _largest_run(self) -> None:
        """Give the newest frame what micropython.mem_info() says of the largest free run.

        It counts blocks of four machine words: 16 bytes if any size seen is not a multiple of 32.
        """
        infos = self.stream.mem_infos
        if not infos or infos[-1][1] is self._info or not self.frames:
            return
        self._info = info = infos[-1][1]
        self._infos += 1
        self._unit = math.gcd(self._unit, info.used, info.total)
        t, frame = self.frames[-1]
        if frame["gc_run"] is None and self._infos >= MIN_INFOS:
            run_b = info.max_free_blocks * (32 if self._unit % 32 == 0 else 16)
            frame.values["gc_run"] = run_b
            self._whole["gc_run"].append(t, run_b)
            if frame.phase.startswith(SETTLED_PHASES):
                self._of_boot("gc_run").append(t, run_b)

    def series(self, name: str) -> list[tuple[float, int]]:
        """(seconds, value) of a field where the device could tell it; long ago, its extremes."""
        return self._whole[name].points()

    def lowest(self, name: str) -> int | None:
        """The smallest value that a field ever had."""
        return self._whole[name].low

    def highest(self, name: str) -> int | None:
        """The largest value that a field ever had."""
        return self._whole[name].high

    def free_series(self) -> list[tuple[float, int]]:
        """Free GC heap right after collections where that is known, else its upper edge."""
        live = self._of_boot(LIVE_FREE)
        return live.points() if live.count >= MIN_SAMPLES else self._upper("gc_free")

    def _upper(self, name: str) -> list[tuple[float, int]]:
        return watermark(self._of_boot(name).points())

    def fragmentation(self) -> dict[str, float]:
        """Share of each heap's free memory that the largest block does not reach, now."""
        shares = {}
        frame = self.last
        for heap, free, big in (("GC", "gc_free", "gc_run"), ("IDF", "idf_free", "idf_big")):
            if frame and frame[free] and frame[big] is not None:
                shares[heap] = max(0.0, 1 - frame[big] / frame[free])  # type: ignore[operator]
        return shares

    def trends(self) -> dict[str, Trend]:
        """Slopes of this boot: free after collection, IDF free, and the largest blocks."""
        found = {
            "GC free": trend(self.free_series()),
            "GC largest": trend(self._upper("gc_run")),
            "IDF free": trend(self._upper("idf_free")),
            "IDF largest": trend(self._upper("idf_big")),
        }
        return {name: slope for name, slope in found.items() if slope is not None}

    def reading(self) -> str:
        """What the trends mean, by the rule: falling watermark is a leak, a steady one with a
        shrinking largest block is fragmentation."""
        trends = self.trends()
        if not trends:
            return "too early to tell (two minutes of frames are needed)"
        said = []
        for heap in ("GC", "IDF"):
            free, big = trends.get(f"{heap} free"), trends.get(f"{heap} largest")
            if free and free.falling:
                said.append(f"{heap} heap: watermark falling, a leak ({free})")
            elif free and big and big.falling:
                said.append(f"{heap} heap: largest block shrinking, fragmentation ({big})")
            elif free:
                word = "steady" if free.known else "no trend to be seen yet"
                if free.per_hour + free.error < -STEADY_B_PER_H:
                    word = "settling"  # it has fallen, and stays where it is now
                said.append(f"{heap} heap: {word} ({free})")
        return "; ".join(said) or "too early to tell"
