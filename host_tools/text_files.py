"""Text from people, as their editors write it: UTF-8 with or without a mark, UTF-16 with one.

What is neither is refused with its name; nothing is guessed.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from host_tools.errors import UserError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_NO_TEXT = "neither UTF-8 nor UTF-16 with a mark: save it as UTF-8"


def encoding(head: bytes) -> str:
    """The encoding of a file that begins so; "" for one that is no text."""
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    return marked or ("" if b"\0" in head[:4] else "utf-8")


def decode(data: bytes, name: str) -> str:
    """The text of a file's bytes; UserError with `name` and the line if they are none."""
    kind = encoding(data)
    if not kind:
        raise UserError(f"{name}: {_NO_TEXT}")
    try:
        return data.decode(kind)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(
            f"{name}: line {line} is not {kind.upper().removesuffix('-SIG')}: save it as UTF-8"
        ) from None


def read(path: Path) -> str:
    """The text of a file; UserError if it can't be read."""
    try:
        return decode(path.read_bytes(), str(path))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file of any length as UTF-8, with their ends; damage in it stays as it is."""
    try:
        with path.open("rb") as file:
            kind = encoding(file.read(4))
            if not kind:
                raise UserError(f"{path}: {_NO_TEXT}")
            file.seek(len(codecs.BOM_UTF8) if kind == "utf-8-sig" else 0)
            if kind.startswith("utf-8"):
                yield from file
                return
        with path.open(encoding=kind, errors="replace", newline="\n") as text:
            for line in text:
                yield line.encode("utf-8", "replace")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
