"""The gateway's own phases: TLS connected, long messages, a 1 MB update, thousands of messages.

The real gateway on a target, against the simulator over verified TLS. Memory is what its frames
say, once a second; a process here is also looked at from outside. The soak ends with the slope of
the live heap over messages, a straight line through every frame, and its 95 % confidence.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.console.frames import Frame, MemInfo
from host_tools.errors import UserError
from host_tools.measure import budgets
from host_tools.measure.phases import Phase, is_wheel, outside
from host_tools.scenarios import corpus, engine
from host_tools.simulator import Simulator
from host_tools.targets.target import Device, Start, Target
from host_tools.toolchain import pages

LONG = 4096  # UTF-16 units, the longest message there is
SHORT = 60
MEGABYTE = 1 << 20
WAITING = 50  # messages unanswered at a time in the soak
BATCHES = 12  # the soak is cut into so many, with a reading after each
# The first poll finds nothing, and the gateway is steady after it: no need to wait for long.
SHORT_POLL = {"channels": {"telegram": {"poll_timeout_s": 1}}}
STUDENT_95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 8: 2.31, 10: 2.23, 15: 2.13, 20: 2.09}


@dataclass
class Slope:
    """Growth of the live heap in bytes per message, with half the width of its 95 % interval.

    The floors are the least live heap of the earlier and the later half of the frames: a reading
    may find a block in use that is given back at once, a leak lifts the floor.
    """

    b_per_message: float
    confidence_b: float
    frames: int
    first_floor_b: int
    last_floor_b: int

    @property
    def growth_b(self) -> int:
        return self.last_floor_b - self.first_floor_b

    def grows(self, word_bits: int) -> bool:
        """Is there a leak: by more than the one block that a reading may find in use, and steadily?

        The collector takes what it finds on the C stack for addresses, so one object may stay.
        """
        steadily = self.b_per_message > self.confidence_b
        return self.growth_b > word_bits // 2 and steadily

    def text(self) -> str:
        return f"{self.b_per_message:+.4f} ± {self.confidence_b:.4f} B"


@dataclass
class SoakRun:
    """What the gateway's phases came to."""

    phases: list[Phase] = field(default_factory=list)
    messages: int = 0
    answered: int = 0
    rejected: int = 0
    connections: int = 0
    seconds: float = 0.0
    slope: Slope | None = None
    breakdown: dict[str, Any] | None = None
    startup: dict[str, float] = field(default_factory=dict)  # live heap by named phase


def slope(points: list[tuple[float, float]]) -> Slope | None:
    """Least squares through (messages, live bytes); None with fewer than three points."""
    count = len(points)
    if count < 3:
        return None
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    square = sum((x - mean_x) ** 2 for x, _ in points)
    if not square:
        return None
    value = sum((x - mean_x) * (y - mean_y) for x, y in points) / square
    rest = sum((y - mean_y - value * (x - mean_x)) ** 2 for x, y in points)
    freedom = count - 2
    factor = next((t for n, t in sorted(STUDENT_95.items(), reverse=True) if n <= freedom), 12.71)
    error = math.sqrt(rest / freedom / square)
    half = count // 2
    floors = [int(min(y for _, y in part)) for part in (points[:half], points[half:])]
    return Slope(value, factor * error, count, *floors)


class Soak:
    """One gateway from start to end."""

    def __init__(
        self,
        target: Target,
        heap: str | None,
        app: str,
        progress: Callable[[str], None] | None = None,
        batches: int = BATCHES,
    ) -> None:
        self.target = target
        self.heap = heap
        self.app = app
        self.batches = batches
        self.progress = progress or (lambda text: None)
        self.result = SoakRun()
        self.sent = 0

    def run(self, messages: int) -> SoakRun:
        """All phases, then `messages` short messages."""
        began = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="copepod-") as folder,
            Simulator(host=self.target.listen, names=[self.target.address]) as self.sim,
        ):
            extra = {"telemetry": {"interval_s": 1, "mem_info": True}, **SHORT_POLL}
            self.device = self.target.start(
                Start(
                    engine.gateway_config(self.sim, self.target, extra),
                    workdir=Path(folder),
                    files=engine.files_for(self.sim),
                    heap=self.heap,
                    app=self.app,
                )
            )
            try:
                self._phases(messages)
            finally:
                self.device.stop()
        self.result.answered = len(self.sim.sent)
        self.result.rejected = len(self.sim.rejected)
        self.result.connections = self.sim.handshakes
        self.result.seconds = time.monotonic() - began
        return self.result

    def _phases(self, messages: int) -> None:
        if not self.device.wait(
            lambda: self.device.frames.phase("steady"), 30 * self.target.patience
        ):
            raise UserError(f"the gateway does not start:\n{_last(self.device)}")
        self.result.startup = budgets.live_phases(self.device.frames.frames)
        self._keep("7-tls-connected", self._frame())
        for script in corpus.SCRIPTS:
            self._send(corpus.text(self.sent, script, LONG)[0])
            self._answered("a message of 4,096 units")
        self._keep("8-message-4096", self._frame())
        self._send(corpus.text(self.sent, "ascii", SHORT)[0], pad=MEGABYTE)
        self._answered("an update of 1 MB")
        self._keep("9-update-1MB", self._frame())
        self._soak(messages)
        self._keep("10-soak", self._frame())

    def _soak(self, messages: int) -> None:
        points = []
        for batch in range(self.batches):
            last = self.sent + messages // self.batches
            while self.sent < last:
                for number in range(self.sent, min(self.sent + WAITING, last)):
                    script = corpus.SCRIPTS[number % len(corpus.SCRIPTS)]
                    self._send(corpus.text(number, script, SHORT)[0])
                self._answered("the soak")
            frame = self._frame()
            self.progress(f"{(batch + 1) * messages // self.batches} of {messages} messages")
            points.append((float(frame["in"] or 0), float(frame["gc_live"] or 0)))
        self.result.messages = messages
        # The first batch fills what is kept from message to message: small caches, dicts.
        self.result.slope = slope(points[1:])

    def _send(self, text: str, pad: int = 0) -> None:
        self.sim.push_text(text, pad=pad)
        self.sent += 1

    def _answered(self, what: str) -> None:
        done = (
            self.sim.wait(
                lambda: len(self.sim.sent) >= self.sent or self.device.ended,
                30 * self.target.patience,
            )
            and not self.device.ended
        )
        if not done:
            raise UserError(
                f"{what} is not answered in {self.heap or 'its heap'}:\n{_last(self.device)}"
            )

    def _frame(self) -> Frame:
        """The second frame in a row in which all that was sent is answered, and its mem_info.

        At the first one the last answer may still be on its way to being acknowledged.
        """
        seen = len(self.device.frames.frames)

        def quiet() -> bool:
            stream = self.device.frames
            whole = [f for f in stream.frames[seen:] if (f["out"] or 0) >= self.sent]
            # There is no mem_info before the config has asked for it, at the baseline.
            return len(whole) >= 2 and len(stream.mem_infos) >= len(stream.frames) - 1

        if not self.device.wait(quiet, 15 * self.target.patience):
            raise UserError(f"no telemetry from the gateway:\n{_last(self.device)}")
        return self.device.frames.frames[-1]

    def _keep(self, name: str, frame: Frame) -> None:
        phase = Phase(name, frame["gc_used"] or 0, frame["gc_live"], frame["gc_free"])
        info: MemInfo = self.device.frames.mem_infos[-1][1]
        phase.run_b = info.largest_run(self.target.word_bits)
        phase.total_b = info.total
        found = None if is_wheel(self.target) else outside(self.device)
        if found is not None:
            phase.rss_b, phase.anonymous_b, phase.file_b = found.rss, found.anonymous, found.file
            self.result.breakdown = pages.breakdown(found.pid).as_dict()
        self.result.phases.append(phase)


def _last(device: Device) -> str:
    return "\n".join(device.text().splitlines()[-8:])
