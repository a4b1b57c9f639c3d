"""The compiled tree: made once for these sources, left alone while it is up to date, few of the old ones kept."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from click.testing import CliRunner

from host_tools.app import build, tree
from host_tools.errors import UserError


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was compiled, in a build folder of the test's own; the sources are a word in `digest`."""
    made: list[Path] = []

    def write(folder: Path) -> None:
        made.append(folder)
        for name in ("mpy/copepod", "bench", "source"):
            (folder / name).mkdir(parents=True)

    monkeypatch.setattr(tree, "BUILD", tmp_path / "build")
    monkeypatch.setattr(tree, "MPY", tmp_path / "build/mpy")
    monkeypatch.setattr(tree, "ROOT", tmp_path)
    monkeypatch.setattr(build, "write", write)
    monkeypatch.setattr(build, "digest", lambda: "first")
    return made


def test_a_tree_is_made_once_and_others_beside_it(
    compiled: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tree.app_tree()
    assert sorted(path.name for path in first.iterdir()) == ["bot.py", "copepod", "main.py"]
    assert tree.benches(first).is_dir()
    assert tree.app_tree() == first
    assert len(compiled) == 1
    monkeypatch.setattr(build, "digest", lambda: "second")
    assert tree.app_tree() != first
    assert first.is_dir()
    assert len(compiled) == 2


def test_of_the_old_ones_those_stay_that_were_used_last(
    compiled: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for number in range(tree.KEEP + 2):
        monkeypatch.setattr(build, "digest", lambda number=number: f"digest {number}")
        made.append(tree.app_tree())
        os.utime(made[-1].parents[1], (number, number))  # as if each had been used a second later
        if number == tree.KEEP:
            monkeypatch.setattr(build, "digest", lambda: "digest 0")
            tree.app_tree()  # the oldest, now
    assert [path.is_dir() for path in made] == [True, False, *[True] * tree.KEEP]


def test_build_leaves_a_tree_alone_that_is_up_to_date(
    compiled: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> Path:
        done = CliRunner().invoke(tree.build_command)
        assert done.exit_code == 0, done.output
        assert done.output.startswith("build/mpy: 2 files, ")
        return tree.MPY

    (run() / "mark").mkdir()
    assert (run() / "mark").is_dir()
    monkeypatch.setattr(build, "digest", lambda: "second")
    assert not (run() / "mark").exists()


def test_what_can_not_be_compiled_leaves_nothing_behind(
    compiled: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        raise UserError("copepod/bus.py:1: no")

    write = build.write
    monkeypatch.setattr(build, "write", fail)
    with pytest.raises(UserError):
        tree.app_tree()
    monkeypatch.setattr(build, "write", write)
    assert tree.app_tree().is_dir()


def test_the_root_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=build.root())
    (found,) = context.get_ca_certs()
    assert (("commonName", build.ROOT),) in found["subject"]
    assert found["subject"] == found["issuer"]
    monkeypatch.setattr(build, "ROOT", "Nobody's Root")
    with pytest.raises(UserError, match="no root named"):
        build.root()
