"""The compiled tree of these sources, made once and kept while something runs from it."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

from host_tools.app import build
from host_tools.paths import BUILD

KEEP_TREES = 3  # of older sources, which may still be running


def app_tree() -> Path:
    """The board's tree as `copepod build` makes it, in a folder of its own for these sources.

    A folder is never changed once it is there, so that a run is not disturbed by a build.
    """
    place = BUILD / "app"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = place / build.digest()[:16]
        if not tree.exists():
            old = [path for path in place.iterdir() if path.is_dir() and not path.suffix]
            old.sort(key=lambda path: path.stat().st_mtime)
            for path in old[:-KEEP_TREES]:
                for leftover in place.glob(f"{path.name}*"):
                    shutil.rmtree(leftover, ignore_errors=True)
            build.build(tree)
    return tree
