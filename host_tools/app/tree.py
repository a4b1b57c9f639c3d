"""The tree that a stock board gets, of these sources: made once, and kept while something runs from it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import click

from host_tools import text_files
from host_tools.app import build
from host_tools.paths import BUILD, FIRMWARE, MPY, ROOT

SOURCE_FILES = ("main.py", "bot.py")  # kept as source on the board: its owner can edit them there
DIGITS = 12  # of a digest, in a folder's name
KEEP = 3  # of older folders beside one, from which something may still run


def app_tree() -> Path:
    """The board's tree, in a folder of its own for these sources.

    It is never changed once it is there, so that a run is not disturbed by a build. Where only bot.py
    is another one, nothing is compiled.
    """
    files = {name: text_files.read(FIRMWARE / name).encode() for name in SOURCE_FILES}
    compiled = BUILD / "app" / build.digest()[:DIGITS]
    tree = compiled / "trees" / hashlib.sha256(repr(files).encode()).hexdigest()[:DIGITS]

    def fill(folder: Path) -> None:
        shutil.copytree(compiled / "mpy", folder)
        for name, data in files.items():
            (folder / name).write_bytes(data)

    compiled.parent.mkdir(parents=True, exist_ok=True)
    with (compiled.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make(compiled, build.write)
        _make(tree, fill)
    return tree


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    """Have the folder filled unless it is there; of those beside it the ones that were used last stay."""
    if not folder.exists():
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.parent.mkdir(exist_ok=True)
        fill(fresh)
        fresh.rename(folder)
        beside = [path for path in folder.parent.iterdir() if path.is_dir() and path != folder]
        for path in sorted(beside, key=lambda path: path.stat().st_mtime)[:-KEEP]:
            shutil.rmtree(path)
    folder.touch()


def benches(tree: Path) -> Path:
    """Where the compiled programs of firmware/bench/ are that belong to a tree of app_tree()."""
    return tree.parents[1] / "bench"


@click.command("build")
def build_command() -> None:
    """Compile the firmware into build/mpy/, with what was joined and renamed for it in build/mpy.source/."""
    tree = app_tree()
    stamp = BUILD / "mpy.stamp"
    # What is up to date is left alone: a gateway may be running from it.
    if not (MPY.is_dir() and stamp.is_file() and stamp.read_text() == str(tree)):
        parts = {"mpy": tree, "mpy.bench": benches(tree), "mpy.source": tree.parents[1] / "source"}
        for name, part in parts.items():
            shutil.rmtree(BUILD / name, ignore_errors=True)
            shutil.copytree(part, BUILD / name)
        stamp.write_text(str(tree))
    sizes = [path.stat().st_size for path in MPY.rglob("*") if path.is_file()]
    click.echo(f"{MPY.relative_to(ROOT)}: {len(sizes)} files, {sum(sizes)} bytes")
