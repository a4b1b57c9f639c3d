"""The examples of docs/contributing.md work as they stand there, applied to a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from host_tools.paths import ROOT

PAGE = ROOT / "docs/contributing.md"
SECTION = re.compile(r"(?m)^## ")
BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
LEFT_OUT = {".git", ".venv", "build", "results", "typings", "plots", "__pycache__"}


class Example(NamedTuple):
    """One section: a patch for the tests, one for the code, and what shows that they fit."""

    title: str
    tests: str
    code: str
    commands: list[str]


def examples() -> list[Example]:
    found = []
    for section in SECTION.split(PAGE.read_text())[1:]:
        blocks = BLOCK.findall(section)
        patches = [text for kind, text in blocks if kind == "diff"]
        if patches:
            tests, code = patches
            (commands,) = [text.splitlines() for kind, text in blocks if kind == "sh"]
            found.append(Example(section.splitlines()[0], tests, code, commands))
    return found


EXAMPLES = examples()


def copied(folder: Path) -> Path:
    """The tree as one has it after a clone, with the interpreters that are built already."""
    place = folder / "tree"
    shutil.copytree(ROOT, place, ignore=lambda _, names: LEFT_OUT & set(names))
    (place / "build").mkdir()
    toolchain = ROOT / "build/toolchain"
    if toolchain.exists():
        (place / "build/toolchain").symlink_to(toolchain.resolve())
    return place


def apply(tree: Path, patch: str) -> None:
    run = subprocess.run(
        ["git", "apply", "-"], input=patch, cwd=tree, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"the example does not fit any more: {run.stderr}"


def fails(tree: Path, command: str) -> str:
    """What a command says if it fails, else ""."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=tree,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{command}: {run.stdout[-2000:]} {run.stderr[-2000:]}" if run.returncode else ""


def test_there_are_three() -> None:
    assert [example.title for example in EXAMPLES] == [
        "A field in the telemetry",
        "A rule for the formatter",
        "A fault in the simulator",
    ]
    for example in EXAMPLES:
        changed = re.findall(r"(?m)^[+-](?![+-]{2} )", example.tests + example.code)
        assert len(changed) <= 25, f"{example.title}: an example of about twenty lines"


@pytest.mark.timeout(120)  # several processes, on a machine that may be busy
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_an_example_works_as_it_stands(example: Example, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    apply(tree, example.tests)
    assert any(fails(tree, command) for command in example.commands), "the test alone must fail"
    apply(tree, example.code)
    for command in example.commands:
        assert not (told := fails(tree, command)), told
