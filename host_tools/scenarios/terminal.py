"""What the commands that run a gateway show, and the folder that they run it in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from host_tools.console.frames import Frame


def screen() -> Console:
    """A console that is as wide as the terminal, and wide enough in a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=110)


@contextmanager
def scratch() -> Iterator[Path]:
    """A private folder for one run; it holds the config and is removed after it."""
    with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
        yield Path(folder)


def phases(frames: list[Frame]) -> Table:
    """The heap at each named phase, and at the last burst and interval."""
    chosen: dict[str, Frame] = {}
    for frame in frames:
        if frame.phase in ("interval", "burst") or frame.phase not in chosen:
            chosen[frame.phase] = frame
    columns = ["mem_free", "gc_free", "gc_used", "gc_live", "in", "out", "err", "tls", "back"]
    title = "GC heap by phase, bytes"
    if any(frame["idf_free"] is not None for frame in frames):
        columns[:4] = ["gc_total", "gc_used", "gc_live", "idf_free", "idf_big", "idf_min"]
        title = "GC heap and the system's heap (idf) by phase, bytes"
    table = Table(title=title, title_justify="left")
    table.add_column("phase")
    for column in columns:
        table.add_column(column, justify="right")
    for frame in sorted(chosen.values(), key=lambda f: f.seq):
        cells = ["-" if frame[c] is None else str(frame[c]) for c in columns]
        table.add_row(frame.phase, *cells)
    return table
