"""The compiled tree of these sources, made once and kept while something runs from it."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from host_tools import text_files
from host_tools.app import build
from host_tools.errors import UserError
from host_tools.paths import BUILD, FIRMWARE

DIGITS = 12  # of a digest, in a folder's name
KEEP_TREES = 3  # of older sources, which may still be running


def app_tree() -> Path:
    """The board's tree as `copepod build` makes it, in a folder of its own for these sources.

    A folder is never changed once it is there, so that a run is not disturbed by a build. Where only
    bot.py is another one, nothing is compiled.
    """
    place = BUILD / "app"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        application = build.digest(but=build.SOURCE_FILES)[:DIGITS]
        tree = place / (application + build.digest()[:DIGITS])
        if not tree.exists():
            old = [path for path in place.iterdir() if path.is_dir() and not path.suffix]
            old.sort(key=lambda path: path.stat().st_mtime)
            for path in old[:-KEEP_TREES]:
                for leftover in place.glob(f"{path.name}*"):
                    shutil.rmtree(leftover, ignore_errors=True)
            alike = [path for path in old[-KEEP_TREES:] if path.name.startswith(application)]
            if alike:
                _copy(alike[-1], tree)
            else:
                build.build(tree)
    return tree


def chosen_bot() -> dict[str, bytes]:
    """`{"bot.py": …}` of the file that BOT=path/to/bot.py names; empty without it. UserError if it can't be read."""
    named = os.environ.get("BOT")
    if not named:
        return {}
    try:
        return {"bot.py": text_files.read(Path(named)).encode()}
    except OSError as error:
        raise UserError(f"BOT={named}: {error.strerror}") from None


def _copy(old: Path, tree: Path) -> None:
    """The tree `old` with the sources of today, and what the build has put beside it."""
    for suffix in (".bench", ".source"):
        shutil.copytree(f"{old}{suffix}", f"{tree}{suffix}", dirs_exist_ok=True)
    shutil.copyfile(f"{old}.names", f"{tree}.names")
    fresh = tree.with_name(tree.name + ".copy")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(old, fresh)
    for name in build.SOURCE_FILES:
        (fresh / name).write_bytes(text_files.read(FIRMWARE / name).encode())
    fresh.rename(tree)
