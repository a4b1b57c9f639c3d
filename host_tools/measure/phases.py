"""Runs firmware/bench/membench.py on a target and reads each phase from both sides.

The device tells its GC heap; where it is a process here, the kernel tells its resident memory
while the device sleeps after each phase.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from host_tools.app.tree import app_tree, benches
from host_tools.console.frames import Event, Frame
from host_tools.errors import UserError
from host_tools.targets.target import Device, Line, Start, Target
from host_tools.toolchain import pages

NAMES = (
    "1-baseline",
    "2-config-loaded",
    "3-bus-created",
    "4-after-burst",
    "5-steady-state",
    "6-format-and-split",
)
CONFIG: dict[str, Any] = {
    "channels": {
        "telegram": {"token": "123456:abcdefghijklmnopqrstuvwxyz012345678", "allow_from": ["1"]}
    },
    "gateway": {"host": "127.0.0.1", "port": 18790},
}


@dataclass
class Phase:
    """One phase: the GC heap in bytes, the collector, and the process in bytes."""

    name: str
    used_b: int
    live_b: int | None
    free_b: int | None
    run_b: int | None = None  # largest free run
    total_b: int | None = None
    gc_runs: int | None = None
    gc_us: int | None = None
    rss_b: int | None = None
    anonymous_b: int | None = None
    file_b: int | None = None

    def line(self) -> str:
        """The phase in the study's form."""
        name = f"[mem {self.name:<20}]"
        rss = "RSS=     - KB"
        if self.rss_b is not None:
            rss = f"RSS={self.rss_b // 1024:6} KB ({self.rss_b / 1048576:.2f} MB)"
        runs = "-" if self.gc_runs is None else self.gc_runs
        return (
            f"{name} {rss}  HeapAlloc={self.used_b:8} B  HeapSys={self.total_b or 0:8} B  "
            f"live={self.live_b or 0:7} B  largest free={self.run_b or 0:7} B  NumGC={runs}"
        )


@dataclass
class PhaseRun:
    """A run of membench."""

    heap: str
    threshold_b: int
    burst: int
    phases: list[Phase] = field(default_factory=list)
    produced: int = 0
    consumed: int = 0
    pieces: int = 0
    html_b: int = 0
    burst_us: int = 0
    alone_b: int = 0  # the GC heap before the application was imported

    @property
    def burst_gc_runs(self) -> int | None:
        """Collections during the burst; the frame's own comes after its figure."""
        before, after = self.phase("3-bus-created").gc_runs, self.phase("4-after-burst").gc_runs
        return None if before is None or after is None else after - before - 1

    @property
    def gc_share(self) -> float | None:
        """Share of the burst's time that went into collections."""
        before, after = self.phase("3-bus-created").gc_us, self.phase("4-after-burst").gc_us
        return None if before is None or after is None else (after - before) / self.burst_us

    def phase(self, name: str) -> Phase:
        """The phase of that name; KeyError if the run has none."""
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def compiled(name: str) -> bytes:
    """firmware/bench/<name>.py as .mpy, so that its source isn't compiled on the device.

    It is the one built with the application: it imports things from where they lie in that.
    """
    return (benches(app_tree()) / f"{name}.mpy").read_bytes()


def start(target: Target, name: str, call: str, **how: Any) -> Device:
    """Start a program of firmware/bench/ in the application's place: `call` is its statement."""
    pre = f"import {name}\n{name}.{call}\nraise SystemExit(0)"
    how.setdefault("app", "mpy")
    files = {f"{name}.mpy": compiled(name), **how.pop("files", {})}
    return target.start(Start(how.pop("config", CONFIG), files=files, pre=pre, **how))


def finish(device: Device, timeout_s: float) -> str:
    """Wait for the program's end; its console, or UserError with the last lines if it failed."""
    device.wait(lambda: device.ended, timeout_s)
    ended = device.ended
    status = device.stop()
    console = device.text()
    if not ended or status not in (0, None):
        last = "\n".join(console.splitlines()[-8:])
        raise UserError(f"the benchmark {'ended' if ended else 'hangs'} ({status}):\n{last}")
    return console


class Sampler:
    """Reads the process's memory at each frame, while the device sleeps after it."""

    def __init__(self, device: Device) -> None:
        self.found: dict[str, pages.Breakdown] = {}
        self._device = device
        self._last = ""
        device.on_line = self

    def __call__(self, line: Line, item: Frame | Event | None) -> None:
        if isinstance(item, Frame):
            self._last = item.phase
        # membench's own line is what it writes last before it sleeps.
        if line.text.startswith("@bench "):
            found = outside(self._device)
            if found is not None:
                self.found[self._last] = found


def outside(device: Device) -> pages.Breakdown | None:
    """The process's memory from smaps, its name checked; None where there is no such process."""
    pid = getattr(device, "pid", None)
    return pages.totals(pid) if pid and device.rss() is not None else None


def is_wheel(target: Target) -> bool:
    """The wheel's interpreter lies in a Python process, whose RSS says nothing about ours."""
    return target.name == "unix"


def run(
    target: Target,
    *,
    heap: str | None,
    app: str,
    burst: int,
    threshold_b: int,
    timeout_s: float = 120,
) -> PhaseRun:
    """Run membench once; `heap` None leaves the place's own as it is."""
    result = PhaseRun(heap or "", threshold_b, burst)
    with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
        device = start(
            target, "membench", f"main({burst}, {threshold_b})", workdir=Path(folder), heap=heap,
            app=app,
        )  # fmt: skip
        sampler = Sampler(device)
        console = finish(device, timeout_s * target.patience)
        stream = device.frames
        infos = dict(stream.mem_infos)
        counts = {
            match[1]: (match[2], match[3])
            for match in re.finditer(r"^@bench (\S+) (\S+) (\S+)$", console, re.MULTILINE)
        }
        for frame in stream.frames:
            result.phases.append(_phase(frame, infos, counts, sampler.found, target))
    if not heap and result.phases:
        result.heap = f"{result.phases[0].total_b or 0:,} B"
    if (found := re.search(r"\(Messages produced: (\d+), consumed: (\d+)\)", console)) is not None:
        result.produced, result.consumed = int(found[1]), int(found[2])
    if (found := re.search(r"\(Pieces: (\d+), bytes of HTML: (\d+)\)", console)) is not None:
        result.pieces, result.html_b = int(found[1]), int(found[2])
    if (found := re.search(r"alone: (\d+) B\)", console)) is not None:
        result.alone_b = int(found[1])
    if (found := re.search(r"\(Burst: (\d+) us\)", console)) is not None:
        result.burst_us = int(found[1])
    return result


def _phase(
    frame: Frame,
    infos: dict[str, Any],
    counts: dict[str, tuple[str, str]],
    found: dict[str, pages.Breakdown],
    target: Target,
) -> Phase:
    phase = Phase(frame.phase, frame["gc_used"] or 0, frame["gc_live"], frame["gc_free"])
    info = infos.get(frame.phase)
    if info is not None:
        phase.run_b = info.largest_run(target.word_bits)
        phase.total_b = info.total
    runs, spent_us = counts.get(frame.phase, ("-", "-"))
    if runs != "-":
        phase.gc_runs, phase.gc_us = int(runs), int(spent_us)
    memory = found.get(frame.phase)
    if memory is not None and not is_wheel(target):
        phase.rss_b, phase.anonymous_b, phase.file_b = memory.rss, memory.anonymous, memory.file
    return phase
