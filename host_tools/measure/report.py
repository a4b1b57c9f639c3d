"""`copepod report`: results/*.json into README.md and docs/, tables and plots.

A document holds markers, and what stands between them is written anew:

    <!-- table:phases:begin -->
    <!-- table:phases:end -->

The names are those of report_tables.TABLES. docs/results.md has `results` markers, for the whole
section. `--measure` runs what writes the results first. With the same results the same text is
written.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click

from host_tools import targets
from host_tools.errors import UserError
from host_tools.measure import charts, report_text
from host_tools.measure.report_tables import TABLES
from host_tools.measure.report_text import Results
from host_tools.paths import RESULTS, ROOT

DOCUMENTS = (
    "README.md",
    "docs/first-steps.md",
    "docs/results.md",
    "docs/technical.md",
    "docs/guide.md",
)
PLOTS = "docs/plots"

# What `--measure` runs, in this order, for each target that is asked for.
MEASURES = (
    ("bench-{target}", "bench --target {target}"),
    ("audit-{target}", "audit --target {target}"),
    ("live-{target}-live-1000", "live --target {target} --messages 1000 --no-garbage --app {app}"),
)
SMALLEST = (
    ("frozen", "56k"),
    ("mpy", "144k"),
)
VARIES = """\
Bytes of the GC heap (used, live, collections in the burst) are the same to the byte when the same sources
run again. Garbage per message over a connection differs by a few bytes in three hundred, with the pieces
in which an answer arrives. Resident memory moves by a page or two with where the kernel puts the stack;
bytes in use at a gateway's phase, before a collection, depend on when the collector last ran; the slope
of a soak wobbles with the one block of 16 B that a reading may find in use; times, shares of time and
dates are never the same. In `results/` all of these stand below `may_vary`, or in `garbage_b`."""


def section(results: Results) -> str:
    """The section of docs/results.md."""
    return "\n\n".join(
        [
            TABLES["glance"](results),
            "![live heap by phase](plots/heap-phases.svg)",
            "## Phases and platforms",
            TABLES["phases"](results),
            "![garbage per message by component](plots/garbage.svg)",
            VARIES,
            "Everything else, by component and page: [technical.md](technical.md). "
            "Every command: [guide.md](guide.md).",
        ]
    )


def fill(text: str, results: Results, name: str) -> str:
    """`text` with every marked place written anew; UserError for a marker nobody knows."""

    def between(match: re.Match[str]) -> str:
        table = match[2]
        if table not in TABLES:
            raise UserError(f"{name}: no table {table!r}: there are {', '.join(TABLES)}")
        return f"{match[1]}\n{TABLES[table](results)}\n{match[3]}"

    text = re.sub(
        r"(<!-- table:([\w-]+):begin -->).*?(<!-- table:\2:end -->)",
        between,
        text,
        flags=re.DOTALL,
    )
    whole = section(results)
    return re.sub(
        r"(<!-- results:begin -->).*?(<!-- results:end -->)",
        lambda match: f"{match[1]}\n{whole}\n{match[2]}",
        text,
        flags=re.DOTALL,
    )


def write(root: Path, results: Results) -> list[Path]:
    """Write documents and plots; returns what was written."""
    written = []
    for name in DOCUMENTS:
        path = root / name
        if path.exists():
            path.write_text(fill(path.read_text(), results, name))
            written.append(path)
    for draw, name in ((charts.phases, "heap-phases.svg"), (charts.garbage, "garbage.svg")):
        path = draw(results, root / PLOTS / name)
        if path:
            written.append(path)
    return written


def measure(names: tuple[str, ...]) -> None:
    """Run every command that writes a result for these targets."""
    copepod = [sys.executable, "-m", "host_tools.cli"]
    for target in names:
        targets.get(target)  # a wrong name is said before the first has taken its minutes
    for target in names:
        for stem, command in MEASURES:
            app = "mpy" if target in ("unix", "board") else "frozen"
            words = command.format(target=target, app=app).split()
            _run([*copepod, *words, "--json", f"results/{stem.format(target=target)}.json"])
    if "unix32" in names:
        for app, heap in SMALLEST:
            out = f"results/heap-unix32-{app}.json"
            words = ["live", "--target", "unix32", "--scenario", "burst", "--app", app]
            _run([*copepod, *words, "--heap", heap, "--find-heap", "--json", out])


def _run(command: list[str]) -> None:
    click.echo("$ copepod " + " ".join(command[3:]))
    if subprocess.run(command, cwd=ROOT, check=False).returncode not in (0, 1):
        raise UserError(f"{' '.join(command[3:])} did not run")


@click.command("report")
@click.option(
    "--measure", "names", multiple=True, help="Measure on this target first; repeatable."
)
@click.option("--session", is_flag=True, help="Record README's picture of a session anew.")
def report_command(names: tuple[str, ...], session: bool) -> None:
    """Write the tables and plots of results/ into README.md and docs/."""
    if session:
        from host_tools.measure import session as sessions  # needs a terminal: not on Windows

        click.echo(f"written {sessions.write().relative_to(ROOT)}")
    if names:
        measure(names)
    results = report_text.load(RESULTS)
    if not results:
        raise UserError("results/ is empty: run `make bench` and `make audit` first")
    for path in write(ROOT, results):
        click.echo(f"written {path.relative_to(ROOT)}")
