"""`copepod flash`: from a box with a board in it to a bot that answers, in one command."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from host_tools.app import app_files
from host_tools.board import boards, flash_plan, littlefs_image, partitions
from host_tools.board.boards import Board
from host_tools.board.esp_image import FirmwareFile
from host_tools.board.flash_plan import Plan
from host_tools.board.partitions import Partition
from host_tools.console import serial_io
from host_tools.console.ask_port import ask_port
from host_tools.errors import UserError
from host_tools.install import config_file, diagnose, esptool_run, firmware_cache, workspace
from host_tools.install.esptool_run import Probe
from host_tools.paths import ROOT

BAUD = 460800
CONFIG = ROOT / "config.json"


@dataclass
class Options:
    """What the command line asked for."""

    board: str | None
    port: str | None
    firmware: str | None
    config: Path
    baud: int
    erase: bool
    app_only: bool
    keep_config: bool
    dry_run: bool
    stub: bool
    listen_s: float


def bar(console: Console) -> Progress:
    """A progress bar; nothing where there is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def choose_board(wanted: str | None, probe: Probe | None) -> Board:
    """The board asked for, or the one for the chip that was found; UserError if they differ."""
    if wanted is None:
        if probe is None:
            raise UserError("no board is plugged in: say which one you mean with BOARD=…")
        return boards.for_chip(probe.chip)
    board = boards.get(wanted)
    if not board.flashable:
        raise UserError(f"{board.id} is not flashed with esptool: `{board.instead}`")
    if probe is not None and board.chip != probe.chip:
        right = boards.for_chip(probe.chip).id
        raise UserError(
            f"{board.id} has the chip {board.chip}, the one plugged in is {probe.description}: "
            f"use BOARD={right}, or no BOARD="
        )
    return board


def get_firmware(board: Board, given: str | None, console: Console) -> FirmwareFile:
    """The firmware with a bar while it is downloaded."""
    with bar(console) as progress:
        task = progress.add_task("downloading", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)

        return firmware_cache.get(board, given, show, tell=lambda text: console.print("  " + text))


def _find_port(options: Options) -> str | None:
    if options.dry_run and not options.port:
        found = serial_io.ports()
        return found[0].device if len(found) == 1 else None
    return serial_io.choose_port(options.port, ask_port)


def _table_on_board(port: str, board: Board, *, stub: bool) -> list[Partition]:
    data = esptool_run.read_flash(
        port, board.chip, partitions.TABLE_ADDRESS, partitions.TABLE_SIZE, stub=stub
    )
    try:
        return partitions.parse(data)
    except UserError as error:
        raise UserError(f"{error}: this board needs the firmware too, so `make flash`") from None


def _kept_on_board(
    port: str, board: Board, table: list[Partition], flash_size: int, options: Options, c: Console
) -> dict[str, bytes]:
    """The config that is there, its model's root, and the assistant's workspace."""
    where = partitions.filesystem(table, flash_size, board.partition)
    with bar(c) as progress:
        task = progress.add_task("reading the config from the board", total=100)
        data = esptool_run.read_flash(
            port,
            board.chip,
            where.offset,
            where.size,
            stub=options.stub,
            on_progress=lambda _, percent: progress.update(task, completed=percent),
        )
    try:
        found = littlefs_image.files(data, where.size, board.block_size)
    except UserError as error:
        raise UserError(f"{error}: there is no config to keep") from None
    if app_files.CONFIG not in found:
        raise UserError("the board has no config.json to keep: `make provision`")
    return workspace.kept(found)


def flash(options: Options, console: Console) -> None:
    """All of it; UserError is the one line that ends it."""
    if options.board:
        choose_board(options.board, None)  # a wrong name is said before anything is looked for
    files = app_files.app()
    config = None
    if options.dry_run and not options.config.exists():
        console.print(f"  {options.config.name} is not there yet: `make provision` asks for it")
    elif not options.keep_config:
        config = config_file.read_config(options.config)
    port = _find_port(options)
    probe = None
    if port and not options.dry_run:
        console.print(f"Asking the chip on {port} …")
        probe = esptool_run.probe(port)
        console.print(f"  {probe.description}, {probe.flash_size >> 20} MB of flash, {probe.mac}")
    try:
        plan = _plan(files, config, port, probe, options, console)
    except BaseException:
        if port and probe:
            esptool_run.let_go(port, probe.chip)  # the chip waits in its boot ROM
        raise
    for line in plan.summary():
        console.print("  " + line, highlight=False)
    if options.dry_run:
        _dry_run(plan, port or "PORT", options, console)
        return
    assert port is not None
    _write(plan, port, options, console)
    if options.listen_s > 0:
        wait_for_steady(port, options.listen_s, console, "the firmware is written, but")


def _plan(
    files: dict[str, bytes],
    config: bytes | None,
    port: str | None,
    probe: Probe | None,
    options: Options,
    console: Console,
) -> Plan:
    """What will be written, from the board that was found or meant and the firmware for it."""
    board = choose_board(options.board, probe)
    firmware = None
    if not options.app_only:
        firmware = get_firmware(board, options.firmware, console)
        inside = ", with the app inside" if firmware.has_app else ""
        name = firmware.path.name
        console.print(f"  firmware {name}: MicroPython {firmware.version}, whole{inside}")
        if firmware.has_app:
            files = app_files.beside_frozen(files)
    flash_size = probe.flash_size if probe else board.flash_mb << 20
    if firmware is not None:
        table = firmware.table
    elif probe is not None and port is not None:
        table = _table_on_board(port, board, stub=options.stub)
    else:
        table = get_firmware(board, options.firmware, console).table
    beside = {} if config is None else workspace.beside(options.config)
    if options.keep_config and probe is not None and port is not None:
        before = table if firmware is None else _table_on_board(port, board, stub=options.stub)
        beside = _kept_on_board(port, board, before, flash_size, options, console)
        config = beside.pop(app_files.CONFIG)
    whole = {**app_files.with_config(files, config), **beside}
    return flash_plan.make(board, firmware, table, whole, flash_size)


def _write(plan: Plan, port: str, options: Options, console: Console) -> None:
    """The one esptool call. The file system holds secrets: private, and gone afterwards."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="copepod-") as folder, bar(console) as progress:
        task = progress.add_task("writing", total=100 * len(plan.regions))
        placed = []
        for number, region in enumerate(plan.regions):
            path = Path(folder) / f"{number}.bin"
            littlefs_image.write_private(path, region.data)
            placed.append((region.offset, path))
        state = {"done": 0, "last": 0.0}

        def show(what: str, percent: float) -> None:
            if what == "Writing at":
                if percent < state["last"]:
                    state["done"] += 1
                state["last"] = percent
                progress.update(task, completed=100 * state["done"] + percent)

        arguments = flash_plan.esptool_arguments(
            plan.board, port, options.baud, placed, erase=options.erase, stub=options.stub
        )
        output = esptool_run.run(arguments, port, show)
    verified = output.count("Hash of data verified")
    if verified != len(plan.regions):
        raise UserError(
            f"esptool verified {verified} of {len(plan.regions)} parts; {esptool_run.HALF_WRITTEN}"
        )
    seconds = time.monotonic() - began
    console.print(f"[bold]Written and verified[/bold] in {seconds:.0f} s.")


def wait_for_steady(port: str, listen_s: float, console: Console, so_far: str) -> None:
    """Listen; UserError with what is `so_far` and the diagnosis if the board is not steady."""
    console.print("Listening to the board until its gateway is steady …")
    began = time.monotonic()
    source = serial_io.SerialSource(port, serial_io.BAUD, must_exist=False)

    def show(line: str) -> None:
        if line.strip() and not line.startswith("@cp"):
            seconds = timedelta(seconds=int(time.monotonic() - began))  # as 0:00:07
            console.print(f"  {seconds} {line[:200]}", markup=False, highlight=False, style="dim")

    try:
        heard = diagnose.listen(source, listen_s, show)
    finally:
        source.close()
    for note in heard.notes:
        console.print(f"  {note}", markup=False)
    if heard.steady is None:
        found = heard.certain() or heard.best()
        raise UserError(f"{so_far} {found}")
    frame = heard.steady
    values = {name: frame[name] for name in ("gc_free", "gc_live", "idf_free", "idf_big")}
    shown = ", ".join(f"{name} {value:,} B" for name, value in values.items() if value is not None)
    console.print(f"[bold green]Steady[/bold green] after {frame.t_ms / 1000:.1f} s: {shown}")
    console.print("`make monitor` goes on watching it.")


def _dry_run(plan: Plan, port: str, options: Options, console: Console) -> None:
    names = {"firmware": "firmware.bin", "file system": "vfs.bin"}
    placed = [(region.offset, Path(names[region.name])) for region in plan.regions]
    arguments = flash_plan.esptool_arguments(
        plan.board, port, options.baud, placed, erase=options.erase, stub=options.stub
    )
    own = f" --firmware {options.firmware}" if options.firmware else ""
    lines = [
        "Nothing was written. The same by hand, with esptool:",
        f"  copepod image --board {plan.board.id} --config {options.config}{own} --parts -o .",
        "  " + flash_plan.shell("esptool", arguments),
        "or, on a board that runs MicroPython already, with mpremote:",
        f"  mpremote connect {port} fs cp -r build/mpy/* : + fs cp {options.config} :config.json"
        " + reset",
        f"and to watch it:  copepod monitor --port {port}",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@click.command("flash")
@click.option("--board", "-b", envvar="BOARD", help="Board id; without it, found by the chip.")
@click.option("--port", "-p", envvar="PORT", help="Serial port; without it, the only one.")
@click.option("--firmware", "-f", envvar="FIRMWARE", help="firmware.bin (or a URL) of your own.")
@click.option("--config", envvar="CONFIG", type=click.Path(path_type=Path), default=CONFIG)
@click.option("--baud", envvar="BAUD", default=BAUD, show_default=True)
@click.option("--erase", is_flag=True, help="Erase all of the flash first.")
@click.option("--app-only", is_flag=True, help="Write the file system, leave the firmware.")
@click.option("--keep-config", is_flag=True, help="Keep the board's config and workspace.")
@click.option("--dry-run", is_flag=True, help="Show the plan and the equivalent commands.")
@click.option("--no-stub", is_flag=True, help="For chips on which esptool's stub does not start.")
@click.option("--listen", "listen_s", default=diagnose.LISTEN_S, help="Seconds; 0: do not.")
def flash_command(**given: object) -> None:
    """Write firmware, app and config to a board, and listen until its bot is steady."""
    given["stub"] = not given.pop("no_stub")
    options = Options(**given)  # type: ignore[arg-type]
    if options.erase and (options.keep_config or options.app_only):
        raise UserError("--erase leaves nothing to keep: use it without --keep-config, --app-only")
    console = Console(file=sys.stdout)
    for name in (options.board, options.port, options.firmware):
        assert name is None or isinstance(name, str)
    options.board, options.port = options.board or None, options.port or None
    options.firmware = options.firmware or None
    flash(options, console)
