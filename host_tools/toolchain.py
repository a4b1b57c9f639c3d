"""`copepod toolchain`: the interpreters that tests and figures run on, found or built."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from host_tools.builds.interpreters import INTERPRETERS
from host_tools.builds.interpreters import interpreter as build_interpreter
from host_tools.errors import UserError
from host_tools.pages import pages_command

WHEEL = "unix"


def names() -> list[str]:
    """Every interpreter that `copepod toolchain` knows."""
    return [WHEEL, *INTERPRETERS]


def interpreter(name: str, *, frozen: bool = False) -> Path:
    """Path of interpreter `name`, built if need be; `frozen` asks for the application inside."""
    if name == WHEEL:
        if frozen:
            raise UserError(
                "unix is a ready-made interpreter: it can't have the application in it"
            )
        path = Path(sys.executable).parent / "micropython"
        if not path.exists():
            raise UserError(f"{path} is missing: run `make venv`")
        return path
    if name not in INTERPRETERS:
        raise UserError(f"no interpreter is called {name!r}: there are {', '.join(names())}")
    return build_interpreter(name, frozen=frozen)


def runner(name: str) -> list[str]:
    """What goes before the interpreter's path where the machine can't run it itself."""
    return list(INTERPRETERS[name].runner) if name in INTERPRETERS else []


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
    from host_tools.targets import TARGETS

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
    from host_tools.builds.sources import LOCK, write_lock

    write_lock(suite)
    click.echo(LOCK)


@toolchain_command.command("frozen")
def frozen_command() -> None:
    """Write build/frozen/, what a board's manifest freezes into a firmware of your own."""
    from host_tools.builds.interpreters import FROZEN, write_generated

    write_generated()
    click.echo(FROZEN)


toolchain_command.add_command(pages_command)
