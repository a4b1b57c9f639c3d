"""`copepod new`: the folder that it makes passes its own test, by its Makefile and by its workflow."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from command_line import copepod

from host_tools.paths import ROOT
from host_tools.starting import command

OF_MAKE = ("ARGS", "BOT", "TARGETS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
CLEAN = {k: v for k, v in os.environ.items() if k not in OF_MAKE}


def shell(command: str, folder: Path) -> str:
    """Run a line in that folder, as CI does; returns what it says."""
    run = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        capture_output=True,
        text=True,
        env=CLEAN,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_a_new_bot_passes_its_own_test(tmp_path: Path) -> None:
    folder = tmp_path / "my bot"
    run = copepod("new", folder, "--url", "https://example.org/copepod.git")
    assert run.returncode == 0, run.stderr
    assert "1 passed" in shell("make test", folder)
    workflow = yaml.safe_load((folder / ".github/workflows/test.yml").read_text())
    clone, *rest = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert clone == 'git clone --depth 1 "https://example.org/copepod.git" .copepod'
    (folder / ".copepod").symlink_to(ROOT)  # what a clone of it would be
    assert [shell(line, folder) for line in rest][-1].count("1 passed") == 1
    again = copepod("new", folder)
    assert again.returncode == 1
    assert again.stderr.endswith("bot.py is there already\n")


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://ada:secret@example.org/x.git", "https://example.org/x.git"),
        ("/somewhere/on/this/disk", None),
        ("", None),
    ],
)
def test_only_an_address_that_others_reach(
    origin: str, shown: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.CompletedProcess([], 0, origin + "\n", "")
    monkeypatch.setattr(command.subprocess, "run", lambda *args, **more: done)
    assert command.address() == shown
