"""The board's file system as a file: the app, the roots and the config in a littlefs image.

MicroPython mounts a littlefs only if its block count is exactly that of the partition, so the
image is made for the partition's size. Only its used blocks are kept: littlefs erases a block
before it writes one, so what lies behind them in flash does not matter, and 150 kB are written
instead of 2 MB.
"""

from __future__ import annotations

import stat
from pathlib import Path

from littlefs import LittleFS, LittleFSError

from host_tools.errors import UserError

BLOCK_SIZE = 4096
# What MicroPython's VfsLfs2 mounts with by default; the image must not need more.
READ_SIZE = 32
PROG_SIZE = 32
LOOKAHEAD_SIZE = 32
# Files that tell of this board's owner. They are never left lying in a readable file.
CONFIG_PATH = "config.json"


def read_tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by its path there, in order."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def build(files: dict[str, bytes], size: int, block_size: int = BLOCK_SIZE) -> bytes:
    """An image of a file system of `size` bytes that holds `files`, without its unused blocks.

    The same files give the same bytes. UserError when they do not fit.
    """
    blocks = size // block_size
    if blocks < 2:
        raise UserError(f"{size} bytes are no room for a file system (two blocks at least)")
    # littlefs spreads its blocks over the whole device. A file system just large enough, grown
    # at the end to the partition's size, keeps them together.
    whole = _filled(files, blocks, block_size)
    if whole is None:
        total = sum(map(len, files.values()))
        raise UserError(
            f"the partition is full: {len(files)} files of {total} bytes do not fit "
            f"into {blocks * block_size} bytes"
        )
    for count in range(whole.used_block_count, blocks):
        small = _filled(files, count, block_size)
        if small is not None:
            small.fs_grow(blocks)
            return bytes(small.context.buffer[: count * block_size])
    return bytes(whole.context.buffer)


def _filled(files: dict[str, bytes], blocks: int, block_size: int) -> LittleFS | None:
    """A file system of `blocks` blocks with the files in it; None if they do not fit."""
    fs = LittleFS(
        block_size=block_size,
        block_count=blocks,
        read_size=READ_SIZE,
        prog_size=PROG_SIZE,
        lookahead_size=LOOKAHEAD_SIZE,
    )
    try:
        for path, data in sorted(files.items()):
            parent = path.rpartition("/")[0]
            if parent:
                fs.makedirs(parent, exist_ok=True)
            with fs.open(path, "wb") as handle:
                handle.write(data)
    except LittleFSError as error:
        if error.code == LittleFSError.Error.LFS_ERR_NOSPC:
            return None
        raise UserError(f"cannot make the file system: {error}") from error
    return fs


def mount(image: bytes, size: int, block_size: int = BLOCK_SIZE) -> LittleFS:
    """A file system from what lies in flash; UserError if there is none."""
    fs = LittleFS(block_size=block_size, block_count=size // block_size, mount=False)
    fs.context.buffer[:] = image.ljust(size, b"\xff")[:size]
    try:
        fs.mount()
    except LittleFSError as error:
        raise UserError(f"no file system of {size} bytes there ({error})") from None
    return fs


def files(image: bytes, size: int, block_size: int = BLOCK_SIZE) -> dict[str, bytes]:
    """Every file of an image by its path; UserError if there is no file system."""
    fs = mount(image, size, block_size)
    found: dict[str, bytes] = {}
    for folder, _, names in fs.walk("/"):
        for name in names:
            path = f"{folder}/{name}".strip("/")
            try:
                with fs.open(path, "rb") as handle:
                    found[path] = handle.read()
            except (LittleFSError, OSError):
                continue
    return found


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whatever the umask is."""
    path.unlink(missing_ok=True)
    path.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    path.write_bytes(data)
