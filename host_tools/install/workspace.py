"""The assistant's workspace beside a config, and on a board: what is put there, and what is newer there.

A board gets a file of it when it has none, or still the one that these tools have put there: their
hashes are in the workspace's `state/deployed`. What was written on the board since stays, and that is
said. The two files of a conversation go together.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.app.app_files import CONFIG, HASH_DIGITS, file_hash
from host_tools.errors import UserError
from host_tools.install.remote import CLEAR, FOLDERS, HASH, TEXT, Remote

FOLDER = "workspace"
NOTE = "state/deployed"  # in the workspace: a line for each file, its hash and its path
_NOT_SENT = ("state/",)
STAGE = ".workspace-new"

LOOK = (
    HASH
    + TEXT
    + """
note = text_of(folder + "/" + note_path) or ""
answer = {"note": note, "hashes": [hash_of(folder + "/" + path) for path in paths]}
"""
)
PLACE = (
    HASH
    + FOLDERS
    + """
bad = [path for name, path, wanted in moves if hash_of(stage + "/" + name) != wanted]
if not bad:
    for name, path, wanted in moves:
        make_folders(path)
        os.rename(stage + "/" + name, path)
    os.rmdir(stage)
answer = bad
"""
)


def _setting(config: Any, *names: str) -> str:
    value = config
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _workspace(config: dict[str, Any]) -> str:
    return _setting(config, "agents", "defaults", "workspace").rstrip("/") or FOLDER


def on_board(path: Path, *, below_root: bool = True) -> str:
    """The workspace of the config at `path` on a board, which has it below its root.

    Where a config has a folder of its own, as on Linux, an absolute path is left as it is.
    """
    found = _workspace(_config(path))
    return found.strip("/") if below_root else found


def folder(path: Path) -> Path:
    """The workspace beside the config at `path`: what its own name says, `workspace` for an absolute one."""
    name = _setting(_config(path), "agents", "defaults", "workspace")
    return path.parent / (name if name and not name.startswith("/") else FOLDER)


def files(path: Path) -> dict[str, bytes]:
    """What of that workspace goes to a board, by its path in it."""
    where = folder(path)
    found = {
        file.relative_to(where).as_posix(): file.read_bytes()
        for file in sorted(where.rglob("*"))
        if file.is_file()
    }
    return {
        name: data
        for name, data in found.items()
        if not name.startswith(_NOT_SENT) and not re.search(r"(^|/)\.", name)
    }


def beside(path: Path) -> dict[str, bytes]:
    """All that a new board needs beside the config: the model's root, the workspace, and its note."""
    made = roots(path)
    found = files(path)
    if found:
        where = on_board(path)
        made |= {f"{where}/{name}": data for name, data in found.items()}
        made[f"{where}/{NOTE}"] = note({name: file_hash(data) for name, data in found.items()})
    return made


def kept(found: dict[str, bytes]) -> dict[str, bytes]:
    """What of a board's files is its owner's: the config, the roots that it names, the workspace."""
    try:
        config = json.loads(found[CONFIG])
    except ValueError:
        config = {}
    names = (CONFIG, *(name.strip("/") for name in named_roots(config)))
    below = _workspace(config).strip("/") + "/"
    return {name: data for name, data in found.items() if name in names or name.startswith(below)}


def named_roots(config: dict[str, Any]) -> dict[str, str]:
    """The files with roots that a config names, each with the remedy when it is missing."""
    entries = config.get("model_list")
    of_models = [
        _setting(config, "tls", "model_ca"),
        *(_setting(each, "ca") for each in (entries if isinstance(entries, list) else [])),
    ]
    names = dict.fromkeys(of_models, "`make provision` finds it")
    names[_setting(config, "tools", "http_get", "ca")] = "put it there"
    return {name: remedy for name, remedy in names.items() if name}


def roots(path: Path) -> dict[str, bytes]:
    """The files with roots that the config names, by their path on the board; UserError if one is missing."""
    made = {}
    for name, remedy in named_roots(_config(path)).items():
        if name.startswith("/") or ".." in name:
            continue
        try:
            made[name] = (path.parent / name).read_bytes()
        except OSError:
            raise UserError(f"{path.parent / name} is missing: {remedy}") from None
    return made


def note(hashes: dict[str, str]) -> bytes:
    """The note's text."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode()


def parse_note(text: str) -> dict[str, str]:
    """Hashes by path."""
    rows = [line.split("  ", 1) for line in text.splitlines() if "  " in line]
    return {name: digest for digest, name in rows}


def groups(names: Iterable[str]) -> list[list[str]]:
    """Files that go together, or not at all."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        found.setdefault(name.removesuffix(".jsonl").removesuffix(".meta.json"), []).append(name)
    return list(found.values())


@dataclass
class Changes:
    """What would be done."""

    send: dict[str, bytes] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)  # newer on the board
    note: dict[str, str] = field(default_factory=dict)


def compare(
    ours: dict[str, bytes], there: dict[str, str | None], deployed: dict[str, str]
) -> Changes:
    """What is to be sent, given the hashes on the board and its note."""
    changes = Changes(note=dict(deployed))
    for names in groups(ours):
        hashes = {name: file_hash(ours[name]) for name in names}
        newer = [name for name in names if there[name] not in (hashes[name], deployed.get(name))]
        if newer:
            changes.kept += newer
            continue
        changes.note |= hashes
        changes.send |= {name: ours[name] for name in names if there[name] != hashes[name]}
    return changes


def look(remote: Remote, path: Path) -> Changes:
    """Compare the workspace beside the config at `path` with the board's."""
    ours = files(path)
    if not ours:
        return Changes()
    where = on_board(path)
    found = remote.execute(
        LOOK, folder=where, paths=list(ours), note_path=NOTE, digits=HASH_DIGITS
    )
    there = dict(zip(ours, found["hashes"], strict=True))
    return compare(ours, there, parse_note(found["note"]))


def send(remote: Remote, path: Path, changes: Changes, say: Callable[[str], None]) -> None:
    """Put it on the board, each file at once or not at all; say what is newer there."""
    where = on_board(path)
    for name in changes.kept:
        say(f"{where}/{name} was changed on the board: what is there stays")
    if not changes.send:
        return
    placed = {f"{where}/{name}": data for name, data in changes.send.items()}
    placed[f"{where}/{NOTE}"] = note(changes.note)
    put(remote, placed)
    for name, data in changes.send.items():
        say(f"{where}/{name}, {len(data)} bytes")


def put(remote: Remote, placed: dict[str, bytes]) -> None:
    """Send files to a board by way of a folder aside; none is in place before all are there."""
    moves = [
        (f"f{number}", name, file_hash(data)) for number, (name, data) in enumerate(placed.items())
    ]
    remote.execute(CLEAR, stage=STAGE)
    with tempfile.TemporaryDirectory(prefix="copepod-") as local:
        for (staged, _, _), data in zip(moves, placed.values(), strict=True):
            (Path(local) / staged).write_bytes(data)
        remote.put([Path(local) / staged for staged, _, _ in moves], STAGE)
    bad = remote.execute(PLACE, stage=STAGE, moves=moves, digits=HASH_DIGITS)
    if bad:
        raise UserError(f"{bad[0]} arrived damaged; nothing was put in its place, try again")
