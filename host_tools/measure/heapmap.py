"""The GC heap as a map: what micropython.mem_info(1) prints, read, drawn in the terminal and as PNG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from host_tools.errors import UserError

LINE = 64  # blocks a line, as MicroPython prints them
FREE, HEAD, TAIL = 0, 1, 2
_COLOURS = ((0.95, 0.95, 0.93), (0.10, 0.34, 0.55), (0.44, 0.66, 0.83))


@dataclass
class HeapMap:
    """Blocks of the heap in order, each FREE, HEAD (of an object) or TAIL."""

    label: str
    block_b: int
    blocks: list[int]

    @property
    def used(self) -> int:
        return sum(block != FREE for block in self.blocks)

    def runs(self) -> list[int]:
        """Lengths of the free runs, in blocks."""
        text = "".join("." if block == FREE else "x" for block in self.blocks)
        return [len(run) for run in re.findall(r"\.+", text)]

    @property
    def fragmentation(self) -> float:
        """Share of the free bytes that lie outside the largest run."""
        runs = self.runs()
        return 1 - max(runs) / sum(runs) if runs else 0.0

    def as_dict(self) -> dict[str, Any]:
        runs = self.runs()
        return {
            "label": self.label,
            "used_b": self.used * self.block_b,
            "free_b": sum(runs) * self.block_b,
            "largest_free_b": max(runs, default=0) * self.block_b,
            "free_runs": len(runs),
            "fragmentation": round(self.fragmentation, 4),
        }

    def text(self) -> str:
        """One line in words."""
        told = self.as_dict()
        return (
            f"{self.label}: {told['used_b']:,} B used, {told['free_b']:,} B free in "
            f"{told['free_runs']} runs, the largest {told['largest_free_b']:,} B"
        )


def parse(console: str, label: str, word_bits: int) -> HeapMap:
    """The last map that the console holds; UserError if it holds none."""
    _, found, rest = console.rpartition("GC memory layout; from ")
    if not found:
        raise UserError("the interpreter prints no map of its heap (micropython.mem_info(1))")
    blocks: list[int] = []
    for line in rest.splitlines()[1:]:
        empty = re.match(r"^\s*\((\d+) lines? all free\)", line)
        row = re.match(r"^[0-9a-f]+: (.+)$", line)
        if empty:
            blocks += [FREE] * (int(empty[1]) * LINE)
        elif row:
            blocks += [FREE if c == "." else TAIL if c == "=" else HEAD for c in row[1].rstrip()]
        else:
            break
    return HeapMap(label, word_bits // 2, blocks)


def drawn(found: HeapMap) -> Text:
    """For the terminal: one character for eight blocks, darker where more of them are in use."""
    shades = " ░▒▓█"
    out = Text(found.text() + "\n")
    cells = [found.blocks[at : at + 8] for at in range(0, len(found.blocks), 8)]
    width = 64
    for at in range(0, len(cells), width):
        for cell in cells[at : at + width]:
            used = sum(block != FREE for block in cell)
            out.append(shades[(used * 4 + len(cell) - 1) // len(cell)], style="cyan")
        out.append("\n")
    return out


def plot(maps: list[HeapMap], path: Path, title: str) -> Path:
    """Draw the maps side by side as PNG or SVG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot
    from matplotlib.colors import ListedColormap

    width = 96
    rows = max((len(found.blocks) + width - 1) // width for found in maps)
    figure, axes = pyplot.subplots(
        1, len(maps), figsize=(5.2 * len(maps), 1.4 + rows * 0.075), squeeze=False
    )
    try:
        for axis, found in zip(axes[0], maps, strict=True):
            blocks = found.blocks + [FREE] * (rows * width - len(found.blocks))
            picture = [blocks[at : at + width] for at in range(0, len(blocks), width)]
            axis.imshow(
                picture, cmap=ListedColormap(_COLOURS), vmin=0, vmax=2, interpolation="nearest",
                aspect="auto",
            )  # fmt: skip
            told = found.as_dict()
            axis.set_title(
                f"{found.label}\n{told['used_b']:,} B used, largest free run "
                f"{told['largest_free_b']:,} B of {told['free_b']:,} B",
                fontsize=9,
            )
            axis.set_xticks([])
            axis.set_yticks([])
        note = f"{maps[0].block_b} B a cell; dark: where an object begins, light blue: it goes on"
        figure.suptitle(f"GC heap of the gateway on {title}", fontsize=11)
        figure.text(0.01, 0.01, note, fontsize=8, color="#555555")
        figure.tight_layout(rect=(0, 0.03, 1, 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110, metadata={"Software": None})
    finally:
        pyplot.close(figure)
    return path
