"""`copepod bench`: membench. The study's five phases and six more, on any target, with a verdict.

copepod bench                                # the wheel: GC heap only
copepod bench --target unix64                # with the process's resident memory
copepod bench --target unix32 --burst 1000 --soak 100000
PORT=/dev/ttyUSB0 copepod bench --target board

Writes results/bench-<target>.json; exit status 1 when the verdict is OVER.
"""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from host_tools import targets
from host_tools.errors import UserError
from host_tools.measure import phases
from host_tools.measure.phases import Phase, PhaseRun
from host_tools.measure.soak import Soak, SoakRun
from host_tools.scenarios import results
from host_tools.scenarios.terminal import screen
from host_tools.targets.target import Target

BURSTS = (100, 1000)
SOAK = 10_000
TARGET_KB = 5120  # the study's: 5 MB of resident memory
# Heap of the constrained setting: (application frozen, from .mpy files), per word size.
HEAPS = {32: ("48k", "128k"), 64: ("96k", "224k")}
DEFAULT_HEAP = {32: "1M", 64: "2M"}  # what the Unix port takes when it is told nothing
OUTSIDE = ("rss_b", "anonymous_b", "file_b")
THRESHOLD_B = 8192  # of gc.threshold() in the comparison of settings


@dataclass
class Outcome:
    """All of one `copepod bench`."""

    target: str
    word_bits: int
    interpreter: str
    app: str
    heap: str
    bursts: list[PhaseRun] = field(default_factory=list)
    settings: list[PhaseRun] = field(default_factory=list)
    soak: SoakRun | None = None
    limit_kb: int = TARGET_KB

    @property
    def rss_kb(self) -> int | None:
        """The largest resident memory that any phase at the constrained setting had."""
        found = [p.rss_b for run in self.bursts for p in run.phases]
        found += [p.rss_b for p in self.soak.phases] if self.soak else []
        known = [rss for rss in found if rss is not None]
        return max(known) // 1024 if known else None

    @property
    def delivered(self) -> bool:
        """Did every message come out that went in?"""
        whole = all(run.produced == run.consumed == run.burst for run in self.bursts)
        soak = self.soak
        return whole and (soak is None or (soak.rejected == 0 and soak.answered >= soak.messages))

    @property
    def ok(self) -> bool:
        return self.delivered and (self.rss_kb is None or self.rss_kb <= self.limit_kb)

    def verdict(self) -> str:
        """The last line."""
        if not self.delivered:
            return "❌ FAIL: not every message that was produced was consumed"
        if self.rss_kb is None:
            return f"✅ PASS: every phase ran in the stated heap of {self.heap}"
        size = f"RSS {self.rss_kb} KB ({self.rss_kb / 1024:.2f} MB)"
        limit = f"{self.limit_kb / 1024:g} MB target"
        if self.rss_kb <= self.limit_kb:
            return f"✅ PASS: {size} is UNDER {limit} ({self.limit_kb} KB)"
        return f"❌ OVER: {size} EXCEEDS {limit} by {self.rss_kb - self.limit_kb} KB"

    def as_dict(self) -> dict[str, Any]:
        """For results/: what a second run gives again, and `may_vary`, what it may not."""
        return {
            "target": self.target,
            "word_bits": self.word_bits,
            "interpreter": self.interpreter,
            "app": self.app,
            "heap": self.heap,
            "verdict": self.verdict(),
            "limit_kb": self.limit_kb,
            "bursts": [_steady(run) for run in self.bursts],
            "settings": [_steady(run) for run in self.settings],
            "gateway": _gateway(self.soak),
            "may_vary": {
                "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "machine": platform.platform(),
                "bursts": _rss(self.bursts),
                "settings": _rss(self.settings),
                "burst_us": [run.burst_us for run in self.bursts + self.settings],
                "gc_share": [_share(run.gc_share) for run in self.bursts + self.settings],
                "gateway": _varying(self.soak, self.word_bits),
            },
        }


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _steady(run: PhaseRun) -> dict[str, Any]:
    data = run.as_dict()
    del data["burst_us"]
    data["burst_gc_runs"] = run.burst_gc_runs
    for phase in data["phases"]:
        for name in ("gc_us", *OUTSIDE):
            del phase[name]
    return data


def _rss(runs: list[PhaseRun]) -> list[list[dict[str, Any]]]:
    """Resident memory of each phase: it moves by a page with where the kernel puts the stack."""
    names = ("name", *OUTSIDE)
    return [[{name: getattr(p, name) for name in names} for p in run.phases] for run in runs]


def _gateway(soak: SoakRun | None) -> dict[str, Any] | None:
    """The gateway's figures that do not depend on when the collector last ran."""
    if soak is None:
        return None
    return {
        "messages": soak.messages,
        "connections": soak.connections,
        "rejected": soak.rejected,
        "startup_live_b": soak.startup,
        "phases": [
            {"name": p.name, "total_b": p.total_b, "live_b": p.live_b} for p in soak.phases
        ],
    }


def _varying(soak: SoakRun | None, word_bits: int) -> dict[str, Any] | None:
    if soak is None:
        return None
    names = ("name", "used_b", "run_b", *OUTSIDE)
    return {
        "seconds": round(soak.seconds, 1),
        "slope": {
            **asdict(soak.slope),
            "growth_b": soak.slope.growth_b,
            "grows": soak.slope.grows(word_bits),
        }
        if soak.slope
        else None,
        "phases": [{name: getattr(p, name) for name in names} for p in soak.phases],
        "pages": soak.breakdown,
    }


def interpreter_of(target: Target) -> str:
    """The interpreter in words, without the folder that this checkout lies in."""
    return target.interpreter().replace(f"{results.ROOT}/", "")


def constrained_heap(target: Target, app: str) -> str:
    """The heap of the constrained setting."""
    frozen, files = HEAPS[target.word_bits]
    return frozen if app == "frozen" else files


def measure(
    target: Target,
    *,
    app: str,
    heap: str | None,
    bursts: tuple[int, ...] = BURSTS,
    soak: int = SOAK,
    settings: bool = True,
    limit_kb: int = TARGET_KB,
    console: Console | None = None,
) -> Outcome:
    """Run everything on one target."""
    console = console or screen()
    outcome = Outcome(target.name, target.word_bits, interpreter_of(target), app, heap or "")
    outcome.limit_kb = limit_kb
    for burst in bursts:
        run = phases.run(target, heap=heap, app=app, burst=burst, threshold_b=0)
        outcome.bursts.append(run)
        outcome.heap = run.heap
        _show_run(run, console)
    if settings and heap:
        for size in (DEFAULT_HEAP[target.word_bits], heap):
            for threshold_b in (0, THRESHOLD_B):
                outcome.settings.append(
                    phases.run(
                        target, heap=size, app=app, burst=max(bursts), threshold_b=threshold_b
                    )
                )
    if soak:
        runner = Soak(target, heap, app, progress=_progress(console))
        outcome.soak = runner.run(soak)
        _show_soak(outcome.soak, console)
    if outcome.settings:
        console.print(settings_table(outcome.settings))
    return outcome


def _progress(console: Console) -> Any:
    if not console.is_terminal:
        return None
    return lambda text: console.print(f"  {text}", end="\r")


# --- on the screen


def _show_run(run: PhaseRun, console: Console) -> None:
    console.print(f"\nmembench: burst {run.burst}, heap {run.heap}", markup=False)
    for phase in run.phases:
        console.print(phase.line(), markup=False, soft_wrap=True)
        if phase.name == "4-after-burst":
            console.print(f"  (Messages produced: {run.produced}, consumed: {run.consumed})")
    console.print(f"  (Pieces formatted: {run.pieces}, bytes of HTML: {run.html_b})")


def _show_soak(soak: SoakRun, console: Console) -> None:
    console.print("\nthe gateway, verified TLS, real updates:")
    for phase in soak.phases:
        console.print(_gateway_line(phase), markup=False, soft_wrap=True)
    if soak.slope:
        console.print(
            f"  leak: {soak.slope.text()} per message (95 % confidence, {soak.slope.frames} "
            f"frames, {soak.messages} messages); live heap {soak.slope.first_floor_b} B → "
            f"{soak.slope.last_floor_b} B"
        )


def _gateway_line(phase: Phase) -> str:
    return phase.line().replace("  NumGC=-", "")


def settings_table(runs: list[PhaseRun]) -> Table:
    """What the heap's size and gc.threshold() each do: our GOMEMLIMIT and GOGC."""
    table = Table(title="default and constrained settings", title_justify="left")
    for heading in ("heap", "gc.threshold", "RSS kB", "anonymous kB", "most used B", "live B"):
        table.add_column(heading, justify="right")
    table.add_column("collections in the burst", justify="right")
    table.add_column("share of its time", justify="right")
    for run in runs:
        after = run.phase("4-after-burst")
        share = run.gc_share
        table.add_row(
            run.heap,
            str(run.threshold_b or "off"),
            "-" if after.rss_b is None else str(after.rss_b // 1024),
            "-" if after.anonymous_b is None else str(after.anonymous_b // 1024),
            str(max(phase.used_b for phase in run.phases)),
            str(after.live_b),
            "-" if run.burst_gc_runs is None else str(run.burst_gc_runs),
            "-" if share is None else f"{share:.1%}",
        )
    return table


def write(outcome: Outcome, command: str, path: Path | None = None) -> Path:
    """The outcome as JSON."""
    path = results.place(f"bench-{outcome.target}", path, command)
    data = {"command": command, "firmware": results.firmware(), **outcome.as_dict()}
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return path


@click.command("bench")
@click.option(
    "--target", default="unix32", show_default=True, help=f"{', '.join(targets.names())}."
)
@click.option("--burst", type=click.IntRange(1), help="One burst of N, instead of 100 and 1,000.")
@click.option("--heap", help="The constrained GC heap, like 48k.")
@click.option(
    "--app", type=click.Choice(["mpy", "frozen"]), help="Default: frozen where it can be."
)
@click.option("--soak", default=SOAK, show_default=True, help="Messages of the soak; 0: none.")
@click.option("--settings/--no-settings", default=True, help="Compare default and constrained.")
@click.option("--target-kb", default=TARGET_KB, show_default=True, help="Most RSS that passes.")
@click.option("--port", envvar="PORT", help="A board's serial port.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the JSON goes.")
def bench_command(
    target: str,
    burst: int | None,
    heap: str | None,
    app: str | None,
    soak: int,
    settings: bool,
    target_kb: int,
    port: str | None,
    path: Path | None,
) -> None:
    """Measure every phase's memory on a target, and judge it."""
    console = screen()
    if port:
        os.environ["PORT"] = port
    place = targets.get(target)
    # A board has a heap of its own, and its application comes from files.
    own = place.default_heap is None
    app = app or ("mpy" if own or target == "unix" else "frozen")
    heap = heap if place.settable_heap else None
    if not own:
        heap = heap or constrained_heap(place, app)
    outcome = measure(
        place,
        app=app,
        heap=heap,
        bursts=(burst,) if burst else BURSTS,
        soak=soak,
        settings=settings,
        limit_kb=target_kb,
        console=console,
    )
    written = write(outcome, results.command(), path)
    console.print("\n=== FINAL VERDICT ===")
    console.print(f"{outcome.interpreter}, {outcome.word_bits}-bit, application {outcome.app}")
    console.print(outcome.verdict())
    console.print(f"written to {results.shown(written)}")
    if not outcome.ok:
        raise SystemExit(1)


__all__ = ["Outcome", "UserError", "bench_command", "measure", "write"]
