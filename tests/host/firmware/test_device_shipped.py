"""Every device test file, run under the MicroPython of each target in $TARGETS on the tree that a board gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_device import DEVICE, FILES, run_file, slower, wanted

from host_tools.app import build
from host_tools.app.tree import app_tree
from host_tools.paths import ROOT


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tests/device/ as it imports from the tree that a board gets: see link.py."""
    place = tmp_path_factory.mktemp("shipped")
    paths = [*FILES, DEVICE / "run.py", *(DEVICE / "fakes").rglob("*.py")]
    tests = {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}
    linked = build.application(tests)
    for name in tests:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(linked[name])
    return place


@pytest.mark.parametrize("target", [slower(target) for target in wanted()])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_on_the_tree_that_a_board_gets(path: Path, target: str, shipped: Path) -> None:
    run_file(path, target, shipped, app_tree())
