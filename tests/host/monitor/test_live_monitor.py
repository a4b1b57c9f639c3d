"""The monitor at a live console: terminals, sockets, pipes, ports that go away, and how a port is opened."""

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
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from command_line import Run, copepod
from pty_board import PtyBoard
from telemetry_lines import console_of, frame

from host_tools.app import app_files
from host_tools.console import serial_io
from host_tools.errors import UserError
from host_tools.monitor import command as monitor
from host_tools.monitor import recording
from host_tools.monitor.model import Alert
from host_tools.simulator import Simulator

COPEPOD = Path(sys.executable).with_name("copepod")


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
        (tmp_path / "tree" / path).write_bytes(data if path != "bot.py" else b"")
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
