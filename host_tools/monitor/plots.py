"""Plots of a recording: both heaps over time, with the events that explain them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from host_tools.errors import UserError
from host_tools.monitor.model import Mark, Model

# field, label, colour, width
GC_LINES = (
    ("gc_free", "free", "#1f77b4", 1.6),
    ("gc_used", "used, with garbage", "#ff7f0e", 1.2),
    ("gc_live", "used after collection", "#d62728", 1.6),
    ("gc_run", "largest free run", "#2ca02c", 1.2),
)
IDF_LINES = (
    ("idf_free", "free", "#1f77b4", 1.6),
    ("idf_big", "largest block", "#2ca02c", 1.2),
    ("idf_min", "lowest ever", "#7f7f7f", 1.0),
)
MESSAGE_LINES = (  # what comes in is drawn wider, for what goes out mostly lies on it
    ("in", "in", "#aec7e8", 4.0),
    ("out", "out", "#2ca02c", 1.2),
    ("err", "errors", "#d62728", 1.2),
)
MARK_COLOURS = {
    "boot": "#000000",
    "wifi": "#2ca02c",
    "clock": "#2ca02c",
    "tls": "#9467bd",
    "ready": "#2ca02c",
    "pair": "#e377c2",
    "backoff": "#ff7f0e",
    "error": "#d62728",
    "stop": "#000000",
}
QUIET_MARKS = ("poll",)  # one every long poll: a tick on the axis, no label
MAX_LABELS = 24


def plot(model: Model, path: Path, title: str) -> None:
    """Write a PNG or SVG (by the file's ending). UserError if there is nothing to draw."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise UserError(f"{path}: a plot is .png or .svg")
    if not model.frame_count:
        raise UserError("no telemetry frames: nothing to plot")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    idf = [line for line in IDF_LINES if model.series(line[0])]
    rows = 3 if idf else 2
    ratios = [3, 3, 1.2] if idf else [3, 1.2]
    figure, axes = pyplot.subplots(
        rows, 1, sharex=True, figsize=(11, 2.2 + 2.4 * rows), height_ratios=ratios
    )
    try:
        span = model.frames[-1][0] - model.first_t
        unit, scale = ("h", 3600.0) if span > 7200 else ("min", 60.0) if span > 300 else ("s", 1.0)
        _heap(axes[0], model, GC_LINES, "GC heap, kB", scale)
        if idf:
            _heap(axes[1], model, tuple(idf), "IDF heap, kB", scale)
        _messages(axes[-1], model, scale)
        _marks(axes, list(model.marks), scale)
        axes[-1].set_xlabel(f"time, {unit}")
        figure.suptitle(title, fontsize=12, x=0.01, ha="left")
        figure.text(0.01, 0.005, model.reading(), fontsize=8, color="#555555")
        figure.tight_layout(rect=(0, 0.02, 1, 0.99))
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    finally:
        pyplot.close(figure)


def _heap(
    axis: Any,
    model: Model,
    lines: tuple[tuple[str, str, str, float], ...],
    label: str,
    scale: float,
) -> None:
    for name, text, colour, width in lines:
        points = model.series(name)
        if points:
            times = [t / scale for t, _ in points]
            values = [value / 1000 for _, value in points]
            dots = "." if len(points) < 60 else None
            axis.plot(times, values, label=text, color=colour, linewidth=width, marker=dots)
    axis.set_ylabel(label)
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.25)
    axis.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False)


def _messages(axis: Any, model: Model, scale: float) -> None:
    for name, text, colour, width in MESSAGE_LINES:
        points = model.series(name)
        if points:
            times, values = [t / scale for t, _ in points], [v for _, v in points]
            axis.step(times, values, where="post", label=text, color=colour, linewidth=width)
    axis.set_ylabel("messages")
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.25)
    axis.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False)


def _marks(axes: Any, marks: list[Mark], scale: float) -> None:
    """A line through all panels for each event, its name above where names still fit."""
    loud = [mark for mark in marks if mark.name not in QUIET_MARKS]
    labelled = (
        loud if len(loud) <= MAX_LABELS else [m for m in loud if m.name in ("boot", "error")]
    )
    low, high = axes[0].get_xlim()
    last = -1e9
    level = 0
    for mark in loud:
        x = mark.t / scale
        colour = MARK_COLOURS.get(mark.name, "#7f7f7f")
        for axis in axes:
            axis.axvline(x, color=colour, linewidth=0.8, alpha=0.5, linestyle="--")
        if mark in labelled[:MAX_LABELS]:
            # names of events close together are staggered
            level = (level + 1) % 6 if x - last < (high - low) * 0.06 else 0
            last = x
            axes[0].annotate(
                mark.name, (x, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 3 + 9 * level),
                textcoords="offset points", fontsize=7, color=colour, annotation_clip=False,
            )  # fmt: skip
    for mark in marks:
        if mark.name in QUIET_MARKS:
            axes[-1].plot([mark.t / scale], [0], marker="|", color="#7f7f7f", clip_on=False)
