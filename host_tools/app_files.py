"""What a board's file system gets: the compiled app, the config, and a note of what was put there.

The note (`deployed.json` on the board) holds the hash of every file that these tools have put
there. It is how deploy sees what has changed, what is gone, and whether the owner has edited
bot.py on the board.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from host_tools import build, littlefs_image
from host_tools.errors import UserError
from host_tools.targets.process import app_tree

CONFIG = "config.json"  # at the board's root
NOTE = "deployed.json"
OWNERS_FILE = "bot.py"  # meant to be edited on the board
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


def app() -> dict[str, bytes]:
    """The compiled app of these sources; compiled once, and never from under a running gateway."""
    return littlefs_image.read_tree(app_tree())


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


def read_config(path: Path) -> bytes:
    """A config.json that the board will take; UserError with the board's own words if not."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: `make provision` asks for what goes in") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    check_config(path)
    return data


def check_config(path: Path) -> None:
    """Let the device's own reader judge a config, under MicroPython; UserError is its one line."""
    script = (
        "from copepod import config\n"
        f"try: print('OK', *config.load({str(path)!r}).warnings, sep='\\n')\n"
        "except config.ConfigError as error: print('BAD', error)\n"
    )
    run = subprocess.run(
        [interpreter(), "-c", script],
        env=dict(os.environ, MICROPYPATH=f"{build.FIRMWARE}:.frozen"),
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    said = run.stdout.strip()
    if said.startswith("BAD "):
        raise UserError(said[4:])
    if not said.startswith("OK"):
        raise UserError(f"{path} can't be checked: {(run.stderr or said).strip()[-200:]}")


def interpreter() -> str:
    """The Unix MicroPython that came with the lock."""
    path = Path(sys.executable).with_name("micropython")
    if not path.exists():
        raise UserError("micropython is not installed: `make venv`")
    return str(path)
