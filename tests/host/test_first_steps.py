"""Commands as a newcomer types them: what is wrong is said in one line, and what is right works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import copepod

from host_tools.board import boards
from host_tools.simulator import Simulator
from host_tools.simulator.keyboard import act

COPEPOD = Path(sys.executable).with_name("copepod")
TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"


@pytest.mark.parametrize("place", ["/proc/x.json", "/proc/x/y.json", "/dev/null/x.json"])
def test_a_config_that_can_not_be_written_is_one_line(place):
    run = copepod("config", "--config", place, "--token", TOKEN, "--no-input", "--offline")
    assert run.returncode == 1
    assert len(run.stderr.strip().splitlines()) == 1
    assert run.stderr.startswith(f"copepod: {place}")
    assert TOKEN not in run.stderr


def test_a_folder_called_like_the_package_takes_no_part(tmp_path):
    """From the folder above a clone `copepod` is the clone, and MicroPython looks there first."""
    (tmp_path / "copepod").mkdir()
    (tmp_path / "copepod" / "__init__.py").write_text("raise OSError('the wrong one')\n")
    (tmp_path / "json.py").write_text("raise OSError('the wrong one')\n")
    run = subprocess.run(
        [COPEPOD, "format"],
        input='{"id": 1, "markdown": "*x*"}\n',
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {"id": 1, "messages": ["<i>x</i>"]}
    arguments = ["--config", "mine.json", "--token", TOKEN, "--no-input", "--offline"]
    run = subprocess.run(
        [COPEPOD, "config", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_a_formatter_that_ends_is_an_error(tmp_path):
    """Its traceback is no answer."""
    broken = tmp_path / "micropython"
    broken.write_text("#!/bin/sh\necho 'Traceback (most recent call last):'\necho 'OSError: 2'\n")
    broken.chmod(0o755)
    jobs = tmp_path / "jobs"
    jobs.write_text('{"id": 1, "markdown": "*x*"}\n')
    run = copepod("format", "--interpreter", broken, jobs)
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.endswith("ended in the middle: OSError: 2\n")


def test_markdown_from_standard_input_is_shown():
    run = subprocess.run(
        [COPEPOD, "format", "--show", "-"],
        input="**bold**",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "bold" in run.stdout


@pytest.mark.parametrize("columns", ["40", "80"])
def test_the_names_of_boards_are_whole(columns):
    run = subprocess.run(
        [COPEPOD, "boards"],
        env=os.environ | {"COLUMNS": columns},
        capture_output=True,
        text=True,
        check=False,
    )
    for name in boards.all_boards():
        assert any(line.split()[0] == name for line in run.stdout.splitlines() if line.strip())


def test_an_unknown_word_is_said_to_be_unknown():
    with Simulator(tls=False) as sim:
        assert act(sim, "!bogus") == "no !bogus: !help lists what there is"
        assert act(sim, "!b\x1b[2J") == "no !b\\x1b[2J: !help lists what there is"


def test_no_messages_are_no_test():
    run = copepod("live", "--messages", "0")
    assert run.returncode == 2
    assert "0 is not in the range" in run.stderr
