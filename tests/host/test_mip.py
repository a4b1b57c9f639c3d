"""package.json: complete, and installable with the real mpremote."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

from command_line import copepod
from pty_board import PtyBoard

from host_tools import build, mip
from host_tools.build import FIRMWARE, ROOT


def test_every_device_file_is_listed() -> None:
    """A file added to firmware/ and not to package.json is found here; `copepod mip` mends it."""
    assert mip.stale() == [], "run `copepod mip`"
    urls = dict(json.loads(mip.PACKAGE.read_text())["urls"])
    for path in build.sources():
        name = path.relative_to(FIRMWARE).as_posix()
        assert (ROOT / urls[name]).read_bytes() == path.read_bytes()
    assert set(urls) >= {"main.py", "bot.py", mip.ROOTS_ON_BOARD}
    assert all((ROOT / path).is_file() for path in urls.values())


def test_the_roots_are_those_of_the_build() -> None:
    assert runpy.run_path(str(mip.ROOTS))["DER"] == tuple(build.bundled_roots())


def test_check_says_what_is_stale(tmp_path: Path, monkeypatch) -> None:
    assert copepod("mip", "--check").returncode == 0
    old = tmp_path / "package.json"
    old.write_text("{}")
    monkeypatch.setattr(mip, "PACKAGE", old)
    monkeypatch.setattr(mip, "ROOT", ROOT)
    names = [path.name for path in mip.stale()]
    assert names == ["package.json"]


def test_mip_installs_and_the_gateway_starts(tmp_path: Path) -> None:
    """On a board that has nothing: the files arrive, and what starts asks for its config."""
    with PtyBoard(tmp_path / "board", boots=False) as board:
        board.wait_for(b">>> ")
        command = [sys.executable, "-m", "mpremote", "connect", board.port, "resume", "mip"]
        command += ["install", "--target", ".", str(mip.PACKAGE)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=25, check=False)
        assert run.returncode == 0, run.stdout[-300:] + run.stderr
        files = board.files()
        for name, source in json.loads(mip.PACKAGE.read_text())["urls"]:
            assert files[name] == (ROOT / source).read_bytes()
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
