"""Board files: what each board is, where its firmware begins and which pins are free to use.

One `boards/<ID>/board.toml` per board. The tools read everything chip-specific from there, so a
new board is a new file and no code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.errors import UserError
from host_tools.paths import ROOT

BOARDS = ROOT / "boards"


@dataclass(frozen=True)
class Firmware:
    """Stock firmware of a board: where it can be had, and how its file is called."""

    version: str
    url: str

    @property
    def file_name(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Board:
    """One board.toml. Fields of another kind of board are at their defaults."""

    id: str
    name: str
    kind: str  # esp32 | linux | qemu
    folder: Path
    price: str = ""
    ram_kb: int = 0
    chip: str = ""  # esptool's name
    image_id: int = -1  # chip id in an image's header
    flash_offset: int = 0
    flash_mb: int = 0
    partition: str = "vfs"
    block_size: int = 4096
    firmware: Firmware | None = None
    usb_ids: tuple[str, ...] = ()
    led: int | None = None
    button: int | None = None
    safe_pins: tuple[int, ...] = ()
    avoid_pins: str = ""
    gc_initial_kb: int = 0
    tls_block_kb: int = 0
    linux: dict[str, str] = field(default_factory=dict)

    @property
    def flashable(self) -> bool:
        """True if esptool writes this board."""
        return self.kind == "esp32"

    @property
    def instead(self) -> str:
        """The command for a board that esptool does not write."""
        return f"make deploy BOARD={self.id}" if self.linux else "make machine"


def _section(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name, {})
    return value if isinstance(value, dict) else {}


def load(path: Path) -> Board:
    """Read one board.toml; UserError names the file and what is wrong in it."""
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {error}") from error
    chip, firmware = _section(data, "chip"), _section(data, "firmware")
    pins, memory = _section(data, "pins"), _section(data, "memory")
    files = _section(data, "filesystem")
    try:
        board = Board(
            id=data["id"],
            name=data["name"],
            kind=data["kind"],
            folder=path.parent,
            price=data.get("price", ""),
            ram_kb=int(data.get("ram_kb", 0)),
            chip=chip.get("name", ""),
            image_id=int(chip.get("image_id", -1)),
            flash_offset=int(chip.get("flash_offset", 0)),
            flash_mb=int(chip.get("flash_mb", 0)),
            partition=files.get("partition", "vfs"),
            block_size=int(files.get("block_size", 4096)),
            firmware=Firmware(firmware["version"], firmware["url"]) if firmware else None,
            usb_ids=tuple(_section(data, "usb").get("ids", ())),
            led=pins.get("led"),
            button=pins.get("button"),
            safe_pins=tuple(pins.get("safe", ())),
            avoid_pins=pins.get("avoid", ""),
            gc_initial_kb=int(memory.get("gc_initial_kb", 0)),
            tls_block_kb=int(memory.get("tls_block_kb", 0)),
            linux={key: str(value) for key, value in _section(data, "linux").items()},
        )
    except KeyError as error:
        raise UserError(f"{path}: {error.args[0]} is missing") from error
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: {error}") from error
    if board.id != path.parent.name:
        raise UserError(f"{path}: id is {board.id!r}, the folder is {path.parent.name!r}")
    if board.flashable and (board.image_id < 0 or not board.chip):
        raise UserError(f"{path}: [chip] needs name and image_id")
    return board


def all_boards(folder: Path = BOARDS) -> dict[str, Board]:
    """Every board of the tree by its id."""
    boards = [load(path) for path in sorted(folder.glob("*/board.toml"))]
    return {board.id: board for board in boards}


def get(name: str, folder: Path = BOARDS) -> Board:
    """The board of that id, or of that chip name; UserError lists what there is."""
    boards = all_boards(folder)
    if name in boards:
        return boards[name]
    wanted = name.lower().replace("-", "")
    for board in boards.values():
        if wanted in (board.id.lower(), board.chip, board.chip.removeprefix("esp32")):
            return board
    raise UserError(f"no board {name!r}; there are {', '.join(boards)} (`copepod boards`)")


def for_chip(chip: str, folder: Path = BOARDS) -> Board:
    """The flashable board for esptool's chip name."""
    for board in all_boards(folder).values():
        if board.flashable and board.chip == chip:
            return board
    raise UserError(f"no board file for the chip {chip}; add boards/<ID>/board.toml for it")
