"""`copepod format`: Markdown to Telegram messages with the device's formatter, under MicroPython."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from host_tools.formatting import device
from host_tools.formatting.show import show


def _interpreter() -> str:
    beside = Path(sys.executable).with_name("micropython")
    return str(beside) if beside.exists() else "micropython"


def run(lines, interpreter: str | None = None):  # noqa: ANN001, ANN201
    """Yield an answer for each JSON line."""
    return device.stream(lines, interpreter or _interpreter(), str(device.FIRMWARE))


@click.command("format")
@click.option(
    "--show",
    "picture",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Render the messages made of this Markdown file (- is standard input).",
)
@click.option("--html", is_flag=True, help="With --show: the HTML too.")
@click.option("--interpreter", help="The MicroPython to run (default: the one installed here).")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
def format_command(
    picture: Path | None, html: bool, interpreter: str | None, file: str | None
) -> None:
    """Turn Markdown into the messages that the bot would send.

    Without options it reads JSON lines {"id", "markdown"} and writes {"id", "messages"}. With --show it
    renders the pieces of one file as Telegram would.
    """
    if picture:
        job = json.dumps({"id": 0, "markdown": picture.read_text("utf-8", "replace")})
        for answer in run([job], interpreter):
            show(json.loads(answer)["messages"], html)
        return
    stream = click.open_file(file or "-", "r", "utf-8", "replace")
    for answer in run((line for line in stream if line.strip()), interpreter):
        click.echo(answer)
        sys.stdout.flush()
