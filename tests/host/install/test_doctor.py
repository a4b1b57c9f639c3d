"""The doctor: every line true, and a remedy wherever something is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from command_line import copepod
from pty_board import PtyBoard

from host_tools.app import app_files
from host_tools.console import serial_io
from host_tools.install import doctor
from host_tools.install.doctor import Check


def on_machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    return {check.name: check for check in doctor.machine()}


def test_a_whole_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CONFIG_FILE", tmp_path / "config.json")
    monkeypatch.setenv("COPEPOD_CACHE", str(tmp_path))
    monkeypatch.setattr(serial_io, "ports", list)
    run = copepod("doctor")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "All in order here" in run.stdout
    assert "BAD" not in run.stdout
    assert "-> `make provision`" in run.stdout


def test_what_is_wrong_with_the_config_and_the_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"
    monkeypatch.setattr(doctor, "CONFIG_FILE", config)
    monkeypatch.setattr(
        doctor, "_runs", lambda name, command: Check(name, True, "looked at above")
    )
    port = serial_io.Port("/dev/ttyNONE", "CP2102", "10c4:ea60", "")
    monkeypatch.setattr(serial_io, "ports", lambda: [port])
    config.write_text('{"wifi": {}}')
    found = on_machine(monkeypatch)
    assert found["config.json"].ok is False
    assert "channels.telegram.token: missing" in found["config.json"].found
    assert found["/dev/ttyNONE"].ok is False
    token = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
    config.write_text(json.dumps({"channels": {"telegram": {"token": token}}}))
    config.chmod(0o644)
    found = on_machine(monkeypatch)
    assert found["config.json"].found == "others may read your token"
    assert found["config.json"].remedy == "chmod 600 config.json"
    config.chmod(0o600)
    assert on_machine(monkeypatch)["config.json"].ok
    monkeypatch.setattr(doctor, "PACKAGES", ("esptool", "no-such-package"))
    assert on_machine(monkeypatch)["packages"].remedy == "`make venv` (no-such-package missing)"
    run = copepod("doctor")
    assert run.returncode == 1
    assert "see the lines marked BAD" in run.stderr


def test_permissions_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(serial_io.UserError, match="usermod -aG"):
        serial_io.check_access(str(device))


@pytest.mark.timeout(150)  # a dozen calls of mpremote
def test_a_board_with_and_without_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "board"
    with PtyBoard(folder, boots=False) as board:
        board.wait_for(b">>> ")
        found = {check.name: check for check in doctor.board(board.port)}
        assert found["firmware"].ok
        assert found["app"] == Check("app", False, "not there", "`make deploy`")
        assert found["config.json"].ok is False
        assert found["clock"].ok
        assert found["GC heap"].ok
        board.wait_until(lambda: board.log.endswith(b">>> "))
        app = app_files.app()
        for path, data in app_files.with_config(app, b"{}").items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        (folder / "bot.py.before-live").write_text("# the owner's own\n")
        run = copepod("doctor", "--port", board.port)
        assert "that of this tree" in run.stdout
        assert "bot.py.before-live put back" in run.stdout
        assert (folder / "bot.py").read_text() == "# the owner's own\n"
        assert "model.der" not in run.stdout
        (folder / app_files.NOTE).write_bytes(app_files.note({**app, "main.py": b"older"}))
        (folder / "config.json").write_text('{"tls": {"model_ca": "model.der"}}')
        board.wait_until(lambda: board.log.endswith(b">>> "))
        found = {check.name: check for check in doctor.board(board.port)}
        assert found["app"].found == "1 files differ from this tree"
        assert (found["model.der"].ok, found["model.der"].found) == (False, "missing on the board")
        (folder / "model.der").write_bytes(b"a root")
        monkeypatch.setattr(doctor, "CONFIG_FILE", tmp_path / "config.json")
        board.wait_until(lambda: board.log.endswith(b">>> "))
        found = {check.name: check for check in doctor.board(board.port)}
        assert found["model.der"].ok is None
        for data, said in ((b"a root", "the one that is here"), (b"other", "another root than")):
            (tmp_path / "model.der").write_bytes(data)
            digest = app_files.file_hash(b"a root")
            assert doctor._root("model.der", digest).found.startswith(said)


def test_a_board_that_is_an_esp32() -> None:
    """What the real one would answer, without the hardware: heap and clock are judged by it."""
    answer = {
        "version": "1.29.0", "machine": "ESP32C3 module with ESP32C3", "day": 10957,
        "free": 150_000, "used": 4_000, "files": {"main.py": 1}, "space": [2_000_000, 30_000],
        "note": None, "roots": {}, "idf": [[180_000, 95_000, 32_768], [8_000, 7_000, 7_000]], "mpy": 6,
    }  # fmt: skip
    found = {check.name: check for check in doctor._judge(answer)}
    assert found["clock"].ok is None
    assert found["GC heap"].found == "117,232 B free"  # mem_free() less the IDF block in it
    assert found["IDF heap"].ok is False
    assert "largest block 32,768 B" in found["IDF heap"].found
    assert found["file system"].ok is False
    assert found["app"].found == "there is a main.py, but not put there by these tools"
    old = {check.name: check for check in doctor._judge({**answer, "version": "1.22.0", "mpy": 5})}
    assert old["firmware"].ok is False
    assert old[".mpy"].ok is False


def test_no_such_port() -> None:
    run = copepod("doctor", "--port", "/dev/ttyNONE")
    assert run.returncode == 1
    assert "/dev/ttyNONE does not exist" in run.stderr
