"""What is flashed, planned without a board: damaged firmware, images for other offsets, partitions, the file system."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fake_firmware
import pytest

from host_tools.board import boards, esp_image, flash_plan, littlefs_image, partitions
from host_tools.board.boards import Board
from host_tools.board.partitions import TYPE_APP, TYPE_DATA, Partition
from host_tools.errors import UserError


def plan(
    board: Board, data: bytes, files: dict[str, bytes], size: int = 4 << 20
) -> flash_plan.Plan:
    firmware = esp_image.check(Path("f.bin"), data, board.image_id, board.flash_offset)
    return flash_plan.make(board, firmware, firmware.table, files, size)


@pytest.fixture(scope="module")
def good() -> bytes:
    return fake_firmware.firmware(boards.get("c3"))


def test_esptool_accepts_the_generated_images(good: bytes, tmp_path: Path) -> None:
    whole, app = tmp_path / "whole.bin", tmp_path / "app.bin"
    whole.write_bytes(good)
    app.write_bytes(good[0x10000:])
    for path in (whole, app):
        run = subprocess.run(
            [sys.executable, "-m", "esptool", "--chip", "esp32c3", "image-info", path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0
        assert "Validation hash" in run.stdout
        assert run.stdout.count("(valid)") == 2


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: d[:-1], "cut off"),
        (lambda d: d[: len(d) // 2], "cut off"),
        (lambda d: d[:100], "cut off"),
        (lambda d: b"", "cut off"),
        (lambda d: b"<html>" + d[6:], "no ESP firmware"),
        (lambda d: d[:500] + bytes([d[500] ^ 1]) + d[501:], "bootloader's checksum"),
        (lambda d: d[:70_000] + bytes([d[70_000] ^ 1]) + d[70_001:], "app's checksum"),
        (
            lambda d: d[:70_000] + bytes([d[70_000] ^ 1, d[70_001] ^ 1]) + d[70_002:],
            "app's SHA-256 does not match",
        ),
        (lambda d: d[:0x8010] + b"\x11" + d[0x8011:], "partition table is damaged"),
        (lambda d: d[0x10000:], "without its bootloader"),
        (lambda d: d[:1] + b"\0" + d[2:], "0 segments"),
        (lambda d: d.replace(b"MicroPython v", b"CircuitPy   v"), "checksum|SHA-256"),
    ],
)
def test_damaged_firmware_is_refused(
    good: bytes, spoil: Callable[[bytes], bytes], said: str
) -> None:
    board = boards.get("c3")
    with pytest.raises(UserError, match=said) as caught:
        esp_image.check(Path("f.bin"), spoil(good), board.image_id, board.flash_offset)
    assert str(caught.value).startswith("f.bin: ")
    assert str(caught.value).endswith("nothing was written")


def test_every_flipped_bit_is_found(good: bytes) -> None:
    """Anywhere in bootloader, table or app (every 997th byte is tried)."""
    board = boards.get("c3")
    boot = esp_image.check_image(good, 0, "bootloader").length
    app = 0x10000 + esp_image.check_image(good, 0x10000, "app").length
    entries = 0x8000 + 32 * (len(fake_firmware.STOCK_TABLE) + 1)
    for start, end in ((0, boot), (0x8000, entries), (0x10000, app)):
        for at in range(start, end, 997):
            bad = bytearray(good)
            bad[at] ^= 0x10
            with pytest.raises(UserError):
                esp_image.check(Path("f.bin"), bytes(bad), board.image_id, 0)


def test_a_firmware_for_another_offset_is_refused() -> None:
    """An image cut for offset 0x1000 written at 0 is the best-known way to a dead board."""
    esp32 = boards.get("ESP32_GENERIC")
    data = fake_firmware.firmware(esp32)
    with pytest.raises(UserError, match="partition table"):
        esp_image.check(Path("f.bin"), data, esp32.image_id, 0)


def test_old_micropython_and_no_micropython() -> None:
    board = boards.get("c3")
    old = fake_firmware.firmware(board, version="1.22.2")
    with pytest.raises(UserError, match="too old"):
        esp_image.check(Path("f.bin"), old, board.image_id, 0)
    other = fake_firmware.firmware(board, version="x")
    with pytest.raises(UserError, match="not MicroPython"):
        esp_image.check(Path("f.bin"), other, board.image_id, 0)


def test_a_full_partition_is_refused() -> None:
    board = boards.get("c3")
    table = [*fake_firmware.STOCK_TABLE, Partition("vfs", TYPE_DATA, 0x81, 0x200000, 0x10000)]
    data = fake_firmware.firmware(board, table=table)
    files = {"main.py": b"x = 1\n" * 20_000}
    with pytest.raises(UserError, match="partition is full: 1 files of 120000 bytes"):
        plan(board, data, files)


def test_a_table_for_more_flash_than_there_is() -> None:
    board = boards.get("c3")
    table = [*fake_firmware.STOCK_TABLE, Partition("vfs", TYPE_DATA, 0x81, 0x200000, 0x600000)]
    data = fake_firmware.firmware(board, table=table)
    with pytest.raises(UserError, match="board with more flash"):
        plan(board, data, {"main.py": b""})
    assert plan(board, data, {"main.py": b""}, 8 << 20).partition.size == 0x600000


def test_the_file_system_fills_whatever_flash_there_is(good: bytes) -> None:
    """Without a vfs partition MicroPython takes all that follows the last one."""
    board = boards.get("c3")
    for megabytes in (4, 8, 16):
        made = plan(board, good, {"main.py": b"1"}, megabytes << 20)
        assert made.partition.offset == 0x200000
        assert made.partition.size == (megabytes << 20) - 0x200000
        image = made.region("file system").data
        assert len(image) < 0x10000
        assert littlefs_image.files(image, made.partition.size).get("main.py") == b"1"


def test_foreign_mpy_is_refused(good: bytes) -> None:
    board = boards.get("c3")
    for data in (b"M\x05\0\x1f", b"M\x06\x0c\x1f", b"M"):
        with pytest.raises(UserError, match="portable .mpy"):
            plan(board, good, {"main.py": b"", "x.mpy": data})


def test_tables_survive_the_round_trip() -> None:
    table = [*fake_firmware.SMALL_TABLE, Partition("ota_1", TYPE_APP, 17, 0x300000, 0x80000)]
    assert partitions.parse(partitions.to_bytes(table)) == table
    with pytest.raises(UserError, match="empty"):
        partitions.parse(b"\xff" * partitions.TABLE_SIZE)
