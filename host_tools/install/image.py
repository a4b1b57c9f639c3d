"""`copepod image`: what flash would write, as one file for offset 0 and a web flasher's manifest.

For handing a board's contents on: to a web page that flashes from the browser (ESP Web Tools), to
a production line, or to esptool on another machine.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import click
from rich.console import Console

from host_tools.app import app_files
from host_tools.board import boards, esp_image, flash_plan, littlefs_image
from host_tools.board.flash_plan import Plan
from host_tools.errors import UserError
from host_tools.install import config_file, workspace
from host_tools.install.flash import get_firmware
from host_tools.paths import BUILD

MANIFEST = "manifest.json"


def single(plan: Plan) -> bytes:
    """The whole plan as one file that is written at offset 0; gaps are erased flash (0xFF)."""
    end = max(region.end for region in plan.regions)
    image = bytearray(b"\xff" * end)
    for region in plan.regions:
        image[region.offset : region.end] = region.data
    return bytes(image)


def manifest(images: list[tuple[boards.Board, str]]) -> dict[str, object]:
    """An ESP Web Tools manifest: one build a chip, one part at offset 0 each."""
    return {
        "name": "Copepod",
        "version": metadata.version("copepod"),
        "new_install_prompt_erase": True,
        "builds": [
            {
                "chipFamily": esp_image.chip_name(board.image_id),
                "parts": [{"path": name, "offset": 0}],
            }
            for board, name in images
        ],
    }


def make_plan(
    board: boards.Board,
    config: bytes | None,
    firmware: str | None,
    flash_mb: int | None,
    console: Console,
    more: dict[str, bytes] | None = None,
) -> Plan:
    """The plan for a board that is not here. `more` are files beside the app's, or instead."""
    if not board.flashable:
        raise UserError(f"{board.id} has no flash image: `{board.instead}`")
    image = get_firmware(board, firmware, console)
    files = app_files.app()
    if image.has_app:
        files = app_files.beside_frozen(files)
    whole = app_files.with_config({**files, **(more or {})}, config)
    return flash_plan.make(board, image, image.table, whole, (flash_mb or board.flash_mb) << 20)


@click.command("image")
@click.option("--board", "-b", "names", multiple=True, envvar="BOARD", help="Once or more often.")
@click.option("--firmware", "-f", envvar="FIRMWARE", help="firmware.bin of your own.")
@click.option("--config", envvar="CONFIG", type=click.Path(path_type=Path), help="Put it inside.")
@click.option("--flash-mb", type=int, help="Size of the board's flash (its board.toml says one).")
@click.option("--parts", is_flag=True, help="firmware.bin and vfs.bin as files of their own.")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=BUILD / "image")
def image_command(
    names: tuple[str, ...],
    firmware: str | None,
    config: Path | None,
    flash_mb: int | None,
    parts: bool,
    output: Path,
) -> None:
    """Write a board's contents as a file for offset 0, with an ESP Web Tools manifest.

    Without --config no Wi-Fi password and no token are in it, and it may be published.
    """
    console = Console()
    if not names:
        ids = [board.id for board in boards.all_boards().values() if board.flashable]
        raise UserError(f"say for which board: BOARD=… ({', '.join(ids)})")
    if firmware and len(names) > 1:
        raise UserError("a firmware file is for one board")
    settings = config_file.read_config(config) if config else None
    beside = workspace.beside(config) if config else {}
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        board = boards.get(name)
        plan = make_plan(board, settings, firmware or None, flash_mb, console, beside)
        if parts:
            kinds = {"firmware": "firmware.bin", "file system": "vfs.bin"}
            for region in plan.regions:
                _write(output / kinds[region.name], region.data, private=settings is not None)
                console.print(f"{output / kinds[region.name]} for {region.offset:#x}")
            continue
        path = output / f"{board.id}.bin"
        _write(path, single(plan), private=settings is not None)
        written.append((board, path.name))
        console.print(f"{path} for offset 0x0, {path.stat().st_size} bytes", soft_wrap=True)
    if written:
        (output / MANIFEST).write_text(json.dumps(manifest(written), indent=2) + "\n")
        console.print(f"{output / MANIFEST} for ESP Web Tools", soft_wrap=True)
    if settings is None:
        console.print("No config inside: `copepod config --push` sends one to the board.")
    else:
        console.print("[bold]Your Wi-Fi password and token are inside: do not publish it.[/bold]")


def _write(path: Path, data: bytes, *, private: bool) -> None:
    if private:
        littlefs_image.write_private(path, data)
    else:
        path.write_bytes(data)
