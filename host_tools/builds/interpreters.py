"""The standalone interpreters: what each is made with, and the build, cached by its inputs.

Object files stay in build/toolchain/work/ (keyed by settings and sources), so that a build with
the application frozen in, again after every change of firmware/, takes seconds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import click

from host_tools.builds import packages
from host_tools.builds.sources import (
    ROOT,
    TOOLCHAIN,
    locked,
    micropython_source,
    source_version,
)
from host_tools.errors import UserError

BOARDS = ROOT / "boards"
FIRMWARE = ROOT / "firmware"
FROZEN = ROOT / "build" / "frozen"
JOBS = os.environ.get("COPEPOD_JOBS", "2")


@dataclass(frozen=True)
class Interpreter:
    """One standalone interpreter: the name it goes by and how make is called for it."""

    name: str
    board: str  # folder below boards/, which is the port's variant folder
    summary: str
    packages: tuple[str, ...]  # "{gcc}" stands for the major version of the machine's gcc
    settings: tuple[str, ...]  # make variables
    runner: tuple[str, ...] = ()  # what runs the binary where the machine itself can't


_STATIC = "LDFLAGS_EXTRA=-static"

INTERPRETERS = {
    spec.name: spec
    for spec in (
        Interpreter(
            "unix32",
            "UNIX32",
            "static 32-bit Linux: the figures that stand for ESP32-class boards",
            # Not gcc-multilib, which conflicts with the riscv64 compiler.
            ("gcc-{gcc}-multilib", "libc6-dev-i386"),
            (
                "MICROPY_FORCE_32BIT=1",
                _STATIC,
                # gcc-multilib would have linked asm/ into /usr/include.
                "CFLAGS_EXTRA=-idirafter /usr/include/x86_64-linux-gnu",
            ),
        ),
        Interpreter(
            "unix64",
            "UNIX64",
            "static 64-bit Linux, musl: the small one",
            ("musl-tools",),
            ("CC=musl-gcc", _STATIC),
        ),
        Interpreter(
            "riscv64",
            "LINUX_RISCV64",
            "static Linux for LicheeRV Nano and Milk-V Duo class boards, run by qemu-user here",
            (
                "gcc-{gcc}-riscv64-linux-gnu",
                "libc6-dev-riscv64-cross",
                "qemu-user-static",
            ),
            ("CROSS_COMPILE=riscv64-linux-gnu-", "CC=riscv64-linux-gnu-gcc-{gcc}", _STATIC),
            ("qemu-riscv64-static",),
        ),
    )
}


def interpreter(name: str, *, frozen: bool = False) -> Path:
    """Path of the interpreter `name`, built if it is not in the cache.

    `frozen` puts the application into it. Raises UserError when it can't be built here.
    """
    spec = INTERPRETERS[name]
    if frozen:
        _write_frozen_roots()
    path = TOOLCHAIN / f"{_label(spec, frozen)}-{_digest(spec, frozen)}" / "micropython"
    if not path.exists():
        with locked(spec.name):
            if not path.exists():
                _build(spec, frozen, path)
    return path


def _label(spec: Interpreter, frozen: bool) -> str:
    return spec.name + ("-frozen" if frozen else "")


def _settings(spec: Interpreter) -> list[str]:
    gcc = packages.gcc_major()
    return [setting.format(gcc=gcc) for setting in spec.settings]


def _digest(spec: Interpreter, frozen: bool) -> str:
    """Hash of everything that the binary is made from."""
    digest = hashlib.sha256(_settings_digest(spec).encode())
    if frozen:
        files = [
            *FIRMWARE.glob("*.py"),
            *(FIRMWARE / "copepod").rglob("*.py"),
            *FROZEN.rglob("*.py"),
        ]
        _add_files(digest, [*files, BOARDS / "manifest.py"])
    return digest.hexdigest()[:12]


def _settings_digest(spec: Interpreter) -> str:
    """Hash of what the object files are made from: sources, settings and board headers."""
    text = "\n".join(
        [source_version(micropython_source()), *_settings(spec), packages.gcc_major()]
    )
    digest = hashlib.sha256(text.encode())
    folders = (BOARDS / "linux", BOARDS / "modules", BOARDS / spec.board)
    _add_files(
        digest, [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    )
    return digest.hexdigest()[:12]


def _add_files(digest: hashlib._Hash, files: list[Path]) -> None:
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())


def _write_frozen_roots() -> None:
    """Write build/frozen/copepod/net/roots.py, which boards/manifest.py freezes beside the app."""
    from host_tools.build import roots_source

    path = FROZEN / "copepod" / "net" / "roots.py"
    source = roots_source()
    if not path.exists() or path.read_text() != source:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


def mpy_cross() -> Path:
    """The mpy-cross of the same sources: frozen bytecode must match the interpreter exactly."""
    tree = micropython_source()
    digest = hashlib.sha256(source_version(tree).encode()).hexdigest()[:12]
    path = TOOLCHAIN / f"mpy-cross-{digest}" / "mpy-cross"
    if not path.exists():
        with locked("mpy-cross"):
            if not path.exists():
                packages.require(["gcc", "make", "libc6-dev"])
                _make("mpy-cross", tree / "mpy-cross", [f"BUILD={path.parent}"])
    return path


def _build(spec: Interpreter, frozen: bool, path: Path) -> None:
    """Make the interpreter in its work folder and put the binary at `path`."""
    gcc = packages.gcc_major()
    wanted = [name.format(gcc=gcc) for name in spec.packages]
    packages.require(["gcc", "make", "libc6-dev", *wanted])
    tree = micropython_source()
    work = TOOLCHAIN / "work" / f"{spec.name}-{_settings_digest(spec)}"
    manifest = "manifest_frozen.py" if frozen else "manifest_stock.py"
    arguments = [
        f"VARIANT_DIR={BOARDS / spec.board}",
        f"BUILD={work}",
        f"FROZEN_MANIFEST={BOARDS / 'linux' / manifest}",
        f"USER_C_MODULES={BOARDS / 'modules'}",
        f"MICROPY_MPYCROSS={mpy_cross()}",
        *_settings(spec),
    ]
    _make(_label(spec, frozen), tree / "ports" / "unix", arguments)
    _forget_older(_label(spec, frozen), path.parent)
    fresh = path.parent.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    shutil.copy2(work / "micropython", fresh / "micropython")
    shutil.copy2(work / "micropython.map", fresh / "micropython.map")
    fresh.rename(path.parent)


def _forget_older(label: str, keep: Path) -> None:
    """Remove all but the two newest earlier builds of `label`: a test may still be running one."""
    older = [path for path in TOOLCHAIN.glob(f"{label}-????????????") if path != keep]
    for path in sorted(older, key=lambda path: path.stat().st_mtime)[:-2]:
        shutil.rmtree(path, ignore_errors=True)


def _make(label: str, folder: Path, arguments: list[str]) -> None:
    """Run make quietly; its output goes to build/toolchain/<label>.log and is quoted on failure."""
    log = TOOLCHAIN / f"{label}.log"
    command = ["make", "-s", "-j", JOBS, "-C", str(folder), *arguments]
    click.echo(f"building {label} …", err=True)
    # The sources are no git checkout of ours: their version comes from their own header, and the
    # date from the lock, so that the same inputs give the same binary.
    environment = {
        **os.environ,
        "GIT_CEILING_DIRECTORIES": str(TOOLCHAIN),
        "SOURCE_DATE_EPOCH": "1767225600",
    }
    environment.pop("MAKEFLAGS", None)
    started = time.monotonic()
    with log.open("w") as handle:
        handle.write(f"{' '.join(command)}\n")
        handle.flush()
        run = subprocess.run(
            command, stdout=handle, stderr=subprocess.STDOUT, env=environment, check=False
        )
    if run.returncode:
        lines = log.read_text().splitlines()
        errors = [line for line in lines if "rror" in line][:3] or lines[-3:]
        raise UserError(
            f"building {label} failed ({log.relative_to(ROOT)}): " + " / ".join(errors)
        )
    click.echo(f"built {label} in {time.monotonic() - started:.0f} s", err=True)
