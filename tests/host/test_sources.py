"""What the sources promise about themselves: constants, imports, and how long files are."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from host_tools.paths import FIRMWARE, ROOT

# Everything that makes the tree which a board gets.
BUILD = ("build", "link", "names", "schemas", "tree")
BUILD_LINES = 642  # 500 were wanted; 446 without blank lines, comments and docstrings
LINKER_LINES = 175

FILE_LINES = 450

CIRCLES = (
    {"copepod.net.wait", "copepod.net.io_streams"},
    {"copepod.platform", "copepod.platform.esp32_seldom"},
    {
        "copepod.answers",
        "copepod.streams",
        "copepod.special",
        "copepod.editing",
    },  # three are seldom
    {  # the state loads them
        *("copepod.text.state", "copepod.text.blocks", "copepod.text.structure"),
        *("copepod.text.fences", "copepod.text.links", "copepod.text.tables"),
    },
)


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
    for path in sorted(FIRMWARE.rglob("*.py")):
        if "typings" not in path.parts:
            for constant, value in constants(path).items():
                places[constant, value].append(path.relative_to(FIRMWARE).as_posix())
    assert len(places) > 100
    twice = {f"{name} = const({value})": paths for (name, value), paths in places.items()}
    assert {text: paths for text, paths in twice.items() if len(paths) > 1} == {}


def imports(package: Path) -> dict[str, set[str]]:
    """Which modules of a package each of them imports, inside of functions, too; not what is there for types alone."""
    paths = {}
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package.parent).as_posix().removesuffix(".py").replace("/", ".")
        paths[name.removesuffix(".__init__")] = path
    found: dict[str, set[str]] = {name: set() for name in paths}
    for name, path in paths.items():
        waiting: list[ast.AST] = [ast.parse(path.read_text())]
        while waiting:
            node = waiting.pop()
            if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
                waiting += ast.iter_child_nodes(node)
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names} & paths.keys()
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parts = [*path.relative_to(package.parent).parts[: -node.level], base]
                    base = ".".join(part for part in parts if part)
                for alias in node.names:
                    whole = f"{base}.{alias.name}"
                    found[name] |= {whole if whole in paths else base} & paths.keys()
        found[name].discard(name)
    return found


@pytest.mark.parametrize("package", [FIRMWARE / "copepod", ROOT / "host_tools"])
def test_imports_go_in_no_circle(package: Path) -> None:
    graph = imports(package)
    for circle in CIRCLES:
        for name in circle & graph.keys():
            graph[name] -= circle
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_rooms_are_in_floors() -> None:
    """The folders of host_tools import each other in no circle, either."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for name, found in imports(ROOT / "host_tools").items():
        for imported in found:
            here, there = name.split(".")[1:2], imported.split(".")[1:2]
            if here != there and here != ["cli"]:
                rooms[".".join(here)].add(".".join(there))
    try:
        TopologicalSorter(rooms).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_file_is_longer_than_one_can_read() -> None:
    folders = (FIRMWARE / "copepod", FIRMWARE / "bench", ROOT / "host_tools", ROOT / "tests")
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    lines = {p.relative_to(ROOT).as_posix(): len(p.read_text().splitlines()) for p in paths}
    assert {name: count for name, count in lines.items() if count > FILE_LINES} == {}


def test_what_builds_the_tree_stays_small() -> None:
    lines = {
        name: len((ROOT / f"host_tools/app/{name}.py").read_text().splitlines()) for name in BUILD
    }
    assert sum(lines.values()) <= BUILD_LINES, lines
    assert lines["link"] <= LINKER_LINES


def test_a_loop_without_end_keeps_no_module_that_it_drops() -> None:
    """What a coroutine has a name for is never collected: a module of the firmware is let go of after its use."""
    kept = []
    for path in sorted((FIRMWARE / "copepod").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            if not any(isinstance(node, ast.While) and _endless(node) for node in function.body):
                continue
            loaded = {
                alias.asname or alias.name: node.lineno
                for node in ast.walk(function)
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            let_go = {
                target.id
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and ast.unparse(node.value) == "None"
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            kept += [
                f"{path.name}:{line} {name}" for name, line in loaded.items() if name not in let_go
            ]
    assert kept == []


def _endless(loop: ast.While) -> bool:
    return ast.unparse(loop.test) in ("True", "gateway.worker is self") and not any(
        isinstance(node, ast.Return | ast.Break) for node in ast.walk(loop)
    )
