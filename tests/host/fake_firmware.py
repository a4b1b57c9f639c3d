"""Firmware files that are right in every structure and hold no code: for tests of the flash tools.

esptool's image-info accepts them; a chip would not run them.
"""

from __future__ import annotations

import hashlib
import random
import struct

from host_tools.board import partitions
from host_tools.board.boards import Board
from host_tools.board.esp_image import CHECKSUM_SEED, HEADER, MAGIC, SEGMENT
from host_tools.board.partitions import TYPE_APP, TYPE_DATA, Partition

# load addresses that esptool takes for flash-mapped data and for RAM, by chip
MAPPED = {"esp32": 0x3F400020, "esp32s3": 0x3C000020, "esp32c3": 0x3C000020, "esp32c6": 0x42000020}
RAM = {"esp32": 0x3FFB0000, "esp32s3": 0x3FC88000, "esp32c3": 0x3FC80000, "esp32c6": 0x40800000}

STOCK_TABLE = [
    Partition("nvs", TYPE_DATA, 2, 0x9000, 0x6000),
    Partition("phy_init", TYPE_DATA, 1, 0xF000, 0x1000),
    Partition("factory", TYPE_APP, 0, 0x10000, 0x1F0000),
]
# a file system so small that reading it back through the ROM loader takes a second
SMALL_TABLE = [*STOCK_TABLE, Partition("vfs", TYPE_DATA, 0x81, 0x200000, 0x8000)]


def image(chip_id: int, segments: list[tuple[int, bytes]], *, flash_mb: int = 4) -> bytes:
    """An image with checksum and appended SHA-256."""
    size_code = {1: 0, 2: 1, 4: 2, 8: 3, 16: 4}[flash_mb] << 4
    out = bytearray(
        HEADER.pack(
            MAGIC, len(segments), 2, size_code, segments[0][0], 0xEE, b"\0" * 3,
            chip_id, 0, 0, 0xFFFF, b"\0" * 4, 1,
        )
    )  # fmt: skip
    checksum = CHECKSUM_SEED
    for address, data in segments:
        out += SEGMENT.pack(address, len(data)) + data
        for byte in data:
            checksum ^= byte
    out += b"\0" * (15 - len(out) % 16)
    out.append(checksum)
    return bytes(out + hashlib.sha256(out).digest())


def app_description(version: bytes) -> bytes:
    """ESP-IDF's esp_app_desc_t, which begins the first mapped segment of an app."""
    head = struct.pack("<IIII", 0xABCD5432, 0, 0, 0)
    names = (version.ljust(32, b"\0"), b"micropython".ljust(32, b"\0"))
    times = b"12:00:00".ljust(16, b"\0") + b"Aug 24 2026".ljust(16, b"\0")
    return (head + b"".join(names) + times + b"v5.5.2".ljust(32, b"\0") + b"\0" * 32).ljust(
        256, b"\0"
    )


def firmware(
    board: Board,
    *,
    version: str = "1.29.0",
    table: list[Partition] | None = None,
    app_size: int = 60_000,
    chip_id: int | None = None,
    frozen: bool = False,
) -> bytes:
    """A whole firmware.bin for that board: bootloader, table, app with MicroPython's banner."""
    chip = board.image_id if chip_id is None else chip_id
    table = STOCK_TABLE if table is None else table
    noise = random.Random(board.id)
    boot = image(chip, [(RAM[board.chip], noise.randbytes(18_000))], flash_mb=board.flash_mb)
    banner = f"\0MicroPython v{version} on 2026-08-24; Generic {board.chip} module\0".encode()
    mapped = app_description(b"1") + banner
    mapped += b"copepod/bus.py\0copepod/gateway.py\0" if frozen else b""
    mapped += noise.randbytes(app_size - len(mapped))
    app = image(chip, [(MAPPED[board.chip], mapped), (RAM[board.chip], noise.randbytes(4_000))])
    app_at = next(part.offset for part in table if part.type == TYPE_APP)
    out = bytearray(b"\xff" * (app_at - board.flash_offset))
    out[: len(boot)] = boot
    at = partitions.TABLE_ADDRESS - board.flash_offset
    out[at : at + partitions.TABLE_SIZE] = partitions.to_bytes(table)
    return bytes(out + app)
