"""What the monitor makes of telemetry: trends, leaks, fragmentation, gaps, alerts, and the screen that shows it."""

from __future__ import annotations

import os

import pytest
from rich.console import Console
from telemetry_lines import console_of, event, frame, model_of

from host_tools.console.frames import Frame, format_frame
from host_tools.errors import UserError
from host_tools.monitor import screen
from host_tools.monitor.model import Alert, Model, trend, watermark


def test_a_falling_watermark_is_a_leak() -> None:
    model = model_of(console_of(30, leak_b_per_h=6000))
    slope = model.trends()["GC free"]
    assert -6200 < slope.per_hour < -5800
    assert slope.error < 200
    assert "GC heap: watermark falling, a leak" in model.reading()
    assert "IDF heap: steady" in model.reading()


def test_a_steady_watermark_with_a_shrinking_block_is_fragmentation() -> None:
    model = model_of(console_of(30, shrink_b_per_h=20_000))
    assert "GC heap: largest block shrinking, fragmentation" in model.reading()


def test_a_saw_tooth_alone_is_steady() -> None:
    model = model_of(console_of(30))
    assert "GC heap: steady" in model.reading()
    assert "leak" not in model.reading()
    # without gc_live (no collection in the frames) the upper edge of the saw-tooth serves
    bare = Model()
    for t, line in console_of(60, leak_b_per_h=8000):
        if " gc_live=" in line:
            found = Model().feed(t, line)
            assert isinstance(found, Frame)
            line = format_frame(
                Frame(found.seq, found.t_ms, found.phase, {**found.values, "gc_live": None})
            )
        bare.feed(t, line)
    assert "a leak" in bare.reading()


def test_memory_that_falls_once_is_no_leak() -> None:
    """A buffer made at the first message, and a minute of warming up."""
    lines = [(0.5, event(0, 0.5, "boot"))]
    for number in range(60):
        t = number * 4.0
        free = 110_000 - min(number, 10) * 150
        lines.append((t + 1, frame(number + 1, t, gc_free=free, gc_used=50_000, gc_live=50_000)))
    model = model_of(lines)
    assert model.trends()["GC free"].per_hour < -5000
    assert "leak" not in model.reading()


def test_mem_info_gives_the_largest_run_and_is_not_shown() -> None:
    model = Model()
    for number in range(6):
        model.feed(number, frame(number, number, gc_free=40_000, gc_used=20_000))
        used = 20_000 + 16 * number
        model.feed(number, "stack: 4112 out of 15360")
        model.feed(
            number, f"GC: total: 60000, used: {used}, free: {60_000 - used}, max new split: 9"
        )
        model.feed(
            number, f" No. of 1-blocks: 9, 2-blocks: 8, max blk sz: 7, max free sz: {100 + number}"
        )
    assert model.last is not None
    assert model.last["gc_run"] == 105 * 16
    assert not model.log


def test_too_little_is_not_judged() -> None:
    assert "too early" in model_of(console_of(1)[:6]).reading()
    assert trend([(0.0, 1)] * 3) is None
    assert watermark([(1.0, 5), (2.0, 7)]) == [(1.0, 5), (2.0, 7)]


def test_a_reboot_begins_the_trend_anew() -> None:
    lines = console_of(20, leak_b_per_h=9000)
    again = [(t + 1300, line) for t, line in console_of(20)]
    model = model_of(lines + again)
    assert model.stream.reboots == 1
    assert "steady" in model.reading()


def test_up_is_the_gateways_time_and_not_the_machines() -> None:
    """On Unix the device's clock began with the machine; where the start was not seen, it is all there is."""
    day = 86_400.0
    lines = [(2.0, event(0, day, "boot")), (3.0, frame(1, day + 1, gc_free=1))]
    model = model_of(lines)
    assert model.up_s == 1
    assert "up 0:00:01" in drawn(model)
    model = model_of([*lines, (10.0, event(0, day, "boot")), (12.5, frame(1, day, gc_free=1))])
    assert model.up_s == 2.5  # it has begun again
    assert model_of([(1.0, frame(700, 3600, gc_free=1))]).up_s == 3600


def test_gaps_and_damage_are_counted() -> None:
    lines = console_of(5)
    damaged = lines[10][1].replace("gc_used=", "gc_used=9")
    model = model_of(
        [*lines[:5], *lines[7:10], (9.0, damaged), (9.1, lines[10][1][:50]), *lines[11:]]
    )
    assert model.stream.missing == 3
    assert model.stream.damaged == 2
    assert model.stream.reboots == 0


def test_fragmentation_share() -> None:
    model = model_of([(1.0, frame(0, 1, gc_free=40_000, gc_run=10_000, idf_free=80, idf_big=80))])
    assert model.fragmentation() == {"GC": 0.75, "IDF": 0.0}


@pytest.mark.parametrize(
    ("text", "name", "limit"),
    [("free<20000", "gc_free", 20000), (" idf_big >= 5 ", "idf_big", 5), ("err>0", "err", 0)],
)
def test_alerts_are_understood(text: str, name: str, limit: int) -> None:
    alert = Alert.parse(text)
    assert (alert.name, alert.limit) == (name, limit)


@pytest.mark.parametrize("text", ["free", "free<x", "nothing<5", "free=5", "free<5 and used>3"])
def test_alerts_that_are_not(text: str) -> None:
    with pytest.raises(UserError, match="--alert"):
        Alert.parse(text)


# the screen --------------------------------------------------------------------------------


def drawn(model: Model, width: int = 100, height: int = 34, **given: str) -> str:
    console = Console(width=width, height=height, file=open(os.devnull, "w"), record=True)  # noqa: SIM115
    console.print(screen.screen(model, console, title="/dev/ttyUSB0", **given))
    console.file.close()
    return console.export_text()


def test_the_screen_shows_it_and_fits() -> None:
    model = model_of([*console_of(20, leak_b_per_h=6000), (1200.0, "copepod: hello \x1b[2J\x07")])
    for width, height in ((100, 34), (80, 24), (60, 20)):
        text = drawn(model, width, height)
        assert len(text.splitlines()) <= height
        assert all(len(line) <= width for line in text.splitlines())
        assert "GC heap free" in text
        assert "\x1b" not in text
        assert "\x07" not in text
    text = drawn(model, state="port lost, waiting for it", alert="alert free<1: …")
    for wanted in ("watermark falling", "GC fragmented", "boot 0", "port lost", "alert free<1"):
        assert wanted in text
    assert any(bar in text for bar in screen.BARS)


def test_the_screen_without_telemetry() -> None:
    assert "no telemetry yet" in drawn(Model())


def test_sparklines() -> None:
    assert screen.sparkline([1, 2, 3, 4, 5, 6, 7, 8]) == screen.BARS
    assert screen.sparkline([5, 5, 5]) == "▅▅▅"
    assert len(screen.sparkline(list(range(500)), 40)) == 40
