"""The monitor: what it records, counts, draws and survives."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from command_line import Run, copepod
from pty_board import PtyBoard
from rich.console import Console

from host_tools.app import app_files
from host_tools.console import serial_io
from host_tools.console.frames import FIELDS, Event, Frame, format_event, format_frame
from host_tools.errors import UserError
from host_tools.monitor import command as monitor
from host_tools.monitor import recording, screen
from host_tools.monitor.model import Alert, Model, trend, watermark
from host_tools.simulator import Simulator

COPEPOD = Path(sys.executable).with_name("copepod")


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


# what it means -----------------------------------------------------------------------------


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


# recordings --------------------------------------------------------------------------------


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


# a live console ----------------------------------------------------------------------------


class Pty:
    """A terminal whose other end is a test."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)

    def say(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.master, data[:2048]) :]

    def heard(self) -> bytes:
        """What was sent to the device."""
        found = b""
        while select.select([self.master], [], [], 0)[0]:
            found += os.read(self.master, 4096)
        return found

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Pty]:
    terminal = Pty()
    yield terminal
    terminal.close()


class Started:
    """`copepod monitor` as a process; what it prints goes to files, so that it never waits."""

    def __init__(self, *arguments: object) -> None:
        self._out = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._err = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [COPEPOD, "monitor", *map(str, arguments)],
            stdout=self._out,
            stderr=self._err,
            stdin=subprocess.DEVNULL,
        )

    def recorded(self, path: Path, text: str = "", timeout: float = 20) -> None:
        """Wait until the recording is there (then the port is open), and holds a text."""
        deadline = time.monotonic() + timeout
        while not (path.exists() and path.stat().st_size and text in path.read_text()):
            assert time.monotonic() < deadline, f"{text!r} was not recorded"
            assert self.process.poll() is None
            time.sleep(0.02)

    def finish(self, timeout: float = 20) -> Run:
        """Wait for its end."""
        try:
            status = self.process.wait(timeout)
        finally:
            self.process.kill()
            self.process.wait()
        texts = []
        for file in (self._out, self._err):
            file.seek(0)
            texts.append(file.read())
            file.close()
        return Run(status, *texts)


def test_the_recording_is_what_the_device_sent_and_nothing_is_sent_to_it(
    terminal: Pty, tmp_path: Path
) -> None:
    """Log lines, frames, a cut UTF-8 character, no line end at the end; plain output in a pipe."""
    path = tmp_path / "run.jsonl"
    process = Started("--port", terminal.port, "--record", path, "--alert", "err>0")
    lines = [line for _, line in console_of(10)]
    lines[5:5] = ["copepod: wifi: connected to café ☕", "", "x" * 300]
    lines.append(frame(62, 601, err=1))  # and this ends it
    sent = "\r\n".join(lines).encode() + b"\r\n"
    process.recorded(path)
    for at in range(0, len(sent), 97):
        terminal.say(sent[at : at + 97])
    status, out, err = process.finish()
    assert status == monitor.ALERT_STATUS, err
    kept = [entry.line for entry in recording.read(path) if not entry.notice]
    assert kept == lines
    assert terminal.heard() == b""
    assert "copepod: wifi: connected to café ☕" in out
    assert out.count("frame ") == 62
    assert "62 frames, 1 events; 0 missing, 0 damaged, 0 reboots" in err


def test_a_flood_of_noise_does_not_disturb_it(terminal: Pty, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    process = Started("--port", terminal.port, "--record", path, "--alert", "err>0")
    process.recorded(path)
    noise = random.Random(5)
    for _ in range(40):
        terminal.say(noise.randbytes(25_000))
    terminal.say(b"\n" + frame(0, 1, gc_free=5).encode() + b"\n")
    terminal.say(noise.randbytes(100_000) + b"\n")
    terminal.say(frame(1, 2, gc_free=6, err=1).encode() + b"\n")  # and this ends it
    status, _, err = process.finish()
    assert status == monitor.ALERT_STATUS, err
    model, _ = monitor.replay(path, [])
    assert [f["gc_free"] for _, f in model.frames] == [5, 6]
    assert model.stream.missing == 0


def test_the_live_screen_in_a_terminal(terminal: Pty) -> None:
    """A real terminal: the numbers move, the alert ends it, the terminal is left as it was."""
    screen, inside = pty.openpty()
    process = subprocess.Popen(
        [COPEPOD, "monitor", "--port", terminal.port, "--alert", "err>0"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(inside)
    shown = b""

    def see(text: str, timeout: float = 20) -> None:
        nonlocal shown
        deadline = time.monotonic() + timeout
        while text.encode() not in shown:
            assert time.monotonic() < deadline, shown[-600:]
            if select.select([screen], [], [], 0.1)[0]:
                shown += os.read(screen, 65536)

    try:
        see("no telemetry yet")
        for seq in range(4):
            terminal.say(frame(seq, seq, gc_free=54_321 - seq, gc_used=9_000).encode() + b"\n")
        terminal.say(b"copepod: hello\n")
        see("54,318")
        see("copepod: hello")
        terminal.say(frame(4, 4, err=1).encode() + b"\n")
        see("\x1b[?1049l")  # the terminal's own screen is back
        see("alert err>0: err is 1")
        see("5 frames, 0 events")
        assert process.wait(10) == monitor.ALERT_STATUS
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def test_an_unplugged_port_comes_back(tmp_path: Path) -> None:
    """The device's name goes away and comes back as another device: frames go on, none is lost."""
    link, path = tmp_path / "ttyBOARD", tmp_path / "run.jsonl"
    first = Pty()
    link.symlink_to(first.port)
    process = Started("--port", link, "--record", path, "--alert", "err>0")
    process.recorded(path)
    first.say(frame(0, 1).encode() + b"\n")
    process.recorded(path, "interval")
    link.unlink()
    first.close()
    process.recorded(path, "the port is gone")
    second = Pty()
    link.symlink_to(second.port)
    process.recorded(path, "the port is back")
    second.say(frame(1, 2).encode() + b"\n" + frame(2, 3, err=1).encode() + b"\n")
    status, _, err = process.finish()
    second.close()
    assert status == monitor.ALERT_STATUS, err
    entries = list(recording.read(path))
    assert [entry.line for entry in entries if entry.notice][:2] == [
        "the port is gone",
        "the port is back",
    ]
    model, _ = monitor.replay(path, [])
    assert [f.seq for _, f in model.frames] == [0, 1, 2]
    assert model.stream.missing == 0


def test_a_socket_that_closes_is_opened_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"socket://127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            for seq in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(frame(seq, seq, err=seq).encode() + b"\n")

        thread = threading.Thread(target=serve)
        thread.start()
        source = serial_io.open_source(url)
        watch = monitor.Monitor(source, recorder=None, alerts=[Alert.parse("err>0")])
        deadline = time.monotonic() + 10
        while not watch.alert and time.monotonic() < deadline:
            watch.step()
        source.close()
        thread.join()
    assert watch.alert
    assert len(watch.model.frames) == 2


def test_a_pipe_a_file_and_a_command(tmp_path: Path) -> None:
    text = "\n".join(line for _, line in console_of(2)) + "\n"
    run = subprocess.run(
        [COPEPOD, "monitor", "--port", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.count("frame ") == 13
    assert run.returncode == 0
    log = tmp_path / "console.log"
    log.write_text(text)
    run = copepod("monitor", "--port", log, "--for", 0.5)
    assert "13 frames" in run.stderr
    run = copepod("monitor", "--", "cat", log)
    assert "13 frames" in run.stderr


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_a_running_unix_gateway(tmp_path: Path) -> None:
    """The monitor starts the gateway itself, sees it become steady, and ends with its alert."""
    (tmp_path / "tree").mkdir()
    for path, data in app_files.app().items():
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).write_bytes(data)
    with Simulator(tls=False) as sim:
        bot = {"token": sim.token, "allow_from": ["*"], "base_url": sim.base_url}
        config = {"channels": {"telegram": bot}, "telemetry": {"interval_s": 1}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        sim.push_text("hello")
        micropython = str(Path(sys.executable).with_name("micropython"))
        command = ["env", f"MICROPYPATH={tmp_path / 'tree'}:.frozen", micropython]
        command += ["-X", "heapsize=256k", "-m", "copepod", "--config", tmp_path / "config.json"]
        run = copepod("monitor", "--plain", "--alert", "out>0", "--for", 25, "--", *command)
    assert run.returncode == monitor.ALERT_STATUS, run.stdout + run.stderr
    assert " steady " in run.stdout
    assert "alert out>0: out is 1" in run.stderr


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_a_live_run_on_a_board_is_recorded_frame_for_frame(tmp_path: Path) -> None:
    """A gateway on a board answers while it is watched; the recording is what the board sent."""
    folder, path = tmp_path / "board", tmp_path / "run.jsonl"
    for name, data in app_files.app().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with Simulator() as sim:
        bot = {"token": sim.token, "allow_from": ["*"], "base_url": sim.base_url}
        config = {"channels": {"telegram": bot}, "telemetry": {"interval_s": 1}}
        (folder / "config.json").write_text(json.dumps({**config, "tls": {"ca": "roots.der"}}))
        (folder / "roots.der").write_bytes(sim.ca_der)
        with PtyBoard(folder) as board:
            process = Started("--port", board.port, "--record", path, "--alert", "out>24")
            for number in range(25):
                sim.push_text(f"message {number}")
            status, _, err = process.finish(25)
            assert status == monitor.ALERT_STATUS, err
            assert board.boots == 1  # never reset
            assert b"raw REPL" not in board.log
            sent = [line for line in board.log.decode().splitlines() if "@cp1" in line]
        assert len(sim.sent) >= 25
    kept = [entry.line for entry in recording.read(path) if "@cp1" in entry.line]
    assert len(kept) > 8
    assert kept == sent[: len(kept)]


# opening a port ----------------------------------------------------------------------------


def test_dtr_and_rts_are_never_touched(monkeypatch: pytest.MonkeyPatch, terminal: Pty) -> None:
    """Changing one before the other is what resets a board: neither may be written, nor hang up."""
    written: list[str] = []
    for name in ("dtr", "rts"):
        old = getattr(serial.SerialBase, name)
        new = property(old.fget, lambda self, value, name=name: written.append(name))
        monkeypatch.setattr(serial.SerialBase, name, new)
    port = serial_io.open_quiet(terminal.port)
    import termios

    assert not termios.tcgetattr(port.fd)[2] & termios.HUPCL
    port.close()
    source = serial_io.SerialSource(terminal.port)
    source.read(0.05)
    source.close()
    assert written == []


def test_which_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def port(name: str) -> serial_io.Port:
        (tmp_path / name).touch()
        return serial_io.Port(str(tmp_path / name), name, "", "")

    monkeypatch.setattr(serial_io, "ports", list)
    with pytest.raises(UserError, match="no board found: plug it in"):
        serial_io.choose_port(None)
    monkeypatch.setattr(serial_io, "ports", lambda: [port("a")])
    assert serial_io.choose_port(None).endswith("/a")
    monkeypatch.setattr(serial_io, "ports", lambda: [port("a"), port("b")])
    with pytest.raises(UserError, match=r"several ports: .*PORT="):
        serial_io.choose_port(None)
    assert serial_io.choose_port(None, lambda found: found[1]).endswith("/b")
    assert serial_io.choose_port("socket://127.0.0.1:1") == "socket://127.0.0.1:1"


def test_lines_out_of_anything() -> None:
    splitter = serial_io.LineSplitter()
    assert splitter.feed(b"caf" + b"\xc3") == []
    assert splitter.feed(b"\xa9\r\nnext") == ["café"]
    assert splitter.rest() == "next"
    long = splitter.feed(b"x" * 9000)
    assert [len(line) for line in long] == [4096, 4096]
    assert serial_io.printable("a\x1b[2J\tb\x00é") == "a·[2J·b·é"


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
    long_record(path, 30_000, 7, plain=plain)
    run = copepod("monitor", "--replay", path, "--csv", table, "--plot", tmp_path / "run.svg")
    assert run.returncode == 0, run.stderr
    assert "30,000 frames" in run.stderr
    assert "lowest GC free 96 B" in run.stderr
    rows = table.read_text().splitlines()
    assert len(rows) == 30_001
    assert ",96," in rows[8]
    model, _ = monitor.replay(path, [])
    points = model.series("gc_free")
    values = [value for _, value in points]
    assert (min(values), max(values)) == (96, 90_000)
    assert [t for t, _ in points] == sorted(t for t, _ in points)
    assert len(points) < 15_000
    out = copepod("monitor", "--replay", path, "--plain").stdout.splitlines()
    assert len(out) == 30_000
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
