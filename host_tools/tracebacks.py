"""Where a traceback's frames stand in the source: on a board files are compiled, and some are joined.

A frame of a board reads `File "copepod.gateway", line 1, in _poll`: the module that holds the code
is named, which may be a joined one, and the line is 1 where a file was compiled without lines. The
function tells the rest.
"""

from __future__ import annotations

import ast
import functools
import re

from host_tools import build
from host_tools.link import parts

_FRAME = re.compile(r'\s*File "([\w./]+)", line (\d+), in (\S+)$')
_MOST = 4  # places of functions that have the same name


def placed(line: str) -> str:
    """The line as it is, and behind a frame of a board's traceback where that is in firmware/."""
    frame = _FRAME.match(line)
    if not frame:
        return line
    path = frame[1].removesuffix(".py").replace(".", "/") + ".py"
    places = _places(path, int(frame[2]), frame[3])
    return f"{line}  <- {' or '.join(places[:_MOST])}" if places else line


def _places(path: str, number: int, function: str) -> list[str]:
    text = _joined().get(path)
    source = build.FIRMWARE / path
    if text is None:
        files = [path] if path.startswith("copepod/") and source.is_file() else []
        first = 0
    elif number == 1:
        files, first = [name for _, name in parts(text)], 0
    else:
        first, name = [part for part in parts(text) if part[0] < number][-1]
        files = [name]
    if number > 1:
        return [f"firmware/{name}:{number - first}" for name in files]
    return [place for name in files for place in _definitions(name, function)]


@functools.cache
def _joined() -> dict[str, str]:
    """Text of the joined files by path."""
    return {path: text for path, text in build.application().items() if parts(text)}


def _definitions(name: str, function: str) -> list[str]:
    """Where `function` is defined in a file below firmware/; the file for the module's own code."""
    if function == "<module>":
        return [f"firmware/{name}"]
    tree = ast.parse((build.FIRMWARE / name).read_text())
    return [
        f"firmware/{name}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
    ]
