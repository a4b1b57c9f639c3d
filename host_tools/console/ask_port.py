"""Which of several serial ports? The question that every command with a board asks."""

from __future__ import annotations

import sys

import click

from host_tools.console.serial_io import Port
from host_tools.errors import UserError


def ask_port(found: list[Port]) -> Port:
    """Let the person at the terminal choose; UserError where nobody can be asked."""
    if not sys.stdin.isatty():
        names = ", ".join(port.device for port in found)
        raise UserError(f"several ports: {names}; choose one with PORT=…")
    for number, port in enumerate(found, 1):
        click.echo(f"  {number}  {port.device:<16} {port.description}  {port.usb_id}")
    number = click.prompt("Which one", type=click.IntRange(1, len(found)), default=1)
    return found[number - 1]
