"""ESP partition tables: read them out of an image, find where the file system lies.

Layout (ESP-IDF, "Partition Tables"): 32-byte entries at flash address 0x8000, at most 0xC00
bytes, ended by 0xFF or by an entry that holds the MD5 of those before it.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from host_tools.errors import UserError

TABLE_ADDRESS = 0x8000
TABLE_SIZE = 0xC00
ENTRY = struct.Struct("<HBBII16sI")  # magic, type, subtype, offset, size, label, flags
ENTRY_MAGIC = 0x50AA
MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14

TYPE_APP = 0
TYPE_DATA = 1


class Partition(NamedTuple):
    """One row of the table; offset is a flash address."""

    label: str
    type: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size

    def to_bytes(self) -> bytes:
        """The row as it lies in flash."""
        label = self.label.encode().ljust(16, b"\0")
        return ENTRY.pack(ENTRY_MAGIC, self.type, self.subtype, self.offset, self.size, label, 0)


def parse(table: bytes) -> list[Partition]:
    """Take a table apart; UserError if it is none or its MD5 is wrong."""
    found: list[Partition] = []
    for at in range(0, min(len(table), TABLE_SIZE) - ENTRY.size + 1, ENTRY.size):
        row = table[at : at + ENTRY.size]
        if row[:16] == MD5_MAGIC:
            if row[16:] != hashlib.md5(table[:at]).digest():
                raise UserError("the partition table is damaged: its MD5 does not match")
            break
        if row == b"\xff" * ENTRY.size:
            break
        magic, kind, subtype, offset, size, label, _flags = ENTRY.unpack(row)
        if magic != ENTRY_MAGIC:
            raise UserError(f"no partition table: entry {len(found)} begins with {magic:#06x}")
        name = label.split(b"\0")[0].decode("ascii", "replace")
        found.append(Partition(name, kind, subtype, offset, size))
    if not found:
        raise UserError("the partition table is empty")
    return found


def to_bytes(table: list[Partition]) -> bytes:
    """A whole table with its MD5 entry, padded to TABLE_SIZE."""
    rows = b"".join(partition.to_bytes() for partition in table)
    return (rows + MD5_MAGIC + hashlib.md5(rows).digest()).ljust(TABLE_SIZE, b"\xff")


def filesystem(table: list[Partition], flash_size: int, label: str = "vfs") -> Partition:
    """Where MicroPython will look for its file system on a chip with that much flash.

    A partition of that label if the table has one; otherwise what MicroPython makes at boot: all
    that follows the last partition, to the end of the flash chip.
    """
    for partition in table:
        if partition.label == label:
            if partition.end > flash_size:
                raise UserError(
                    f"partition {label} ends at {partition.end:#x}, the flash at {flash_size:#x}: "
                    "this image is for a board with more flash"
                )
            return partition
    start = max(partition.end for partition in table)
    if start >= flash_size:
        raise UserError(
            f"the firmware's partitions end at {start:#x} and the flash at {flash_size:#x}: "
            "no room for a file system"
        )
    return Partition(label, TYPE_DATA, 0x81, start, flash_size - start)
