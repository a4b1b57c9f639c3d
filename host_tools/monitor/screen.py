"""The monitor's live screen: numbers, sparklines, marks, what they mean, and the log below."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from host_tools.console.serial_io import printable
from host_tools.monitor.model import Model

BARS = "▁▂▃▄▅▆▇█"
BARS_ASCII = "_.-~=+*#"
SPARK_WIDTH = 40
LOG_LINE_MAX = 400
RULE = "watermark falling: leak; steady while the largest block shrinks: fragmentation"
LOG_MIN = 2  # lines of the console that are always there

ROWS = (  # field, what it is, True if its lowest value is the one to watch
    ("gc_free", "GC heap free", True),
    ("gc_used", "GC used, with garbage", False),
    ("gc_live", "GC used after collection", False),
    ("gc_run", "GC largest free run", True),
    ("idf_free", "IDF heap free", True),
    ("idf_big", "IDF largest block", True),
    ("idf_min", "IDF lowest ever", True),
    ("mem_free", "gc.mem_free()", True),
)
MARK_STYLES = {
    "boot": "bold white",
    "tls": "magenta",
    "pair": "bright_magenta",
    "poll": "dim",
    "backoff": "yellow",
    "error": "bold red",
    "stop": "bold red",
}


def sparkline(values: list[int], width: int = SPARK_WIDTH, bars: str = BARS) -> str:
    """The newest values as bars between their lowest and highest."""
    values = values[-width:]
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return bars[len(bars) // 2] * len(values)
    return "".join(bars[(value - low) * (len(bars) - 1) // (high - low)] for value in values)


def clock(seconds: float) -> str:
    """Seconds as 1:02:03."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def memory_table(model: Model, *, spark: int = SPARK_WIDTH, bars: str = BARS) -> Table:
    """The heap fields that this board can tell."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=False)
    table.add_column("", no_wrap=True)
    for title in ("now", "lowest", "highest"):
        table.add_column(title, justify="right", min_width=8, no_wrap=True)
    table.add_column("", no_wrap=True)
    frame = model.last
    for name, label, watch_low in ROWS:
        lowest, highest = model.lowest(name), model.highest(name)
        if lowest is None or highest is None or frame is None:
            continue
        values = [v for _, recent in model.frames if (v := recent[name]) is not None]
        now = frame[name]
        table.add_row(
            label,
            f"{now:,}" if now is not None else "-",
            Text(f"{lowest:,}", style="bold" if watch_low else ""),
            Text(f"{highest:,}", style="" if watch_low else "bold"),
            Text(sparkline(values, spark, bars), style="cyan"),
        )
    return table


def counters(model: Model) -> Text:
    """Messages, connections and the health of the line."""
    frame, stream = model.last, model.stream
    text = Text()
    if frame:
        for name, label in (
            ("in", "in"),
            ("out", "out"),
            ("err", "errors"),
            ("tls", "TLS"),
            ("back", "back-offs"),
        ):
            value = frame[name]
            bad = name == "err" and bool(value)
            text.append(f"{label} ", "dim")
            text.append(f"{'-' if value is None else value}   ", "bold red" if bad else "bold")
    text.append("  line: ", "dim")
    for value, label in (
        (stream.missing, "missing"),
        (stream.damaged, "damaged"),
        (stream.reboots, "reboots"),
    ):
        text.append(f"{value} {label}  ", "bold yellow" if value else "dim")
    return text


def marks_line(model: Model, width: int) -> Text:
    """The newest events, oldest first; polls are left out once there is something to tell."""
    text = Text("events  ", "dim")
    loud = [mark for mark in model.marks if mark.name != "poll"][-12:]
    pieces = [(f"{clock(m.t)} {m.name} {m.value}", MARK_STYLES.get(m.name, "")) for m in loud]
    while pieces and sum(len(piece) + 3 for piece, _ in pieces) + 8 > width:
        pieces.pop(0)
    for piece, style in pieces:
        text.append(piece, style)
        text.append(" · ", "dim")
    return text


def trends_table(model: Model) -> RenderableType:
    """Slopes, fragmentation, and how to read them."""
    text = Text()
    for name, slope in model.trends().items():
        text.append(f"{name} ", "dim")
        text.append(f"{slope}   ", "bold red" if slope.falling else "")
    for heap, share in model.fragmentation().items():
        text.append(f"{heap} fragmented ", "dim")
        text.append(f"{share:.0%}   ", "yellow" if share > 0.5 else "")
    reading = model.reading()
    bad = "leak" in reading or "fragmentation" in reading
    text.append("\n" if text else "")
    text.append(reading, "bold red" if bad else "green" if "steady" in reading else "dim")
    text.append(f"\n{RULE}", "dim italic")
    return text


def _lines(console: Console, parts: list[RenderableType]) -> int:
    return sum(len(console.render_lines(part, pad=False)) for part in parts)


def screen(
    model: Model,
    console: Console,
    *,
    title: str,
    state: str = "",
    alert: str = "",
    height: int | None = None,
) -> Group:
    """Everything, to fit the terminal: the log gets the lines that are left."""
    width = console.width
    height = height or console.height
    bars = BARS if console.encoding.startswith("utf") else BARS_ASCII
    frame = model.last
    head = Text(f"{title}", "bold")
    if frame:
        head.append(f"   {frame.phase}", "bold cyan")
        head.append(f"   up {clock(model.up_s)}   frame {frame.seq}", "dim")
    if state:
        head.append(f"   {state}", "bold yellow")
    if not frame:
        head.append("   no telemetry yet", "dim")
    memory = memory_table(model, spark=max(4, min(SPARK_WIDTH, width - 62)), bars=bars)
    top: list[RenderableType] = [head, memory, counters(model)]
    top += [Text(alert, "bold white on red")] if alert else []
    for part in (trends_table(model), marks_line(model, width)):
        if _lines(console, [*top, part]) + LOG_MIN + 2 < height:
            top.append(part)
    room = max(LOG_MIN, height - _lines(console, top) - 3)
    log = Text(no_wrap=True, overflow="ellipsis")
    rows = list(model.log)[-room:]
    for index, (t, line) in enumerate(rows):
        log.append(f"{clock(t)} ", "dim")
        shown = printable(line[:LOG_LINE_MAX])
        style = "red" if "Traceback" in line or "Error" in line else ""
        log.append(shown + ("\n" if index < len(rows) - 1 else ""), style)
    panel = Panel(log, title="console", title_align="left", border_style="dim", height=room + 2)
    return Group(*top, panel)
