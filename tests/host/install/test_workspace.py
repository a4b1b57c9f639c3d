"""The workspace on its way to a board: what goes there, and that nothing that is newer there is lost."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asked import TOKEN, no_variables  # noqa: F401
from command_line import Run, copepod
from pty_board import PtyBoard

from host_tools.app import app_files
from host_tools.board import boards, littlefs_image
from host_tools.errors import UserError
from host_tools.install import deploy_linux, remote, workspace

SESSION = "sessions/telegram_42.jsonl"
META = "sessions/telegram_42.meta.json"
FILES = {
    "AGENT.md": "You are Pico.\n",
    "memory/MEMORY.md": "- The key is under the mat.\n",
    SESSION: '{"role":"user","content":"hello"}\n',
    META: '{"summary":"","skip":0}',
}
MAIN = "import time\nprint('app runs')\nwhile True: time.sleep_ms(50)\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A config with a workspace and a model's root beside it."""
    made = tmp_path / "here/config.json"
    entry = {"model": "m", "api_base": "https://h.example/v1"}
    config = {"channels": {"telegram": {"token": TOKEN}}, "model_list": [entry]}
    write(made.parent / "workspace", {**FILES, "state/usage.json": "{}", ".hidden": "x"})
    made.write_text(json.dumps({**config, "tls": {"model_ca": "model.der"}}))
    made.with_name("model.der").write_bytes(b"a root")
    return made


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PtyBoard]:
    folder = tmp_path / "board"
    files = {"main.py": MAIN.encode(), "bot.py": b"# yours\n"}
    monkeypatch.setattr(app_files, "app", lambda: dict(files))
    write(folder, {"main.py": MAIN, "bot.py": "# yours\n", "config.json": "{}"})
    (folder / app_files.NOTE).write_bytes(app_files.note(files))
    with PtyBoard(folder) as made:
        made.wait_for(b"app runs")
        yield made


def deploy(board: PtyBoard, path: Path, *more: object) -> Run:
    return copepod("deploy", "--port", board.port, "--config", path, "--listen", 0, *more)


def on_board(folder: Path) -> dict[str, str]:
    """The workspace there, its note left out."""
    found = {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    assert found.pop(workspace.NOTE, "")
    return found


@pytest.mark.timeout(150)  # a dozen calls of mpremote
def test_what_is_newer_on_the_board_stays(board: PtyBoard, path: Path) -> None:
    there, here = board.folder / "workspace", path.parent / "workspace"
    run = deploy(board, path, "--dry-run")
    assert "send   AGENT.md of the workspace" in run.stdout
    assert not there.exists()
    run = deploy(board, path)
    assert run.returncode == 0, run.stderr
    assert on_board(there) == FILES
    assert not (board.folder / workspace.STAGE).exists()
    assert "Everything is up to date" in deploy(board, path).stdout
    # the gateway goes on with a conversation and notes something; here two files are edited
    with (there / SESSION).open("a") as file:
        file.write('{"role":"assistant","content":"hi"}\n')
    (there / "memory/MEMORY.md").write_text("- It is under the stone now.\n")
    write(here, {"AGENT.md": "You are Nano.\n", META: '{"summary":"x","skip":0}'})
    write(here, {"memory/MEMORY.md": "- It was sold.\n", "SOUL.md": "Calm.\n"})
    run = deploy(board, path)
    assert run.returncode == 0, run.stderr
    found = on_board(there)
    assert (found["AGENT.md"], found["SOUL.md"]) == ("You are Nano.\n", "Calm.\n")
    assert found["memory/MEMORY.md"] == "- It is under the stone now.\n"
    assert found[SESSION].endswith('"hi"}\n')
    assert found[META] == FILES[META]  # of a conversation that goes on there
    for name in ("memory/MEMORY.md", SESSION):
        assert f"workspace/{name} was changed on the board: what is there stays" in run.stdout
    board.wait_until(lambda: board.boots == 5)  # each run has started the app again


@pytest.mark.timeout(100)
def test_push_sends_the_root_and_the_workspace_too(board: PtyBoard, path: Path) -> None:
    run = copepod("config", "--config", path, "--push", "--port", board.port)
    assert run.returncode == 0, run.stderr
    assert (board.folder / "model.der").read_bytes() == b"a root"
    assert json.loads((board.folder / "config.json").read_text()) == json.loads(path.read_text())
    assert on_board(board.folder / "workspace") == FILES
    path.with_name("model.der").unlink()
    run = copepod("config", "--config", path, "--push", "--port", board.port)
    assert run.returncode == 1
    assert "model.der is missing: `make provision` finds it" in run.stderr


def test_a_file_damaged_on_the_way(
    board: PtyBoard, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = remote.Remote.put

    def damaged(self: remote.Remote, files: list[Path], folder: str) -> None:
        files[0].write_bytes(b"damaged")
        put(self, files, folder)

    monkeypatch.setattr(remote.Remote, "put", damaged)
    run = deploy(board, path)
    assert run.returncode == 1
    assert "AGENT.md arrived damaged; nothing was put in its place" in run.stderr
    assert not (board.folder / "workspace/AGENT.md").exists()
    monkeypatch.undo()


def test_a_new_board_s_file_system(path: Path) -> None:
    found = workspace.beside(path)
    assert found.pop("model.der") == b"a root"
    assert (
        workspace.parse_note(found.pop("workspace/state/deployed").decode()).keys() == FILES.keys()
    )
    assert found == {f"workspace/{name}": text.encode() for name, text in FILES.items()}
    # an absolute path is the board's; here it stands beside the config
    config = json.loads(path.read_text())
    config["agents"] = {"defaults": {"workspace": "/data/mind"}}
    path.write_text(json.dumps(config))
    assert "data/mind/AGENT.md" in workspace.beside(path)
    # a tool may have roots of its own
    config["tools"] = {"http_get": {"ca": "home.der"}}
    path.write_text(json.dumps(config))
    path.with_name("home.der").write_bytes(b"another")
    assert workspace.roots(path) == {"model.der": b"a root", "home.der": b"another"}
    path.with_name("model.der").unlink()
    with pytest.raises(UserError, match="model.der is missing"):
        workspace.beside(path)


def test_what_of_a_board_is_its_owner_s(path: Path) -> None:
    """What flash --keep-config puts back: read from an image as a board's flash has it."""
    files = {
        **app_files.with_config({"main.py": b"1"}, path.read_bytes()),
        **workspace.beside(path),
    }
    files["workspace/state/usage.json"] = b"{}"
    image = littlefs_image.build(files, 0x40000)
    found = littlefs_image.files(image, 0x40000)
    assert found == files
    kept = workspace.kept(found)
    assert files.keys() - kept.keys() == {"main.py", app_files.NOTE}


def test_a_linux_board(tmp_path: Path, path: Path) -> None:
    """The same rule, in its shell."""
    root = tmp_path / "linux"
    root.mkdir()
    binary = tmp_path / "micropython"
    binary.write_bytes(b"ELF")

    def install() -> str:
        archive = deploy_linux.package(
            boards.get("LINUX_RISCV64"), binary, {}, path.read_bytes(), path
        )
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            opened.extractall(root / ".new", filter="data")
        run = subprocess.run(
            ["sh", ".new/place.sh"], cwd=root, capture_output=True, text=True, check=True
        )
        return run.stdout + run.stderr

    assert install() == ""
    assert (root / "model.der").read_bytes() == b"a root"
    assert on_board(root / "workspace") == FILES
    assert install() == ""
    (root / "workspace" / META).write_text('{"summary":"newer","skip":0}')
    (root / "workspace/memory/MEMORY.md").unlink()
    here = path.parent / "workspace"
    write(here, {SESSION: "other\n", "AGENT.md": "You are Nano.\n", "a file's name": "x"})
    assert install().splitlines() == [
        f"{deploy_linux.KEPT}workspace/memory/MEMORY.md",
        f"{deploy_linux.KEPT}workspace/{SESSION}",
    ]
    found = on_board(root / "workspace")
    assert (found["AGENT.md"], found["a file's name"]) == ("You are Nano.\n", "x")
    assert (found[SESSION], found[META]) == (FILES[SESSION], '{"summary":"newer","skip":0}')
    assert "memory/MEMORY.md" not in found
    write(here, {"AGENT.md": "You are Pico again.\n"})
    install()
    assert on_board(root / "workspace")["AGENT.md"] == "You are Pico again.\n"


def changes(there: dict[str, str | None], deployed: dict[str, str]) -> tuple[list[str], list[str]]:
    ours = {name: text.encode() for name, text in FILES.items()}
    found = workspace.compare(ours, {name: there.get(name) for name in ours}, deployed)
    return sorted(found.send), found.kept


def test_what_is_compared() -> None:
    ours = {name: app_files.file_hash(text.encode()) for name, text in FILES.items()}
    make: Callable[..., dict[str, str]] = lambda **more: {**ours, **more}  # noqa: E731
    assert changes({}, {}) == (sorted(FILES), [])
    assert changes(make(), {}) == ([], [])
    assert changes(make(**{"AGENT.md": "old"}), make(**{"AGENT.md": "old"})) == (["AGENT.md"], [])
    assert changes(make(**{"AGENT.md": "new"}), make()) == ([], ["AGENT.md"])
    assert changes(make(**{"AGENT.md": "new"}), {}) == ([], ["AGENT.md"])  # of another machine
    assert changes({**make(), "AGENT.md": None}, make()) == ([], ["AGENT.md"])  # removed there
    assert changes({**make(), META: "new", SESSION: "old"}, make(**{SESSION: "old"})) == (
        [],
        [META],
    )
