"""Where a traceback's frames stand in the source: on a board files are compiled, and some are joined.

A frame of a board reads `File "copepod.gateway", line 1, in _poll`: the module that holds the code
is named, which may be a joined one, and the line is 1 where a file was compiled without lines. The
function tells the rest.
"""

from __future__ import annotations

import ast
import functools
import re

from host_tools import paths
from host_tools.app import build, link, names

_FRAME = re.compile(r'\s*File "([\w./]+)", line (\d+), in (\S+)$')
_MOST = 4  # places of functions that have the same name


def placed(line: str) -> str:
    """The line as it is, and behind a frame of a board's traceback where that is in firmware/."""
    frame = _FRAME.match(line)
    if not frame:
        return line
    path = frame[1].removesuffix(".py").replace(".", "/") + ".py"
    function = _named(path).get(frame[3], frame[3])
    places = _places(path, int(frame[2]), function)
    if not places:
        return line
    return f"{line.removesuffix(frame[3])}{function}  <- {' or '.join(places[:_MOST])}"


def _places(path: str, number: int, function: str) -> list[str]:
    text = _joined().get(path)
    if text is None:
        if not (path.startswith("copepod/") and (paths.FIRMWARE / path).is_file()):
            return []
        files, place = [path], f"{path}:{number}"
    else:
        files, place = [name for _, name in link.parts(text)], link.place(text, number)
    if number > 1:
        return [f"firmware/{place}"]
    return [found for name in files for found in _definitions(name, function)]


@functools.cache
def _named(path: str) -> dict[str, str]:
    """The names in a file by the words that a board has for them; a word may mean another one elsewhere."""
    text = build.joined({}).get(path, "")
    return {build.words()[name]: name for name in names.said(text) & build.words().keys()}


@functools.cache
def _joined() -> dict[str, str]:
    """Text of the joined files by path."""
    return {path: text for path, text in build.application().items() if link.parts(text)}


def _definitions(name: str, function: str) -> list[str]:
    """Where `function` is defined in a file below firmware/; the file for the module's own code."""
    if function == "<module>":
        return [f"firmware/{name}"]
    tree = ast.parse((paths.FIRMWARE / name).read_text())
    return [
        f"firmware/{name}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
    ]
