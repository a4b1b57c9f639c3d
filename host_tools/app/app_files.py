"""What a board's file system gets: the compiled app, the config, and a note of what was put there.

The note (`deployed.json` on the board) holds the hash of every file that these tools have put
there. It is how deploy sees what has changed, what is gone, and whether the owner has edited
bot.py on the board.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from host_tools import text_files
from host_tools.app.tree import app_tree
from host_tools.board import littlefs_image
from host_tools.errors import UserError

CONFIG = "config.json"  # at the board's root
NOTE = "deployed.json"
OWNERS_FILE = "bot.py"  # meant to be edited on the board
TRIED = ".trial/bot.py"  # one that was sent to the bot: see firmware/copepod/trial.py
HASH_DIGITS = 16


def file_hash(data: bytes) -> str:
    """Short hash as the note holds it; 64 bits are plenty to see a change."""
    return hashlib.sha256(data).hexdigest()[:HASH_DIGITS]


def note(files: dict[str, bytes]) -> bytes:
    """The note for these files (config and the note itself are left out)."""
    hashes = {path: file_hash(data) for path, data in sorted(files.items()) if path != CONFIG}
    hashes.pop(NOTE, None)
    return json.dumps({"files": hashes}, separators=(",", ":")).encode()


def parse_note(data: bytes) -> dict[str, str]:
    """Hashes by path; empty if there is no note or it can't be read."""
    try:
        found = json.loads(data)["files"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def chosen_bot() -> dict[str, bytes]:
    """`{"bot.py": …}` of the file that BOT=path/to/bot.py names; empty without it. UserError if it can't be read."""
    named = os.environ.get("BOT")
    if not named:
        return {}
    try:
        return {"bot.py": text_files.read(Path(named)).encode()}
    except OSError as error:
        raise UserError(f"BOT={named}: {error.strerror}") from None


def app() -> dict[str, bytes]:
    """The compiled app of these sources, with BOT as its bot.py; compiled once, never from under a running gateway."""
    return littlefs_image.read_tree(app_tree()) | chosen_bot()


def beside_frozen(files: dict[str, bytes]) -> dict[str, bytes]:
    """What a firmware with the app inside needs as files: the owner's bot.py alone.

    The app as files, too, would be found first and take its place in RAM.
    """
    return {OWNERS_FILE: files[OWNERS_FILE]} if OWNERS_FILE in files else {}


def with_config(files: dict[str, bytes], config: bytes | None) -> dict[str, bytes]:
    """The whole file system: app, note, and the config if there is one."""
    whole = {**files, NOTE: note(files)}
    if config is not None:
        whole[CONFIG] = config
    return whole
