"""Where things are: the project's own folders, and places outside of it that belong to the user."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRMWARE = ROOT / "firmware"
BUILD = ROOT / "build"
MPY = BUILD / "mpy"
RESULTS = ROOT / "results"


def cache_folder(name: str) -> Path:
    """The user's cache for one kind of file; clones share it. COPEPOD_CACHE says where."""
    own = os.environ.get("COPEPOD_CACHE")
    if own:
        return Path(own) / name
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "copepod" / name
