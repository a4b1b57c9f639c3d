"""The config.json on this side: read, and judged by the device's own reader before a board gets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from host_tools import paths, text_files
from host_tools.board.littlefs_image import write_private
from host_tools.errors import UserError


def read_config(path: Path) -> bytes:
    """A config.json that the board will take; UserError with the board's own words if not."""
    if not path.exists():
        raise UserError(f"{path} does not exist: `make provision` asks for what goes in")
    data = text_files.read(path).encode()
    _check(data, str(path))
    return data


def check_values(config: dict[str, Any]) -> None:
    """Let the device's reader judge values that are in no file yet."""
    try:
        _check(json.dumps(config).encode(), "config.json")
    except UserError as error:
        raise UserError(str(error).removeprefix("config.json: ")) from None


def _check(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
        path = Path(folder) / "config.json"
        write_private(path, data)
        try:
            check_config(path)
        except UserError as error:
            raise UserError(str(error).replace(str(path), name)) from None


def check_config(path: Path) -> None:
    """Let the device's own reader judge a config, under MicroPython; UserError is its one line."""
    script = (
        "from copepod import config\n"
        f"try: print('OK', *config.load({str(path.resolve())!r}).warnings, sep='\\n')\n"
        "except config.ConfigError as error: print('BAD', error)\n"
    )
    run = subprocess.run(
        [interpreter(), "-c", script],
        env=dict(os.environ, MICROPYPATH=f"{paths.FIRMWARE}:.frozen"),
        cwd=paths.FIRMWARE,  # what lies in the current folder is found first
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
