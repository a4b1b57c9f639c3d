"""`copepod new my-bot`: a folder with a bot.py, a test of it, a Makefile and a workflow for CI."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click

from host_tools.errors import UserError
from host_tools.paths import ROOT

TEMPLATE = Path(__file__).with_name("template")
FILES = {
    "bot.py": "bot.py.txt",
    "test_bot.py": "test_bot.py.txt",
    "Makefile": "Makefile.txt",
    ".gitignore": "gitignore.txt",
    ".github/workflows/test.yml": "test.yml.txt",
}
NO_URL = "https://PUT-THE-ADDRESS-OF-COPEPOD-HERE"


def address() -> str | None:
    """Where this Copepod was cloned from, None if CI could not clone it from there."""
    command = ["git", "-C", str(ROOT), "config", "remote.origin.url"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    url = re.sub(r"//[^/@]*@", "//", run.stdout.strip())  # who cloned it is nobody's business
    return url if url.startswith("https://") else None


def make(folder: Path, url: str) -> None:
    """Write the files. UserError where there are some already."""
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise UserError(f"{folder / there[0]} is there already")
    for name, template in FILES.items():
        text = (TEMPLATE / template).read_text()
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("@COPEPOD@", str(ROOT)).replace("@URL@", url))
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}") from None


@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--url", help="Where CI clones Copepod from; without it, where this one comes from.")
def new_command(folder: Path, url: str | None) -> None:
    """Make a folder with a bot of your own, a test, and a workflow that runs it."""
    chosen = url or address()
    make(folder, chosen or NO_URL)
    click.echo(f"{folder}: {', '.join(FILES)}")
    if not chosen:
        click.echo(f"in {folder}/.github/workflows/test.yml, say where Copepod can be cloned from")
    click.echo(f"next: cd {folder} && make test && make run")
