"""What the sources promise about themselves: each constant stands once, the build stays small."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from host_tools.build import FIRMWARE, ROOT

# Everything that makes the tree which a board gets, and what is made of it.
BUILD = ("build", "link", "mip", "app_files")
BUILD_LINES = 500
LINKER_LINES = 170

# Still to be reworked; nothing may be added.
TO_REWORK = ("copepod/text/",)


def constants(path: Path) -> dict[str, str]:
    """The const() names of a device file, and what they are."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            function, arguments = node.value.func, node.value.args
            if isinstance(function, ast.Name) and function.id == "const":
                for target in node.targets:
                    found[ast.unparse(target)] = ast.unparse(arguments[0])
    return found


def test_no_constant_stands_in_two_device_files() -> None:
    places = defaultdict(list)
    for path in sorted((FIRMWARE / "copepod").rglob("*.py")):
        name = path.relative_to(FIRMWARE).as_posix()
        if not name.startswith(TO_REWORK):
            for constant, value in constants(path).items():
                places[constant, value].append(name)
    twice = {f"{name} = const({value})": paths for (name, value), paths in places.items()}
    assert {text: paths for text, paths in twice.items() if len(paths) > 1} == {}


def test_what_builds_the_tree_stays_small() -> None:
    lines = {
        name: len((ROOT / f"host_tools/{name}.py").read_text().splitlines()) for name in BUILD
    }
    assert sum(lines.values()) <= BUILD_LINES, lines
    assert lines["link"] <= LINKER_LINES
