"""Where a measurement is written: results/ is what README and the documents are made from.

A file there is replaced by the command that made it, or when --json names it. Every other run is
one of somebody's own and goes to build/results/.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from functools import cache
from pathlib import Path

from host_tools.paths import FIRMWARE, ROOT

PUBLISHED = ROOT / "results"
OWN = ROOT / "build" / "results"


def command() -> str:
    """The command line that gives the figures again, without where they are written."""
    return _bare(["copepod", *sys.argv[1:]])


def _bare(line: list[str]) -> str:
    words, kept = iter(line), []
    for word in words:
        if word == "--json":
            next(words, None)
        elif not word.startswith("--json="):
            kept.append(word)
    return shlex.join(kept)


@cache
def firmware(folder: Path = FIRMWARE) -> str:
    """A digest of the application, kept with what was measured of it: report tells what is older."""
    digest = hashlib.sha256()
    for path in sorted(folder.joinpath("copepod").rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


firmware()  # read now: a measurement is of what was there when it began


def place(stem: str, given: Path | None, made_by: str) -> Path:
    """The file for a result of this name; its folder is there."""
    path = given or PUBLISHED / f"{stem}.json"
    if given is None and _made_by(path) != _bare(shlex.split(made_by)):
        path = OWN / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def shown(path: Path) -> str:
    """The path as it is told: below the tree where it is there."""
    whole = path.resolve()
    return str(whole.relative_to(ROOT) if whole.is_relative_to(ROOT) else path)


def _made_by(path: Path) -> str | None:
    try:
        return _bare(shlex.split(json.loads(path.read_text())["command"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
