"""`copepod boards`: the boards of the tree as a table, one in full, and firmware files entered as checked."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from host_tools.board import boards
from host_tools.board.boards import Board
from host_tools.errors import UserError
from host_tools.install import firmware_cache


@click.command("boards")
@click.option("--lock", is_flag=True, help="Enter firmware files that you have checked.")
@click.argument("names", nargs=-1, metavar="[NAME | --lock FILE…]")
def boards_command(lock: bool, names: tuple[str, ...]) -> None:
    """List the boards, or say everything about some.

    With --lock the hashes of the files named go to boards/firmware.lock: from then on a download of
    that name has to be the same.
    """
    console = Console()
    if lock:
        _enter([Path(name) for name in names], console)
        return
    if names:
        for name in names:
            _describe(boards.get(name), console)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    every = boards.all_boards()
    table.add_column("board", no_wrap=True, min_width=max(map(len, every)))  # the name is typed
    for title in ("what it is", "price"):
        table.add_column(title)
    for title in ("RAM", "flash", "GC heap", "free pins"):
        table.add_column(title, justify="right", no_wrap=True)
    for board in every.values():
        table.add_row(
            board.id,
            board.name,
            board.price or "-",
            _size(board.ram_kb),
            f"{board.flash_mb} MB" if board.flash_mb else "-",
            f"{_size(board.gc_initial_kb)}+" if board.gc_initial_kb else "-",
            str(len(board.safe_pins)) if board.safe_pins else "-",
        )
    console.print(table)
    console.print("\nGC heap: what MicroPython begins with at boot; it grows once.")
    console.print("`copepod boards NAME` says more; `make flash BOARD=NAME` puts the bot on it.")


def _enter(paths: list[Path], console: Console) -> None:
    if not paths:
        raise UserError("--lock: name the firmware files")
    for firmware in firmware_cache.enter(paths, firmware_cache.LOCK):
        console.print(f"{firmware.path.name}  SHA-256 {firmware.sha256}", soft_wrap=True)
    console.print(f"entered into {firmware_cache.LOCK.name}: commit it", soft_wrap=True)


def _size(kilobytes: int) -> str:
    if not kilobytes:
        return "-"
    return f"{kilobytes} kB" if kilobytes < 4096 else f"{kilobytes // 1024} MB"


def _describe(board: Board, console: Console) -> None:
    rows: list[tuple[str, str]] = [("what it is", board.name), ("price", board.price)]
    if board.flashable and board.firmware:
        gap = board.tls_block_kb
        rows += [
            ("chip", f"{board.chip}, image id {board.image_id}"),
            ("flash", f"{board.flash_mb} MB or more, firmware at {board.flash_offset:#x}"),
            ("firmware", f"MicroPython {board.firmware.version}: {board.firmware.url}"),
            ("RAM", f"{board.ram_kb} kB; GC heap begins with {board.gc_initial_kb} kB"),
            ("TLS", f"wants a free IDF block of {gap} kB at the handshake"),
            ("LED, button", f"{board.led}, {board.button}"),
            ("free pins", ", ".join(map(str, board.safe_pins))),
            ("leave alone", board.avoid_pins),
            ("seen on USB as", ", ".join(board.usb_ids)),
        ]
    rows += [(key, value) for key, value in board.linux.items()]
    console.print(f"[bold]{board.id}[/bold]")
    for key, value in rows:
        if value:
            console.print(f"  {key:<15} {value}", highlight=False, soft_wrap=True)
