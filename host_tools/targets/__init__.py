"""Where the gateway can run: one small interface, one file per kind of place.

    target = targets.get("unix")
    device = target.start(Start(config, workdir=path, heap="128k"))
    device.wait(lambda: device.frames.phase("steady"), 10)
    device.stop()

`target.py` is the interface. A new target is a file with an object of that interface and a line in
TARGETS; it is imported when it is asked for, so that a missing tool disturbs nobody else.
"""

from __future__ import annotations

import importlib

from host_tools.errors import UserError
from host_tools.targets.target import Device, Start, Target

# name -> (module, attribute)
TARGETS = {
    "unix": ("host_tools.targets.unix", "UNIX"),
    "unix32": ("host_tools.targets.unix", "UNIX32"),
    "unix64": ("host_tools.targets.unix", "UNIX64"),
    "riscv64": ("host_tools.targets.unix", "RISCV64"),
    "rv32": ("host_tools.targets.rv32", "TARGET"),
    "esp32": ("host_tools.targets.esp32", "TARGET"),
    "board": ("host_tools.targets.board", "TARGET"),
}


def names() -> list[str]:
    """Every target there is, whether or not this machine can run it."""
    return list(TARGETS)


def get(name: str) -> Target:
    """The target of that name. UserError if there is none, or if it can't be used here."""
    place = TARGETS.get(name)
    if place is None:
        raise UserError(f"no target {name!r}: there are {', '.join(TARGETS)}")
    try:
        module = importlib.import_module(place[0])
    except ModuleNotFoundError as error:
        if error.name != place[0]:
            raise
        raise UserError(f"target {name!r} is not part of this checkout") from None
    return getattr(module, place[1])


__all__ = ["TARGETS", "Device", "Start", "Target", "get", "names"]
