"""Telemetry as it stands on a gateway's console: single frames and events, and minutes of them."""

from __future__ import annotations

import random

from host_tools.console.frames import FIELDS, Event, Frame, format_event, format_frame
from host_tools.monitor.model import Model


def frame(seq: int, t_s: float, phase: str = "interval", **values: int) -> str:
    whole = dict.fromkeys(FIELDS) | {"in": 0, "out": 0, "err": 0, "tls": 1, "back": 0} | values
    return format_frame(Frame(seq, int(t_s * 1000), phase, whole))


def event(seq: int, t_s: float, name: str, value: int = 0) -> str:
    return format_event(Event(seq, int(t_s * 1000), name, value))


def console_of(
    minutes: int, leak_b_per_h: int = 0, shrink_b_per_h: int = 0
) -> list[tuple[float, str]]:
    """A gateway's console with a frame every ten seconds, a saw-tooth of garbage and some noise."""
    noise = random.Random(minutes + leak_b_per_h)
    lines = [(0.5, event(0, 0.5, "boot")), (1.0, frame(1, 1, "baseline", gc_free=60_000))]
    seq, garbage = 2, 0
    for number in range(minutes * 6):
        t = 5 + number * 10.0
        garbage = 0 if garbage > 20_000 else garbage + noise.randint(500, 2500)
        live = 16_000 + int(leak_b_per_h * t / 3600) + noise.randint(-20, 20)
        run = 40_000 - int(shrink_b_per_h * t / 3600)
        values = {"gc_used": live + garbage, "gc_live": live, "gc_free": 64_000 - live - garbage}
        big = 60_000 - noise.randint(0, 512)
        values |= {"gc_run": run, "idf_free": 70_000, "idf_big": big, "idf_min": 58_000}
        lines.append((t, frame(seq, t, **values)))
        seq += 1
    return lines


def model_of(lines: list[tuple[float, str]]) -> Model:
    model = Model()
    for t, line in lines:
        model.feed(t, line)
    return model
