"""The interpreters that tests and figures run on: where they are, built if need be."""

from __future__ import annotations

import sys
from pathlib import Path

from host_tools.errors import UserError
from host_tools.toolchain.interpreters import INTERPRETERS
from host_tools.toolchain.interpreters import interpreter as build_interpreter

WHEEL = "unix"


def names() -> list[str]:
    """Every interpreter that `copepod toolchain` knows."""
    return [WHEEL, *INTERPRETERS]


def interpreter(name: str, *, frozen: bool = False) -> Path:
    """Path of interpreter `name`, built if need be; `frozen` asks for the application inside."""
    if name == WHEEL:
        if frozen:
            raise UserError(
                "unix is a ready-made interpreter: it can't have the application in it"
            )
        path = Path(sys.executable).parent / "micropython"
        if not path.exists():
            raise UserError(f"{path} is missing: run `make venv`")
        return path
    if name not in INTERPRETERS:
        raise UserError(f"no interpreter is called {name!r}: there are {', '.join(names())}")
    return build_interpreter(name, frozen=frozen)


def runner(name: str) -> list[str]:
    """What goes before the interpreter's path where the machine can't run it itself."""
    return list(INTERPRETERS[name].runner) if name in INTERPRETERS else []
