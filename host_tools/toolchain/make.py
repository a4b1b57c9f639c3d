"""Running make and configure for a build: quiet, logged, reproducible."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import click

from host_tools.errors import UserError
from host_tools.toolchain.sources import ROOT, TOOLCHAIN

JOBS = os.environ.get("COPEPOD_JOBS", "2")

# The build date that goes into the binaries, so that the same inputs give the same bytes.
SOURCE_DATE_EPOCH = "1767225600"  # 2026-01-01


def make(label: str, folder: Path, *arguments: str) -> None:
    """Run make in `folder`."""
    run(label, ["make", "-s", "-j", JOBS, "-C", str(folder), *arguments])


def run(label: str, command: list[str], folder: Path | None = None) -> None:
    """Run one command of the build `label`; raises UserError with its first errors.

    The output goes to build/toolchain/<label>.log.
    """
    log = TOOLCHAIN / f"{label}.log"
    # MicroPython asks git for its version: that must not be this repository's.
    environment = {
        **os.environ,
        "GIT_CEILING_DIRECTORIES": str(TOOLCHAIN),
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "PYTHONDONTWRITEBYTECODE": "1",  # the source tree stays as it is
    }
    environment.pop("MAKEFLAGS", None)
    with log.open("a") as handle:
        handle.write(f"$ {' '.join(command)}\n")
        handle.flush()
        begin = handle.tell()
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if done.returncode:
        lines = log.read_bytes()[begin:].decode(errors="replace").splitlines()
        errors = [line for line in lines if "error" in line.lower()][:3] or lines[-3:]
        place = log.relative_to(ROOT)
        raise UserError(f"building {label} failed ({place}): {' / '.join(errors)}")


class Stopwatch:
    """Says on stderr that a build begins and how long it took."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __enter__(self) -> None:
        click.echo(f"building {self.label} …", err=True)
        (TOOLCHAIN / f"{self.label}.log").unlink(missing_ok=True)
        self.started = time.monotonic()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            click.echo(f"built {self.label} in {time.monotonic() - self.started:.0f} s", err=True)
