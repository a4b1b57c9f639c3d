"""Plots of the report: heap by phase, garbage per message by component. The same input, the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from host_tools.measure.report_text import Results, kind

_COLOURS = ("#1b4f72", "#2e86c1", "#85c1e9", "#b9770e", "#f0b27a", "#7d8a2e", "#a04060", "#888888")


def _pyplot() -> Any:
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "copepod"  # ids in the SVG are otherwise random
    mpl.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
    text = path.read_text() if path.suffix == ".svg" else None
    if text is not None:  # no blanks at line ends in a committed file
        path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n")
    return path


def phases(results: Results, path: Path) -> Path | None:
    """Live GC heap by phase, a line a platform."""
    found = kind(results, "bench-")
    if not found:
        return None
    pyplot = _pyplot()
    figure, axis = pyplot.subplots(figsize=(9, 4.4))
    try:
        for (target, bench), colour in zip(found.items(), _COLOURS, strict=False):
            points = [(p["name"], p["live_b"]) for p in bench["bursts"][-1]["phases"]]
            points += [
                (p["name"], p["live_b"]) for p in (bench["gateway"] or {"phases": []})["phases"]
            ]
            axis.plot(
                [name for name, _ in points],
                [live / 1024 for _, live in points],
                marker="o",
                color=colour,
                label=f"{target}, {bench['word_bits']}-bit, {bench['app']}",
            )
        axis.set_ylabel("live GC heap, KiB")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.25)
        axis.legend(fontsize=8, frameon=False)
        axis.tick_params(axis="x", rotation=25, labelsize=8)
        axis.set_title("Live heap by phase", loc="left")
        figure.tight_layout()
        return _save(figure, path)
    finally:
        pyplot.close(figure)


def garbage(results: Results, path: Path) -> Path | None:
    """Garbage per message, stacked by component, a bar a platform and length."""
    found = kind(results, "audit-")
    bars = [
        (f"{target}\n{int(length):,} units", parts)
        for target, data in found.items()
        for length, parts in data["garbage_b"].items()
        if length == "60"
    ]
    if not bars:
        return None
    pyplot = _pyplot()
    figure, axis = pyplot.subplots(figsize=(9, 1.2 + 0.8 * len(bars)))
    try:
        names = sorted(bars[0][1], key=lambda name: -bars[0][1][name])
        starts = [0.0] * len(bars)
        shown = [n for n in names if any(parts.get(n, 0) > 0 for _, parts in bars)]
        for at, name in enumerate(shown):
            widths = [max(0.0, parts.get(name, 0)) for _, parts in bars]
            axis.barh(
                [label for label, _ in bars], widths, left=starts, height=0.6, label=name,
                color=_COLOURS[at % len(_COLOURS)],
            )  # fmt: skip
            starts = [start + width for start, width in zip(starts, widths, strict=True)]
        axis.set_xlabel("bytes left behind by one message, collector off")
        axis.invert_yaxis()
        axis.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        axis.set_title("Garbage per message by component", loc="left")
        figure.tight_layout()
        return _save(figure, path)
    finally:
        pyplot.close(figure)
