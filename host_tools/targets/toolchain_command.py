"""`copepod toolchain`: the interpreters that tests and figures run on, found or built."""

from __future__ import annotations

import click

from host_tools.targets import TARGETS
from host_tools.toolchain.interpreters import FROZEN, INTERPRETERS, write_generated
from host_tools.toolchain.locate import WHEEL, interpreter
from host_tools.toolchain.pages import pages_command
from host_tools.toolchain.sources import LOCK, write_lock


@click.group("toolchain", invoke_without_command=True)
@click.pass_context
def toolchain_command(context: click.Context) -> None:
    """Find or build the MicroPython interpreters."""
    if context.invoked_subcommand is None:
        click.echo(f"{WHEEL:8} the interpreter that pip installed, inside a Python process")
        for spec in INTERPRETERS.values():
            click.echo(f"{spec.name:8} {spec.summary}")


@toolchain_command.command("path")
@click.argument("target")
@click.option("--frozen", is_flag=True, help="The build that has the application in it.")
def path_command(target: str, frozen: bool) -> None:
    """Print the interpreter's path as the last line, building it first if need be."""
    click.echo(interpreter(target, frozen=frozen))


@toolchain_command.command("build")
@click.argument("targets", nargs=-1)
@click.option("--frozen", "flavours", flag_value="frozen", help="Only with the application.")
@click.option("--stock", "flavours", flag_value="stock", help="Only without it.")
def build_command(targets: tuple[str, ...], flavours: str | None) -> None:
    """Build TARGETS (every interpreter when none or "all" is named), with the app and without.

    Targets that are no interpreters of the toolchain (rv32, board) are passed over.
    """
    wanted = tuple(INTERPRETERS) if not targets or "all" in targets else targets
    for name in wanted:
        if name in TARGETS and name not in INTERPRETERS:
            continue
        for frozen in (False, True):
            if flavours in (None, "frozen" if frozen else "stock"):
                path = interpreter(name, frozen=frozen)
                label = f"{name}{' frozen' if frozen else ''}"
                click.echo(f"{label:14} {path.stat().st_size:9,} B  {path}")


@toolchain_command.command("lock")
@click.option("--suite", default="trixie", show_default=True)
def lock_command(suite: str) -> None:
    """Write boards/sources.lock anew for the source packages that SUITE has now."""
    write_lock(suite)
    click.echo(LOCK)


@toolchain_command.command("frozen")
def frozen_command() -> None:
    """Write build/frozen/, what a board's manifest freezes into a firmware of your own."""
    write_generated()
    click.echo(FROZEN)


toolchain_command.add_command(pages_command)
