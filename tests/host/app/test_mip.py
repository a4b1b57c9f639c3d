"""`copepod mip`: complete, committed as a branch of its own, and installable with the real mpremote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pty_board import PtyBoard

from host_tools.app import mip
from host_tools.app.tree import app_tree
from host_tools.board import littlefs_image
from host_tools.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mip") / "mip"
    mip.write(place)
    return place


def test_every_file_of_the_tree_is_listed_and_there(folder: Path) -> None:
    tree = littlefs_image.read_tree(app_tree())
    urls = dict(json.loads((folder / mip.PACKAGE).read_text())["urls"])
    assert set(urls) == set(tree)
    assert all((folder / url).read_bytes() == tree[path] for path, url in urls.items())
    sources = {path for path in urls if path.endswith(".py")}
    assert sources == {"main.py", "bot.py"}  # what a board would have to compile


def test_a_release_is_a_branch_with_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    monkeypatch.setattr(mip, "ROOT", repository)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "crab")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "crab@example.org")

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(repository), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    git("init", "-q", "-b", "main")
    (repository / "source.py").write_text("")
    git("add", "source.py")
    git("commit", "-qm", "Begin.")
    mip.commit(folder, "mip")
    (folder / "copepod" / "gone.mpy").touch()
    mip.commit(folder, "mip")
    (folder / "copepod" / "gone.mpy").unlink()
    mip.commit(folder, "mip")  # again: what is gone is gone there, too
    there = set(git("ls-tree", "-r", "--name-only", "mip").split())
    assert there == {mip.PACKAGE, *littlefs_image.read_tree(app_tree())}
    assert git("log", "--format=%s", "mip").startswith("Compiled from ")
    assert git("status", "--porcelain") == ""  # the work tree and its index are left alone
    monkeypatch.setattr(mip, "ROOT", tmp_path)
    with pytest.raises(UserError, match="git read-tree: .*not a git repository"):
        mip.commit(folder, "mip")


def test_mip_installs_and_the_gateway_starts(folder: Path, tmp_path: Path) -> None:
    """On a board that has nothing: the files arrive, and what starts asks for its config."""
    with PtyBoard(tmp_path / "board", boots=False) as board:
        board.wait_for(b">>> ")
        command = [sys.executable, "-m", "mpremote", "connect", board.port, "resume", "mip"]
        command += ["install", "--target", ".", str(folder / mip.PACKAGE)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=25, check=False)
        assert run.returncode == 0, run.stdout[-300:] + run.stderr
        files = board.files()
        for name, data in littlefs_image.read_tree(app_tree()).items():
            assert files[name] == data
    script = "from copepod.startup import run; run('config.json')"
    run = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-X", "heapsize=256k", "-c", script],
        cwd=tmp_path / "board",
        env={"MICROPYPATH": ":.frozen"},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert "config: config.json: can't be read" in run.stdout
