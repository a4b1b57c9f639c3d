"""A traceback of the shipped tree leads to the file, the function and a line of the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.app import build, names
from host_tools.app.link import parts
from host_tools.app.tree import app_tree
from host_tools.console import tracebacks
from host_tools.monitor import command
from host_tools.paths import FIRMWARE, ROOT


def traceback(tree: Path, code: str) -> list[str]:
    """What MicroPython prints when `code` fails on `tree`, as the monitor shows it."""
    run = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-c", code],
        env={"MICROPYPATH": f"{tree}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (run.stdout + run.stderr).splitlines()
    assert lines[0].startswith("Traceback"), lines
    return [command.plain_line(tracebacks.placed(line), None) or "" for line in lines]


def line_of(place: str) -> str:
    """The source line that "firmware/…:number" names."""
    path, _, number = place.rpartition(":")
    return (ROOT / path).read_text().splitlines()[int(number) - 1]


@pytest.fixture(scope="module")
def tree() -> Path:
    return app_tree()


def test_of_a_joined_module_the_function_is_found() -> None:
    words = build.words()
    found = 0
    for _, name in parts(build.application()["copepod/gateway.py"]):
        for node in ast.parse((FIRMWARE / name).read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                on_board = words.get(node.name, node.name)
                frame = tracebacks.placed(f'  File "copepod.gateway", line 1, in {on_board}')
                said, _, places = frame.partition("  <- ")
                assert said.endswith(f" in {node.name}")
                assert f"firmware/{name}:{node.lineno}" in places.split(" or ")
                found += 1
    assert found > 3


def test_of_a_module_by_itself_the_line_is_told(tree: Path) -> None:
    code = "from copepod import config; config.load('/nowhere/config.json', bytearray(8))"
    frame = next(
        line for line in reversed(traceback(tree, code)) if 'File "copepod.config"' in line
    )
    assert "raise ConfigError" in line_of(frame.partition("  <- ")[2])


def test_a_joined_file_with_lines_leads_back_to_each_of_its_modules() -> None:
    text = build.application()["copepod/gateway.py"]
    lines = text.splitlines()
    assert len(parts(text)) > 5
    for at, name in parts(text):
        source = names.shorten((FIRMWARE / name).read_text(), build.words()).splitlines()
        number = len(source)
        assert lines[at + number - 1] == source[number - 1]
        shown = tracebacks.placed(f'  File "copepod.gateway", line {at + number}, in x')
        assert shown.endswith(f"  <- firmware/{name}:{number}")


@pytest.mark.parametrize(
    "line",
    [
        "memory: steady",
        'File "bot.py", line 3, in led',
        '  File "<stdin>", line 1, in <module>',
        '  File "copepod.nothing", line 1, in x',
        '  File "../../etc/passwd", line 1, in x',
        '  File "copepod.gateway", line 1, in no_such_function',
    ],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert tracebacks.placed(line) == line
