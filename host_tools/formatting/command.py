"""`copepod format`: Markdown to Telegram messages with the device's formatter, under MicroPython."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from host_tools import text_files
from host_tools.formatting import device
from host_tools.formatting.show import show


def _interpreter() -> str:
    beside = Path(sys.executable).with_name("micropython")
    return str(beside) if beside.exists() else "micropython"


def run(lines, interpreter: str | None = None):  # noqa: ANN001, ANN201
    """Yield an answer for each JSON line."""
    return device.stream(lines, interpreter or _interpreter(), str(device.FIRMWARE))


def _named(file: str) -> str:
    return "standard input" if file == "-" else file


def _bytes(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _jobs(file: str) -> Iterator[str]:
    """The lines that are not empty; those of standard input as they come."""
    lines = iter(sys.stdin.buffer) if file == "-" else text_files.lines(Path(file))
    for line in lines:
        text = line.decode("utf-8", "replace").removeprefix("\ufeff")
        if text.strip():
            yield text


@click.command("format")
@click.option(
    "--show",
    "picture",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Render the messages made of this Markdown file (- is standard input).",
)
@click.option("--html", is_flag=True, help="With --show: the HTML too.")
@click.option("--interpreter", help="The MicroPython to run (default: the one installed here).")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
def format_command(
    picture: str | None, html: bool, interpreter: str | None, file: str | None
) -> None:
    """Turn Markdown into the messages that the bot would send.

    Without options it reads JSON lines {"id", "markdown"} and writes {"id", "messages"}. With --show it
    renders the pieces of one file as Telegram would.
    """
    if picture:
        text = text_files.decode(_bytes(picture), _named(picture))
        job = json.dumps({"id": 0, "markdown": text})
        for answer in run([job], interpreter):
            show(json.loads(answer)["messages"], html)
        return
    for answer in run(_jobs(file or "-"), interpreter):
        click.echo(answer)
        sys.stdout.flush()
