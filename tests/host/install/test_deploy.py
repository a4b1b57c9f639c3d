"""Deploying with the real mpremote to MicroPython behind a pty, and what can go wrong there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Run, copepod
from pty_board import PtyBoard

from host_tools.app import app_files
from host_tools.app.app_files import CONFIG, NOTE
from host_tools.errors import UserError
from host_tools.install import deploy, remote

# An app that is one file of MicroPython and says which one it is.
MAIN = """
import time
from app import version
print("app", version, "runs")
try:
    while True:
        time.sleep_ms(20)
except KeyboardInterrupt:
    print("app stopped")
"""


def app(version: int, **more: str) -> dict[str, bytes]:
    files = {"main.py": MAIN, "app/version.py": f"number = {version}\n", "bot.py": "# yours\n"}
    files["app/__init__.py"] = f"version = {version}\n"
    files.update({name.replace("__", "/") + ".py": text for name, text in more.items()})
    return {path: text.encode() for path, text in files.items()}


@pytest.fixture
def ship(monkeypatch: pytest.MonkeyPatch) -> object:
    """Set what a deployment would send."""

    def use(files: dict[str, bytes]) -> dict[str, bytes]:
        monkeypatch.setattr(app_files, "app", lambda: dict(files))
        return files

    return use


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    """A board with version 1 on it, put there by a deployment, and a config of its own."""
    folder = tmp_path / "board"
    folder.mkdir()
    for path, data in app(1).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / NOTE).write_bytes(app_files.note(app(1)))
    (folder / CONFIG).write_text("{}")
    with PtyBoard(folder) as board:
        board.wait_for(b"app 1 runs")
        yield board


def run(board: PtyBoard, *more: object) -> Run:
    return copepod("deploy", "--port", board.port, "--listen", 0, *more)


def on_board(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, NOTE: app_files.note(files), CONFIG: b"{}"}


@pytest.mark.timeout(150)  # a dozen calls of mpremote
def test_only_what_changed_is_sent_and_what_is_gone_is_removed(board: PtyBoard, ship) -> None:
    first = ship(app(1, app__old="x = 1\n", lib__util="y = 2\n"))
    result = run(board)
    assert result.returncode == 0, result.stderr
    assert board.files() == on_board(first)
    second = ship(app(2, lib__util="y = 2\n"))
    start = len(board.log)
    result = run(board)
    assert result.returncode == 0, result.stderr
    assert board.files() == on_board(second)
    sent = [
        line.split()[1].rstrip(",") for line in result.stdout.splitlines() if "  send " in line
    ]
    assert sorted(sent) == ["app/__init__.py", "app/version.py"]
    assert "remove app/old.py" in result.stdout
    board.wait_for(b"app 2 runs", start=start)


def test_nothing_changed_nothing_sent(board: PtyBoard, ship) -> None:
    ship(app(1))
    before = {path: path.stat().st_mtime_ns for path in board.folder.rglob("*.py")}
    start = len(board.log)
    result = run(board)
    assert result.returncode == 0, result.stderr
    assert "up to date" in result.stdout
    assert {path: path.stat().st_mtime_ns for path in board.folder.rglob("*.py")} == before
    board.wait_for(b"app 1 runs", start=start)  # asking had interrupted it


@pytest.mark.timeout(150)  # a dozen calls of mpremote
def test_a_bot_edited_on_the_board_stays(board: PtyBoard, ship) -> None:
    (board.folder / "bot.py").write_text("# edited here\n")
    ship(app(2) | {"bot.py": b"# ours, newer\n"})
    result = run(board)
    assert result.returncode == 0, result.stderr
    assert "bot.py was edited on the board, or sent to the bot, and stays" in result.stdout
    assert board.files()["bot.py"] == b"# edited here\n"
    assert board.files()["app/version.py"] == b"number = 2\n"
    again = run(board)
    assert "bot.py was edited" in again.stdout
    assert board.files()["bot.py"] == b"# edited here\n"
    replaced = run(board, "--replace")
    assert replaced.returncode == 0, replaced.stderr
    assert board.files()["bot.py"] == b"# ours, newer\n"


@pytest.mark.timeout(150)  # a dozen calls of mpremote
def test_a_bot_that_was_sent_to_the_bot_is_dropped_knowingly(board: PtyBoard, ship) -> None:
    trial = board.folder / app_files.TRIED
    trial.parent.mkdir()
    trial.write_text("# sent\n")
    ship(app(1))
    result = run(board)
    assert "is being tried there: the trial goes on" in result.stdout, result.stderr
    assert trial.exists()
    ship(app(2))  # with the same bot.py
    result = run(board)
    assert "is being tried there: the trial goes on" in result.stdout, result.stderr
    assert trial.exists()
    newer = ship(app(2) | {"bot.py": b"# ours, newer\n"})
    result = run(board)
    assert f"remove {app_files.TRIED}" in result.stdout, result.stderr
    assert board.files() == on_board(newer)
    (board.folder / "bot.py").write_text("# kept\n")  # once the gateway has kept it
    result = run(board)
    assert "bot.py was edited on the board, or sent to the bot, and stays" in result.stdout
    assert board.files()["bot.py"] == b"# kept\n"


def test_a_failure_while_sending_leaves_the_old_app_running(
    board: PtyBoard, ship, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = board.files()
    put = remote.Remote.put

    def half(self: remote.Remote, files: list[Path], folder: str) -> None:
        put(self, files[: len(files) // 2], folder)
        raise UserError("the port vanished")

    monkeypatch.setattr(remote.Remote, "put", half)
    ship(app(2))
    start = len(board.log)
    result = run(board)
    assert result.returncode == 1
    assert result.stderr == "copepod: the port vanished; the old app is untouched\n"
    board.wait_for(b"app 1 runs", start=start)
    staged = {path: data for path, data in board.files().items() if path not in before}
    assert all(path.startswith(deploy.STAGE + "/") for path in staged)
    assert {path: board.files()[path] for path in before} == before
    monkeypatch.undo()
    ship(app(2))
    assert run(board).returncode == 0  # and what was left over does not stand in the way
    assert board.files() == on_board(app(2))


def test_a_file_damaged_on_the_way_is_not_put_in_place(
    board: PtyBoard, ship, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = board.files()
    put = remote.Remote.put

    def damaged(self: remote.Remote, files: list[Path], folder: str) -> None:
        put(self, files, folder)
        victim = board.folder / folder / files[0].name
        victim.write_bytes(victim.read_bytes()[:-1] + b"?")

    monkeypatch.setattr(remote.Remote, "put", damaged)
    ship(app(2))
    start = len(board.log)
    result = run(board)
    assert result.returncode == 1
    assert "arrived damaged; the old app is untouched" in result.stderr
    assert {path: board.files()[path] for path in before} == before
    board.wait_for(b"app 1 runs", start=start)


def test_a_power_cut_while_sending(board: PtyBoard, ship, monkeypatch: pytest.MonkeyPatch) -> None:
    put = remote.Remote.put
    before = board.files()

    def cut(self: remote.Remote, files: list[Path], folder: str) -> None:
        put(self, files[:1], folder)
        board.power_cut()
        board.wait_for(b"app 1 runs", start=len(board.log))
        raise UserError("the port vanished")

    monkeypatch.setattr(remote.Remote, "put", cut)
    ship(app(2))
    assert run(board).returncode == 1
    assert {path: board.files()[path] for path in before} == before


# The third rename is the one at which the power goes.
GONE = """
count = [0]
def rename(old, new):
    count[0] += 1
    if count[0] == 3:
        raise RuntimeError("the power is gone")
    os.rename(old, new)
"""


@pytest.mark.parametrize("own", [None, b"# the owner's\n"])
def test_a_power_cut_while_renaming_is_finished_at_the_next_start(
    board: PtyBoard, ship, monkeypatch: pytest.MonkeyPatch, own: bytes | None
) -> None:
    """Half of the files are new, half old: boot.py goes on with it before the app is imported."""
    if own:
        (board.folder / "boot.py").write_bytes(own)
    renames = "exec(f.read().replace('os.rename(', 'rename('))"
    assert "exec(f.read())" in deploy.COMMIT
    monkeypatch.setattr(deploy, "COMMIT", GONE + deploy.COMMIT.replace("exec(f.read())", renames))
    monkeypatch.setattr(remote.Remote, "reset_quietly", lambda self: board.power_cut())
    files = ship(app(2, app__new="x = 1\n"))
    start = len(board.log)
    result = run(board)
    assert result.returncode == 1
    assert "the board finishes it at its next start" in result.stderr
    board.wait_for(b"app 2 runs", start=start)
    expected = on_board(files) | ({"boot.py": own} if own else {})
    assert board.files() == expected


def test_dry_run_changes_nothing(board: PtyBoard, ship) -> None:
    before = board.files()
    ship(app(2))
    result = run(board, "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "send   app/version.py" in result.stdout
    assert "Nothing was sent." in result.stdout
    assert board.files() == before


@pytest.mark.timeout(150)  # a dozen calls of mpremote
def test_the_real_app_deploys_to_an_empty_board_and_starts(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    with PtyBoard(folder, boots=False) as board:
        board.wait_for(b">>> ")
        result = run(board)
        assert result.returncode == 0, result.stderr
        assert "no config.json on the board" in result.stdout
        found = board.files()
        note = app_files.parse_note(found.pop(NOTE))
    assert {path: app_files.file_hash(data) for path, data in found.items()} == note
    assert {"main.py", "bot.py", "copepod/__init__.mpy"} <= set(note)


def test_nobody_at_the_port() -> None:
    result = copepod("deploy", "--port", "/dev/ttyNONE", "--listen", 0)
    assert result.returncode == 1
    assert result.stderr.startswith("copepod: /dev/ttyNONE does not exist")


def test_the_note_speaks_of_no_config() -> None:
    found = json.loads(app_files.note(app(1) | {CONFIG: b"secret", NOTE: b"x"}))
    assert set(found["files"]) == set(app(1))


def test_what_is_compared() -> None:
    ours, theirs = app(2), {path: app_files.file_hash(data) for path, data in app(1).items()}
    note = dict(theirs, **{"gone.py": "aa", "mine.py": "bb"})
    found = dict(theirs, **{"gone.py": "aa", "mine.py": "other"})
    changes = deploy.compare(ours, found, note, replace=False)
    assert set(changes.send) == {"app/__init__.py", "app/version.py"}
    assert changes.remove == ["gone.py"]
    assert changes.kept == ["mine.py"]
