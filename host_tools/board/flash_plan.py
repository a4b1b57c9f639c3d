"""What will be written where: worked out in full, and checked, before a port is opened."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path

from host_tools.board import littlefs_image, partitions
from host_tools.board.boards import Board
from host_tools.board.esp_image import FirmwareFile, chip_name
from host_tools.board.partitions import Partition
from host_tools.errors import UserError

SECTOR = 0x1000
MPY_VERSION = b"M\x06"  # what a .mpy begins with; the architecture above two bits follows


@dataclass(frozen=True)
class Region:
    """A run of bytes and the flash address it goes to."""

    name: str
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(frozen=True)
class Plan:
    """Everything one esptool call writes."""

    board: Board
    regions: list[Region]
    partition: Partition
    files: dict[str, bytes]

    def region(self, name: str) -> Region:
        """The region of that name."""
        return next(region for region in self.regions if region.name == name)

    def summary(self) -> list[str]:
        """One line a region."""
        lines = []
        for region in self.regions:
            digest = hashlib.sha256(region.data).hexdigest()[:16]
            size = f"{len(region.data):>8} bytes"
            lines.append(f"{region.offset:#010x} {size}  sha256 {digest}…  {region.name}")
        return lines


def check_app(files: dict[str, bytes], *, frozen: bool = False) -> None:
    """UserError unless every .mpy is one that MicroPython 1.23 and later load on any chip."""
    for path, data in files.items():
        if not path.endswith(".mpy"):
            continue
        if data[:2] != MPY_VERSION or len(data) < 4 or data[2] >> 2:
            raise UserError(f"{path} is not portable .mpy of version 6: `make venv`, `make build`")
    if "main.py" not in files and not frozen:
        raise UserError("the app has no main.py")


def make(
    board: Board,
    firmware: FirmwareFile | None,
    table: list[Partition],
    files: dict[str, bytes],
    flash_size: int,
) -> Plan:
    """The plan for a board with `flash_size` bytes; without firmware only the file system.

    `table` is the one in the firmware, or the one found on the board. UserError if anything does
    not fit or overlaps.
    """
    check_app(files, frozen=firmware is not None and firmware.has_app)
    partition = partitions.filesystem(table, flash_size, board.partition)
    image = littlefs_image.build(files, partition.size, board.block_size)
    regions = [Region("file system", partition.offset, image)]
    if firmware is not None:
        if firmware.chip_id != board.image_id:
            raise UserError(
                f"{firmware.path.name} is for {chip_name(firmware.chip_id)}, "
                f"{board.id} has {chip_name(board.image_id)}"
            )
        regions.insert(0, Region("firmware", board.flash_offset, firmware.data))
    for before, after in zip(regions, regions[1:], strict=False):
        if before.end > after.offset:
            raise UserError(
                f"the {before.name} ends at {before.end:#x}, the {after.name} begins at "
                f"{after.offset:#x}: they overlap"
            )
    for region in regions:
        if region.offset % SECTOR:
            raise UserError(
                f"the {region.name} would begin at {region.offset:#x}, inside a sector"
            )
        if region.end > flash_size:
            raise UserError(f"the {region.name} ends at {region.end:#x}, the flash before that")
    return Plan(board, regions, partition, files)


def esptool_arguments(
    board: Board, port: str, baud: int, regions: list[tuple[int, Path]], *, erase: bool, stub: bool
) -> list[str]:
    """Arguments for the one esptool call that writes, verifies and resets."""
    reset = not is_url(port)
    arguments = ["--chip", board.chip, "--port", port, "--baud", str(baud)]
    arguments += ["--before", "default-reset" if reset else "no-reset"]
    arguments += ["--after", "hard-reset" if reset else "no-reset"]
    arguments += [] if stub else ["--no-stub"]
    arguments += ["write-flash", "--flash-size", "keep"]
    arguments += ["--erase-all"] if erase else []
    for offset, path in regions:
        arguments += [f"{offset:#x}", str(path)]
    return arguments


def is_url(port: str) -> bool:
    """True for a port that is a connection and has no reset lines: socket:// and the like."""
    return "://" in port


def shell(program: str, arguments: list[str]) -> str:
    """A command as one would type it."""
    return shlex.join([program, *arguments])
