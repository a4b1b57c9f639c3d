"""Recordings of the monitor, of minutes and of days: played back, counted, drawn, in memory that does not grow."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from command_line import copepod
from telemetry_lines import console_of, event, frame, model_of

from host_tools.console.frames import FIELDS
from host_tools.errors import UserError
from host_tools.monitor import command as monitor
from host_tools.monitor import recording
from host_tools.monitor.model import Alert, Model


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    writer = recording.Recorder(path, "a test")
    model = Model()
    for t, line in [*console_of(20, leak_b_per_h=6000), (1200.0, "a log line")]:
        writer.line(t, line, model.feed(t, line))
    writer.notice(1201.0, "the port is gone")
    writer.close()
    return path


def test_a_recording_plays_back_as_it_was(record: Path) -> None:
    model, alert = monitor.replay(record, [])
    assert not alert
    whole = model_of([*console_of(20, leak_b_per_h=6000), (1200.0, "a log line")])
    assert [f for _, f in model.frames] == [f for _, f in whole.frames]
    assert model.reading() == whole.reading()
    assert [line for _, line in model.log] == ["a log line", "-- the port is gone --"]
    first = json.loads(record.read_text().splitlines()[2])
    assert first["frame"]["phase"] == "baseline"
    assert first["frame"]["gc_free"] == 60_000


def test_a_cut_off_recording_and_a_plain_log_are_read(record: Path, tmp_path: Path) -> None:
    record.write_text(record.read_text()[:-30])
    assert len(monitor.replay(record, [])[0].frames) == 121
    log = tmp_path / "console.log"
    log.write_text("\r\n".join(line for _, line in console_of(2)) + "\r\n")
    assert len(monitor.replay(log, [])[0].frames) == 13
    with pytest.raises(UserError, match="No such file"):
        monitor.replay(tmp_path / "none", [])


@pytest.mark.timeout(120)  # matplotlib looks for the machine's fonts when it is first used
def test_replay_makes_csv_plots_and_a_picture(record: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / name for name in ("run.csv", "run.png", "run.svg", "screen.svg")]
    flags = ["--csv", outputs[0], "--plot", outputs[1], "--svg", outputs[3]]
    run = copepod("monitor", "--replay", record, *flags)
    assert run.returncode == 0, run.stderr
    rows = outputs[0].read_text().splitlines()
    assert rows[0] == "host_s,seq,t_ms,phase," + ",".join(FIELDS)
    assert len(rows) == 122
    assert rows[1].startswith("1.000,1,1000,baseline,,60000,")
    assert outputs[1].read_bytes().startswith(b"\x89PNG")
    run = copepod("monitor", "--replay", record, "--plot", outputs[2])
    svg = outputs[2].read_text()
    assert "<svg" in svg
    assert svg.count("stroke-dasharray") >= 2  # the marks
    assert "watermark" in outputs[3].read_text().replace("&#160;", " ")
    bad = copepod("monitor", "--replay", record, "--plot", tmp_path / "run.gif")
    assert bad.returncode == 1
    assert "a plot is .png or .svg" in bad.stderr


def test_an_alert_ends_with_its_own_status(record: Path) -> None:
    run = copepod("monitor", "--replay", record, "--plain", "--alert", "free<20000")
    assert run.returncode == 0, run.stderr
    run = copepod("monitor", "--replay", record, "--plain", "--alert", "free<45000")
    assert run.returncode == monitor.ALERT_STATUS
    assert "alert free<45000: gc_free is" in run.stderr


# recordings of days -------------------------------------------------------------------------


def long_record(path: Path, count: int, low_at: int, *, plain: bool = False) -> None:
    """A recording of so many frames a second apart; the lowest and the highest are early."""
    writer = recording.Recorder(path, "a test")
    writer.close()
    rows = []
    for number in range(count):
        free = 96 if number == low_at else 90_000 if number == low_at + 1 else 32_000 + number % 99
        line = frame(number + 1, number, gc_free=free, gc_used=30_000, gc_live=29_000)
        told = {"t": float(number), "line": line, "frame": {}}
        rows.append(line if plain else json.dumps(told))
        if number % 1000 == 500:
            rows.append("a log line" if plain else json.dumps({"t": 1.0, "line": "a log line"}))
    with path.open("w" if plain else "a") as file:
        file.write("\n".join(rows) + "\n")


@pytest.mark.parametrize("plain", [False, True])
def test_a_long_recording_keeps_its_start(tmp_path: Path, plain: bool) -> None:
    """Bounds that are meant for the screen are not for files: summary, table and plot have it all."""
    path, table = tmp_path / "run.jsonl", tmp_path / "run.csv"
    long_record(path, 50_000, 7, plain=plain)
    run = copepod("monitor", "--replay", path, "--csv", table, "--plot", tmp_path / "run.svg")
    assert run.returncode == 0, run.stderr
    assert "50,000 frames" in run.stderr
    assert "lowest GC free 96 B" in run.stderr
    rows = table.read_text().splitlines()
    assert len(rows) == 50_001
    assert rows[1].split(",")[1] == "1"  # the first frame, and all that follow it
    assert ",96," in rows[8]
    model, _ = monitor.replay(path, [])
    points = model.series("gc_free")
    values = [value for _, value in points]
    assert (min(values), max(values)) == (96, 90_000)
    assert [t for t, _ in points] == sorted(t for t, _ in points)
    assert len(points) < 15_000
    out = copepod("monitor", "--replay", path, "--plain").stdout.splitlines()
    assert len(out) == 50_000
    assert "gc_free=96" in out[7]


def test_many_at_a_time_is_the_same_as_line_by_line(tmp_path: Path) -> None:
    """Whole frames in order are read many at a time; damage, gaps, boots and events are not lost."""
    path = tmp_path / "run.jsonl"
    long_record(path, 20_000, 7)
    lines = path.read_text().splitlines()
    lines[9000] = lines[9000].replace("gc_used=30000", "gc_used=30001")  # its sum is wrong
    del lines[12_000:12_010]
    lines.insert(15_000, json.dumps({"t": 14e3, "line": event(0, 1, "boot"), "event": {}}))
    lines.insert(15_001, json.dumps({"t": 14e3, "line": frame(1, 1), "frame": {}}))
    path.write_text("\n".join(lines) + "\n")
    fast, _ = monitor.replay(path, [])
    slow, _ = monitor.replay(path, [Alert.parse("free<1")])
    for model in (fast, slow):
        assert model.frame_count == 20_000 - 1 - 10 + 1
        assert model.stream.damaged == 1
        assert model.stream.reboots == 1
        assert model.boot_at == 14e3
    assert fast.stream.missing == slow.stream.missing > 10
    assert fast.lowest("gc_free") == slow.lowest("gc_free") == 96
    assert list(fast.frames) == list(slow.frames)
    assert fast.highest("gc_free") == slow.highest("gc_free") == 90_000
    assert list(fast.marks) == list(slow.marks)


def test_memory_does_not_grow_with_a_recording(tmp_path: Path) -> None:
    """Twice the frames take the same memory."""
    peaks = []
    for count in (20_000, 40_000):
        path = tmp_path / f"{count}.jsonl"
        long_record(path, count, 7)
        tracemalloc.start()
        monitor.replay(path, [])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
