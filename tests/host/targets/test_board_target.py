"""Scenarios on a board: the real mpremote, a serial console, and MicroPython behind a pty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pty_board import PtyBoard

from host_tools import targets
from host_tools.app import app_files
from host_tools.console.frames import Event, Frame, parse
from host_tools.monitor import recording
from host_tools.scenarios import engine, scenario
from host_tools.targets import board as board_target
from host_tools.targets.target import Start

OWN = {
    "channels": {"telegram": {"token": "1:AAOwnOwnOwnOwnOwnOwnOwnOwnOwnOwnOwn"}},
    "wifi": {"ssid": "home", "password": "a secret of the house"},
}


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PtyBoard]:
    """A board that has been in use: the app, its owner's bot and config."""
    folder = tmp_path / "board"
    for path, data in app_files.app().items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    (folder / "bot.py").write_text("# the owner's own\n")
    (folder / "config.json").write_text(json.dumps(OWN))
    with PtyBoard(folder) as it:
        monkeypatch.setenv("PORT", it.port)
        yield it


@pytest.mark.timeout(150)  # several processes, on a machine that may be busy
def test_a_scenario_gives_the_same_verdict_and_leaves_no_trace(
    board: PtyBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "run.jsonl"
    monkeypatch.setenv("RECORD", str(record))
    before = board.files()
    plan = scenario.load("live")
    plan.messages.count = 20
    plan.device.heap = None
    start = len(board.log)
    result = engine.run(plan, targets.get("board"), tmp_path)
    assert result.ok, "\n".join(f"{row.label}: {row.value}" for row in result.failures)
    assert result.tally.sent == 20
    after = board.files()
    for name in ("config.json", "bot.py", "main.py"):
        assert after[name] == before[name]
    assert not [path for path in after if board_target.ASIDE in path or path.startswith(".")]
    assert "roots.der" not in after
    # the recording holds what the device sent, frame for frame
    lines = board.log[start:].decode("utf-8", "replace").splitlines()
    sent = [line[line.index("@cp1") :] for line in lines if "@cp1" in line]
    run = sent[next(i for i, line in enumerate(sent) if " baseline " in line) - 1 :]
    kept = [entry.line for entry in recording.read(record) if entry.line.startswith("@cp1")]
    assert len(kept) > 8
    assert kept == run[: len(kept)]
    assert all(isinstance(parse(line), (Frame, Event)) for line in kept)


def test_a_run_that_was_cut_off_is_put_right(board: PtyBoard) -> None:
    """The host died while the test's files were in place."""
    folder = board.folder
    (folder / "config.json").rename(folder / f"config.json{board_target.ASIDE}")
    (folder / "config.json").write_text("{}")
    board_target.restore(board_target.Remote(board.port), [])
    assert json.loads((folder / "config.json").read_text()) == OWN
    assert not (folder / f"config.json{board_target.ASIDE}").exists()


def test_the_board_is_asked_what_it_is(board: PtyBoard) -> None:
    said = targets.get("board").interpreter()
    assert "linux" in said
    assert board.port in said


def test_where_the_simulator_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_target, "own_address", lambda: "192.168.1.7")
    monkeypatch.setattr(board_target.serial_io, "check_access", lambda device: None)
    target = board_target.BoardTarget()
    monkeypatch.setenv("PORT", "/dev/ttyUSB0")
    assert (target.address, target.listen) == ("192.168.1.7", "192.168.1.7")
    monkeypatch.setenv("PORT", "/dev/pts/3")
    assert (target.address, target.listen) == ("localhost", "127.0.0.1")
    monkeypatch.setenv("ADDRESS", "10.0.0.2")
    monkeypatch.setenv("PORT", "/dev/ttyUSB0")
    assert (target.address, target.listen) == ("10.0.0.2", "10.0.0.2")


def test_a_program_in_the_gateways_place(board: PtyBoard, tmp_path: Path) -> None:
    """What the benchmarks do: their own module runs, its end is the end, and all is put back."""
    before = board.files()
    device = targets.get("board").start(
        Start(
            {"channels": {}},
            workdir=tmp_path,
            files={"tool.py": b"def main():\n    print('the tool runs')\n"},
            pre="import tool\ntool.main()\nraise SystemExit(0)",
        )
    )
    assert device.wait(lambda: device.ended, 10), device.text()
    assert device.stop() == 0
    assert device.find("the tool runs")
    after = board.files()
    after.pop("config.json.state")
    assert {path: before[path] for path in after} == after
