"""ESP firmware images: everything that can be known about a file before it is written.

A MicroPython firmware.bin is the bootloader, the partition table and the app in one file that
begins at the chip's flash offset. The boot ROM says nothing useful about a wrong one ("invalid
header: 0x…", for ever), and esptool writes it happily: so each part is checked here, down to the
SHA-256 that ends it.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from host_tools.board import partitions
from host_tools.board.partitions import Partition
from host_tools.errors import UserError

MAGIC = 0xE9
HEADER = struct.Struct("<BBBBIB3sHBHH4sB")  # 24 bytes; the last says if a digest is appended
SEGMENT = struct.Struct("<II")  # load address, length
CHECKSUM_SEED = 0xEF
DIGEST_SIZE = 32
MAX_SEGMENTS = 16

CHIP_NAMES = {
    0: "ESP32",
    2: "ESP32-S2",
    5: "ESP32-C3",
    9: "ESP32-S3",
    12: "ESP32-C2",
    13: "ESP32-C6",
    16: "ESP32-H2",
    18: "ESP32-P4",
    23: "ESP32-C5",
}

_BANNER = re.compile(rb"MicroPython v(\d+)\.(\d+)\.(\d+)")
_FROZEN_APP = b"copepod/gateway.py\0"  # among the names of frozen modules
OLDEST_MICROPYTHON = (1, 26, 0)  # what the device code is written for; all of these load .mpy 6.3


class Image(NamedTuple):
    """One image (bootloader or app) inside a file."""

    chip_id: int
    length: int  # with padding, checksum and digest
    digest: bytes


@dataclass(frozen=True)
class FirmwareFile:
    """A firmware file that has passed every check."""

    path: Path
    data: bytes
    chip_id: int
    table: list[Partition]
    app: Partition
    micropython: tuple[int, int, int]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def has_app(self) -> bool:
        """True if the app is frozen into it, and the file system need not hold it."""
        return _FROZEN_APP in self.data

    @property
    def version(self) -> str:
        return ".".join(map(str, self.micropython))


def chip_name(chip_id: int) -> str:
    """Name of a chip id as people know it."""
    return CHIP_NAMES.get(chip_id, f"chip id {chip_id}")


def check_image(data: bytes, start: int, what: str) -> Image:
    """Walk the image at `start`; UserError says what is wrong with it.

    Checked: magic, segment count, that every segment lies in the file, the XOR checksum over the
    segments, and the SHA-256 appended to the image.
    """
    if len(data) < start + HEADER.size:
        raise UserError(f"the file ends before its {what} ({len(data)} bytes): it is cut off")
    fields = HEADER.unpack_from(data, start)
    magic, segments, chip_id, has_digest = fields[0], fields[1], fields[7], fields[12]
    if magic != MAGIC:
        raise UserError(f"the {what} begins with {magic:#04x}, not 0xe9: this is no ESP firmware")
    if not 0 < segments <= MAX_SEGMENTS:
        raise UserError(f"the {what} claims {segments} segments: the file is damaged")
    at, checksum = start + HEADER.size, CHECKSUM_SEED
    for number in range(segments):
        if at + SEGMENT.size > len(data):
            raise UserError(f"the file ends inside its {what} (segment {number}): it is cut off")
        _address, length = SEGMENT.unpack_from(data, at)
        at += SEGMENT.size
        if at + length > len(data):
            raise UserError(f"the file ends inside its {what} (segment {number}): it is cut off")
        checksum ^= _xor(data[at : at + length])
        at += length
    at += 15 - (at - start) % 16  # the checksum is the last byte of a 16-byte line
    if at >= len(data):
        raise UserError(f"the file ends inside its {what}: it is cut off")
    if data[at] != checksum:
        raise UserError(f"the {what}'s checksum is wrong: the file is damaged")
    at += 1
    if not has_digest:
        raise UserError(f"the {what} carries no SHA-256: build it with the digest appended")
    digest = data[at : at + DIGEST_SIZE]
    if len(digest) < DIGEST_SIZE:
        raise UserError(f"the file ends inside the {what}'s SHA-256: it is cut off")
    if hashlib.sha256(data[start:at]).digest() != digest:
        raise UserError(f"the {what}'s SHA-256 does not match its contents: the file is damaged")
    return Image(chip_id, at + DIGEST_SIZE - start, digest)


def _xor(data: bytes) -> int:
    """XOR of all bytes, folded through wide integers (an app has a million of them)."""
    size = 1 << max(0, (len(data) - 1).bit_length())
    value = int.from_bytes(data, "little")
    while size > 1:
        size //= 2
        value = (value >> (size * 8)) ^ (value & ((1 << (size * 8)) - 1))
    return value


def chip_of(path: Path) -> int:
    """The chip id in a file's first image; UserError if it has none."""
    try:
        return check_image(path.read_bytes(), 0, "bootloader").chip_id
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def check(path: Path, data: bytes, chip_id: int, flash_offset: int) -> FirmwareFile:
    """Check a whole firmware file for one chip; UserError is one line that names the file."""
    try:
        return _check(path, data, chip_id, flash_offset)
    except UserError as error:
        raise UserError(f"{path.name}: {error}; nothing was written") from None


def _check(path: Path, data: bytes, chip_id: int, flash_offset: int) -> FirmwareFile:
    boot = check_image(data, 0, "bootloader")
    if boot.chip_id != chip_id:
        names = chip_name(boot.chip_id), chip_name(chip_id)
        raise UserError(f"this firmware is for {names[0]}, the board is {names[1]}")
    table_at = partitions.TABLE_ADDRESS - flash_offset
    if boot.length > table_at:
        raise UserError(
            f"its first image has {boot.length} bytes and reaches over the partition table "
            "(is this an app without its bootloader?)"
        )
    try:
        table = partitions.parse(data[table_at : table_at + partitions.TABLE_SIZE])
    except UserError as error:
        raise UserError(f"{error} (is this an app without its bootloader?)") from None
    apps = [partition for partition in table if partition.type == partitions.TYPE_APP]
    if not apps:
        raise UserError("the partition table has no place for an app")
    app = apps[0]
    image = check_image(data, app.offset - flash_offset, "app")
    if image.chip_id != chip_id:
        raise UserError(f"the app is for {chip_name(image.chip_id)}, not {chip_name(chip_id)}")
    if image.length > app.size:
        raise UserError(f"the app has {image.length} bytes, its partition {app.size}")
    banner = _BANNER.search(data, app.offset - flash_offset)
    if banner is None:
        raise UserError("this is an ESP image, but not MicroPython")
    version = (int(banner[1]), int(banner[2]), int(banner[3]))
    if version < OLDEST_MICROPYTHON:
        wanted = ".".join(map(str, OLDEST_MICROPYTHON))
        raise UserError(
            f"MicroPython {'.'.join(map(str, version))} is too old, {wanted} is needed"
        )
    return FirmwareFile(path, data, chip_id, table, app, version)
