"""The config.json on this side: read, and judged by the device's own reader before a board gets it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from host_tools import paths, text_files
from host_tools.board.littlefs_image import write_private
from host_tools.errors import UserError

_T = TypeVar("_T")

# Whom the device would ask, of a loaded config `c`; the one that is asked first comes first.
MODELS = """[{
    "label": e.label, "name": e.name, "host": e.host, "port": e.port, "tls": e.tls,
    "path": e.path.decode(), "key": e.key, "headers": list(e.headers), "ca": e.ca}
    for e in ([c.model.endpoint] + [o for o in c.model.endpoints if o is not c.model.endpoint]
    if c.model else [])]"""


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
    with _private(data, name) as path:
        check_config(path)


def with_file(config: dict[str, Any], use: Callable[[Path], _T]) -> _T:
    """Call `use` with a private file that holds these values, and that is gone afterwards."""
    with _private(json.dumps(config).encode(), "config.json") as path:
        return use(path)


@contextlib.contextmanager
def _private(data: bytes, name: str) -> Iterator[Path]:
    """A private file; an error that names it calls it `name`."""
    with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
        path = Path(folder) / "config.json"
        write_private(path, data)
        try:
            yield path
        except UserError as error:
            raise UserError(str(error).replace(str(path), name)) from None


def check_config(path: Path) -> None:
    """Let the device's own reader judge a config, under MicroPython; UserError is its one line."""
    _load(path, "None")


def read_models(path: Path) -> list[dict[str, Any]]:
    """What the device's reader makes of the config's models, the one that is asked first."""
    return json.loads(_load(path, MODELS))


def warnings(path: Path) -> list[str]:
    """What the device's reader says of a config that it takes."""
    return json.loads(_load(path, "c.warnings"))


def _load(path: Path, expression: str) -> str:
    """Load a config in the device's reader; the JSON of an expression over the result `c`."""
    script = (
        "import json\n"
        "from copepod import config\n"
        "try:\n"
        f"    c = config.load({str(path.resolve())!r})\n"
        f"    print('OK', json.dumps({expression}))\n"
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
    return said[3:]


def interpreter() -> str:
    """The Unix MicroPython that came with the lock."""
    path = Path(sys.executable).with_name("micropython")
    if not path.exists():
        raise UserError("micropython is not installed: `make venv`")
    return str(path)
