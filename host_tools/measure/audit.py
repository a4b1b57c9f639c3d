"""`copepod audit`: bytes allocated per message by component, and the study's advice measured.

copepod audit                     # on unix32, whose words are a board's
copepod audit --target unix64

Writes results/audit-<target>.json, and the heap before and after a thousand messages as a map
(docs/plots/heap-map-<target>.png). The rows of the second table are firmware/bench/audit_*.py, both sides.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from host_tools import targets
from host_tools.errors import UserError
from host_tools.measure import heapmap, phases
from host_tools.measure.soak import SHORT_POLL
from host_tools.scenarios import corpus, engine, results
from host_tools.scenarios.terminal import screen
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device, Start, Target

PLOTS = results.ROOT / "docs" / "plots"
HEAP = "4M"  # nothing is collected while garbage is counted
# By length in UTF-16 units: messages before the first reading and between the two, and the heap,
# small since each note of gc.mem_alloc() walks through all of it.
LENGTHS = {60: (24, 40, "1M"), 4096: (8, 8, "1M")}
# In a heap that is what it is the application can't load without the collector, and there is no
# room for more: it is switched off by a message, once the gateway is warm. What measures comes with
# the bot, after the application and still within the bounds that loading has (copepod/room.py).
OWN_HEAP_LENGTHS = {60: (8, 12), 4096: (4, 4)}
INSTALL = "import audit_path\naudit_path.install()\n"
QUIET_BOT = (
    INSTALL
    + """\
import gc
from copepod.handlers import on_command

@on_command("quiet", "collect for the last time")
async def quiet(msg):
    gc.collect()
    gc.disable()
"""
)
MAP_MESSAGES = 1000
MAP_WARM = 16

# module of firmware/bench/, the study's recommendation, what it estimated
STUDY = (
    ("audit_patterns", "1. compile the patterns once", "about 20 KB per answer"),
    ("audit_message", "2. a struct instead of the metadata map", "about 560 B per message"),
    ("audit_health", "3. the health server behind a build tag", "about 300 kB of RSS"),
    ("audit_buffers", "4. pool byte buffers", "-"),
    ("audit_config", "5. trim the config to Telegram", "about 5 kB"),
    ("audit_logger", "6. fewer logger maps", "about 1,600 B per message"),
)


@dataclass
class AuditRow:
    """One side of a recommendation: bytes of garbage per call, or bytes kept."""

    module: str
    kind: str
    label: str
    bytes: float

    def told(self) -> str:
        """The figure with what it counts."""
        if self.kind == "fails":
            return "fails"
        return f"{self.bytes:,.0f} B {'kept' if self.kind == 'kept' else 'per call'}"


@dataclass
class Audit:
    """All of one `copepod audit`."""

    target: str
    word_bits: int
    interpreter: str
    components: dict[int, dict[str, float]] = field(default_factory=dict)  # by length
    kept: dict[str, dict[str, int]] = field(default_factory=dict)  # by frozen, mpy
    rows: list[AuditRow] = field(default_factory=list)
    maps: list[heapmap.HeapMap] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "word_bits": self.word_bits,
            "interpreter": self.interpreter,
            "garbage_b": {str(length): parts for length, parts in self.components.items()},
            "live_b": self.kept,
            "rows": [asdict(row) for row in self.rows],
            "heap_map": [found.as_dict() for found in self.maps],
        }


# --- the running gateway, by component


class Session:
    """The gateway on a target with a simulator of its own."""

    def __init__(self, target: Target, folder: Path, extra: dict[str, Any], **how: Any) -> None:
        self.sim = Simulator(host=target.listen, names=[target.address])
        self.target = target
        self.folder = folder
        self.extra = extra
        self.how = how
        self.sent = 0

    def __enter__(self) -> Session:
        self.sim.__enter__()
        files = {**engine.files_for(self.sim), **self.how.pop("files", {})}
        config = engine.gateway_config(self.sim, self.target, self.extra)
        self.device: Device = self.target.start(
            Start(config, workdir=self.folder, files=files, **self.how)
        )
        if not self.device.wait(
            lambda: self.device.frames.phase("steady"), 30 * self.target.patience
        ):
            self.device.stop()
            self.sim.__exit__(None, None, None)
            raise UserError(f"the gateway does not start:\n{last_lines(self.device)}")
        return self

    def __exit__(self, *_: object) -> None:
        self.device.stop()
        self.sim.__exit__(None, None, None)

    def send(self, text: str) -> None:
        """Send one text and wait until the gateway has answered it, whatever the pieces."""
        self.sent += 1
        update = self.sim.push_text(text)
        if not self.sim.wait(
            lambda: self.sim.confirmed >= update or self.device.ended, 30 * self.target.patience
        ):
            raise UserError(f"a message is not answered:\n{last_lines(self.device)}")

    def burst(self, count: int, length: int, scripts: tuple[str, ...] = corpus.SCRIPTS) -> None:
        """Send `count` texts of the corpus at once, and wait for all the answers."""
        update = 0
        for _ in range(count):
            script = scripts[self.sent % len(scripts)]
            update = self.sim.push_text(corpus.text(self.sent, script, length)[0])
            self.sent += 1
        if not self.sim.wait(
            lambda: self.sim.confirmed >= update or self.device.ended, 120 * self.target.patience
        ):
            raise UserError(f"{count} messages are not answered:\n{last_lines(self.device)}")
        if self.device.ended:
            raise UserError(f"the gateway has ended:\n{last_lines(self.device)}")


def last_lines(device: Device) -> str:
    """The end of what a device said."""
    return "\n".join(device.text().splitlines()[-8:])


def components(target: Target, length: int, app: str = "frozen") -> dict[str, float]:
    """Garbage per message of `length` units by component, in bytes, over verified TLS."""
    warm, count, heap = LENGTHS[length]
    how: dict[str, Any] = {"heap": heap, "gc": "off", "pre": INSTALL}
    own_heap = target.default_heap is None
    if own_heap:
        warm, count = OWN_HEAP_LENGTHS[length]
        how = {"bot": QUIET_BOT}
    with (
        tempfile.TemporaryDirectory(prefix="copepod-") as folder,
        Session(
            target,
            Path(folder),
            {
                "telemetry": {"interval_s": 1, "collect": False},
                "channels": {"telegram": {"allow_from": [str(USER)], "poll_timeout_s": 1}},
            },
            app=app,
            files={"audit_path.mpy": phases.compiled("audit_path")},
            **how,
        ) as session,
    ):
        session.burst(warm, length)
        if own_heap:
            session.send("/quiet")
        before = _reading(session, session.sent)
        session.burst(count, length)
        after = _reading(session, session.sent)
    found = {name: (after[name] - before[name]) / count for name in after}
    # Frames come once a second, not per message: what they cost stands in its own row.
    return {name: round(value, 1) for name, value in found.items()}


def _reading(session: Session, received: int) -> dict[str, int]:
    """The components' bytes at the first frame with so many messages received."""
    device = session.device
    pattern = rf"^@path {received};(.*)$"
    line = device.wait_line(pattern, 15 * session.target.patience)
    if line is None:
        raise UserError(f"no reading after {received} messages:\n{last_lines(device)}")
    parts = re.findall(r"([^;=]+)=(-?\d+)", line.text.partition(";")[2])
    return {name: int(value) for name, value in parts}


def kept(target: Target, app: str) -> dict[str, int]:
    """The live heap of the steady gateway by component, in bytes."""
    with (
        tempfile.TemporaryDirectory(prefix="copepod-") as folder,
        Session(
            target,
            Path(folder),
            {"telemetry": {"interval_s": 1}, **SHORT_POLL},
            heap=HEAP,
            app=app,
            pre="import audit_heap\naudit_heap.install()",
            files={"audit_heap.mpy": phases.compiled("audit_heap")},
        ) as session,
    ):
        session.burst(8, 60)
        seen = len(session.device.find("^@kept "))
        session.device.wait(lambda: len(session.device.find("^@kept ")) > seen, 5)
        line = session.device.find("^@kept ")[-1].text
    parts = re.findall(r"([^;=]+)=(-?\d+)", line.partition(";")[2])
    return {name: int(value) for name, value in parts}


# --- the study's recommendations


def recommendation(target: Target, module: str, app: str = "mpy") -> list[AuditRow]:
    """Run one firmware/bench/audit_*.py."""
    with tempfile.TemporaryDirectory(prefix="copepod-") as folder:
        device = phases.start(
            target,
            "audit",
            f"main({module!r})",
            workdir=Path(folder),
            heap=HEAP,
            app=app,
            files={f"{module}.mpy": phases.compiled(module)},
        )
        console = phases.finish(device, 60 * target.patience)
    found = re.findall(r"^@row (\w+)\|([^|]+)\|(-?[\d.]+)$", console, re.MULTILINE)
    if not found:
        raise UserError(f"{module} measured nothing:\n{console[-400:]}")
    return [AuditRow(module, kind, label, float(value)) for kind, label, value in found]


# --- the map of the heap

_MAP_BOT = """\
import micropython
from copepod.handlers import on_command

@on_command("map", "print the map of the heap")
async def map(msg):
    import gc
    gc.collect()
    micropython.mem_info(1)
    print("@map end")
"""


def heap_maps(target: Target, heap: str, app: str) -> list[heapmap.HeapMap]:
    """The heap of the running gateway before and after MAP_MESSAGES messages."""
    maps = []
    with (
        tempfile.TemporaryDirectory(prefix="copepod-") as folder,
        Session(target, Path(folder), SHORT_POLL, heap=heap, app=app, bot=_MAP_BOT) as session,
    ):
        # The first few load what only some texts need.
        first = f"after {MAP_WARM} messages"
        for count, label in (
            (MAP_WARM, first),
            (MAP_MESSAGES, f"{MAP_MESSAGES:,} messages later"),
        ):
            session.burst(count, 60)
            seen = len(session.device.find(r"^@map end"))
            session.send("/map")
            session.device.wait(lambda n=seen: len(session.device.find(r"^@map end")) > n, 10)
            maps.append(heapmap.parse(session.device.text(), label, target.word_bits))
    return maps


# --- the report


def show(audit: Audit, console: Console) -> None:
    """The tables on the screen."""
    console.print(components_table(audit))
    console.print(kept_table(audit))
    console.print(study_table(audit))
    for found in audit.maps:
        console.print(heapmap.drawn(found))


def components_table(audit: Audit) -> Table:
    """Garbage by component."""
    table = Table(title=f"garbage per message, B, {audit.target}", title_justify="left")
    table.add_column("component")
    for length in audit.components:
        table.add_column(f"{length} units", justify="right")
    names = next(iter(audit.components.values()), {})
    for name in names:
        table.add_row(name, *(f"{parts[name]:.1f}" for parts in audit.components.values()))
    table.add_row("in all", *(f"{sum(parts.values()):.1f}" for parts in audit.components.values()))
    return table


def kept_table(audit: Audit) -> Table:
    """What the live heap is made of."""
    table = Table(title=f"live heap of the gateway, B, {audit.target}", title_justify="left")
    table.add_column("component")
    for build in audit.kept:
        table.add_column(build, justify="right")
    for name in next(iter(audit.kept.values()), {}):
        table.add_row(name, *(f"{parts[name]:,}" for parts in audit.kept.values()))
    table.add_row("in all", *(f"{sum(parts.values()):,}" for parts in audit.kept.values()))
    return table


def study_table(audit: Audit) -> Table:
    """The study's recommendations, measured."""
    table = Table(title="the study's recommendations, measured", title_justify="left")
    table.add_column("recommendation")
    table.add_column("the study's estimate")
    table.add_column("side")
    table.add_column("found", justify="right")
    for module, advice, estimate in STUDY:
        for index, row in enumerate(row for row in audit.rows if row.module == module):
            first = (advice, estimate) if index == 0 else ("", "")
            table.add_row(*first, row.label, row.told())
    return table


def measure(target: Target, app: str, heap: str, console: Console) -> Audit:
    """Everything, on one target."""
    from host_tools.measure.bench import interpreter_of

    audit = Audit(target.name, target.word_bits, interpreter_of(target))
    for length in LENGTHS:
        audit.components[length] = components(target, length, app)
    for build in ("frozen", "mpy") if app == "frozen" else (app,):
        audit.kept[build] = kept(target, build)
    for module, _, _ in STUDY:
        audit.rows += recommendation(target, module)
    audit.maps = heap_maps(target, heap, app)
    show(audit, console)
    return audit


@click.command("audit")
@click.option("--target", default="unix32", show_default=True, help=", ".join(targets.names()))
@click.option("--app", type=click.Choice(["mpy", "frozen"]), default=None)
@click.option("--heap", help="Of the gateway whose map is drawn; default: as `copepod bench`.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the JSON goes.")
def audit_command(target: str, app: str | None, heap: str | None, path: Path | None) -> None:
    """Measure what each part allocates, and what the study's advice is worth."""
    from host_tools.measure.bench import constrained_heap

    console = screen()
    place = targets.get(target)
    own_heap = place.default_heap is None
    app = app or ("mpy" if own_heap or target == "unix" else "frozen")
    audit = measure(place, app, heap or constrained_heap(place, app), console)
    command = results.command()
    path = results.place(f"audit-{target}", path, command)
    data = {"command": command, "firmware": results.firmware(), **audit.as_dict()}
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    published = path.resolve().parent == results.PUBLISHED
    plots = PLOTS if published else path.parent
    picture = heapmap.plot(audit.maps, plots / f"heap-map-{target}.png", place.name)
    for written in (path, picture):
        console.print(f"written to {results.shown(written)}")
