"""`copepod live`: the live gateway test. Real updates, the real path, TLS, then a verdict.

copepod live                      # tests/scenarios/live.toml on the wheel
copepod live --messages 1000 --length 4096 --heap 128k
copepod live --fault truncate     # tests/scenarios/fault-truncate.toml
copepod live --find-heap          # the smallest heap that passes
TELEGRAM_TOKEN=… copepod live     # the same report, from the real Telegram
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from host_tools import targets
from host_tools.console import visible
from host_tools.errors import UserError
from host_tools.pretend.surroundings import Surroundings
from host_tools.scenarios import engine, results, scenario
from host_tools.scenarios.corpus import SCRIPTS
from host_tools.scenarios.result import Result, Row
from host_tools.scenarios.scenario import Scenario
from host_tools.scenarios.terminal import phases, scratch, screen
from host_tools.scenarios.verdict import judge
from host_tools.simulator.certs import CHAINS
from host_tools.targets.process import ProcessTarget
from host_tools.targets.target import Target
from host_tools.toolchain import pages

GARBAGE_HEAP = "64M"
GARBAGE_WARM = 20  # messages before the first reading
GARBAGE_COUNT = 40  # messages between the readings
SMALLEST_KB = 8
REPEATS = 3  # near its limit a heap passes now and then


def run_once(plan: Scenario, target: Target, console: Console | None = None) -> Result:
    """Run a scenario in a folder of its own, with a line that moves where there is a terminal."""
    with scratch() as folder:
        if console is None or not console.is_terminal:
            return engine.run(plan, target, folder)
        with console.status(f"{plan.name} on {target.name}") as status:
            return engine.run(plan, target, folder, status.update)


def garbage(plan: Scenario, target: Target, length: int) -> float | None:
    """Garbage in bytes per message: growth of gc.mem_alloc() with the collector off (rule 3a)."""
    quiet = dataclasses.replace(
        plan,
        name="garbage",
        messages=dataclasses.replace(
            plan.messages,
            count=GARBAGE_WARM + GARBAGE_COUNT,
            settle=GARBAGE_WARM,
            lengths=[length],
            waiting=0,
            pad=0,
        ),
        faults=[],
        kills=scenario.Kills(),
        updates=[],
        device=dataclasses.replace(plan.device, gc="off", heap=GARBAGE_HEAP),
        config={**plan.config, "telemetry": {"interval_s": 60, "collect": False}},
        timeout_s=60,
    )
    with scratch() as folder:
        run = engine.Run(quiet, target, folder)
        result = judge(run, run.run())
    before, after = run.before, run.after
    if not result.ok or before is None or after is None:
        return None
    used = (after["gc_used"] or 0) - (before["gc_used"] or 0)
    return used / ((after["out"] or 0) - (before["out"] or 0))


def judge_garbage(result: Result, plan: Scenario, target: Target, lengths: list[int]) -> None:
    """Measure garbage at each length; the budget is for texts of 60 units."""
    found = {length: garbage(plan, target, length) for length in lengths}
    result.figures["garbage_b"] = {str(k): v and round(v, 1) for k, v in found.items()}
    for length, value in found.items():
        limit = plan.budget.garbage_b if length == 60 else None
        row = Row(
            f"garbage per message, {length} units",
            "not measured" if value is None else f"{value:.0f} B",
            "" if limit is None else f"< {limit} B",
            None if limit is None else value is not None and value < limit,
        )
        result.rows.append(row)


def find_heap(plan: Scenario, target: Target, console: Console) -> int | None:
    """The smallest heap in KiB in which the scenario passes REPEATS times, by bisection."""

    def passes(kilobytes: int) -> bool:
        smaller = dataclasses.replace(plan.device, heap=f"{kilobytes}k")
        result = run_once(dataclasses.replace(plan, device=smaller), target, console)
        why = "" if result.ok else ": " + (result.failures[0].label if result.failures else "")
        console.print(f"  {kilobytes:4} KiB  {'passes' if result.ok else 'fails' + why}")
        return result.ok

    high = _kilobytes(plan.device.heap or target.default_heap or "128k")
    if not passes(high):
        return None
    low = SMALLEST_KB
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    while not all(passes(high) for _ in range(REPEATS)):
        high += 1  # it had passed by chance
    return high


def _kilobytes(heap: str) -> int:
    number, unit = heap[:-1], heap[-1:].lower()
    if unit in ("k", "m") and number.isdigit():
        return int(number) * (1024 if unit == "m" else 1)
    if heap.isdigit():
        return int(heap) // 1024
    raise UserError(f"--heap {heap!r}: expected a size like 128k")


# --- the report


def show(result: Result, plan: Scenario, target: Target, console: Console) -> None:
    """The verdict, the phases and the figures, as tables."""
    figures = result.figures
    console.print(f"[bold]{plan.name}[/]: {plan.about}")
    table = Table()
    for heading in ("what", "found", "limit", ""):
        table.add_column(heading)
    for row in result.rows:
        sign = {True: "[green]pass[/]", False: "[red]FAIL[/]", None: ""}[row.ok]
        table.add_row(row.label, row.value, row.limit, sign)
    console.print(table)
    console.print(phases(result.frames))
    rss = figures["rss"]
    told = "not read" if rss is None else (
        f"{rss['rss_kb']} kB of process {rss['name']!r} "
        f"({rss['anon_kb']} anonymous, {rss['file_kb']} file-backed; peak {rss['peak_kb']})"
    )  # fmt: skip
    if rss is not None and target.name == "unix":
        told += ", Python's own included"
    heap = figures["heap"] or f"the place's own, {figures['gc_total_b'] or 'unknown'} B in all"
    lines = [
        f"time per message  {figures['per_message_ms']} ms over all; "
        f"median {figures['median_ms']} ms, 95 % below {figures['p95_ms']} ms",
        f"gc heap           {heap}, low-water {figures['gc_low_water_b']} B free "
        f"(at the frames), live at the end {figures['gc_live_b']} B",
        f"RSS               {told}",
        f"interpreter       {figures['interpreter']}, {target.word_bits}-bit, "
        f"application from {figures['app']}",
    ]
    console.print("\n".join(lines))
    if rss and rss.get("pages"):
        console.print(pages.summary(rss["pages"]))
    if not result.ok:
        console.print("\nthe console's last lines:")
        tail = "\n".join(result.console.splitlines()[-12:])
        console.print(visible.block(tail), markup=False)
    console.print(f"[bold]{'PASS' if result.ok else 'FAIL'}[/]")


def write(result: Result, path: Path | None, command: str) -> Path:
    """The result as JSON."""
    stem = f"live-{result.target}-{result.scenario}-{result.tally.sent}"
    path = results.place(stem, path, command)
    data = {
        "command": command,
        "firmware": results.firmware(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": platform.platform(),
        **result.as_dict(),
    }
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    return path


# --- the command


def plan_for(
    name: str,
    fault: str | None,
    messages: int | None,
    length: int | None,
    scripts: str | None,
    heap: str | None,
    app: str | None,
    chain: str | None,
    kills: int | None = None,
) -> Scenario:
    """The scenario that the options describe."""
    if fault and fault not in fault_names():
        raise UserError(f"no fault {fault!r}: there are {', '.join(fault_names())}")
    plan = scenario.load(f"fault-{fault}" if fault else name)
    if messages is not None:
        plan.messages.count = messages
        plan.timeout_s = max(plan.timeout_s, 30 + messages * 0.2)
    if kills is not None:
        if not plan.kills.count:
            raise UserError(f"--kills: the scenario {plan.name!r} kills nobody")
        share = -(-plan.messages.count // plan.kills.count)  # messages between two kills
        plan.kills.count = plan.expect.duplicates = kills
        plan.expect.tls_connections = kills + 1
        plan.messages.count = max(messages or 0, share * kills)
        plan.timeout_s = 30 + 5 * kills
    if length is not None:
        plan.messages.lengths = [length]
    if scripts:
        plan.messages.scripts = scripts.split(",")
        unknown = [s for s in plan.messages.scripts if s not in SCRIPTS]
        if unknown:
            raise UserError(f"--scripts: {unknown[0]!r}, expected of {','.join(SCRIPTS)}")
    if heap:
        _kilobytes(heap)
        plan.device.heap = heap
    if app:
        plan.device.app = app
    if chain:
        plan.server.chain = chain
    return plan


def fault_names() -> list[str]:
    """What --fault accepts: the scenarios whose file is called fault-…"""
    return [name[6:] for name in scenario.names() if name.startswith("fault-")]


@click.command("live")
@click.option("--messages", type=click.IntRange(1), help="How many messages are sent.")
@click.option("--kills", type=click.IntRange(1), help="How often, in a scenario that kills.")
@click.option("--length", type=click.IntRange(16, 4096), help="Their length in UTF-16 units.")
@click.option("--scripts", help=f"Of {','.join(SCRIPTS)}; in turn.")
@click.option("--fault", help="What goes wrong: the scenario fault-<NAME>; `list` names them.")
@click.option("--scenario", "name", default="live", show_default=True, help="tests/scenarios/…")
@click.option("--target", default="unix", show_default=True, help=f"{', '.join(targets.names())}.")
@click.option("--heap", help="The GC heap, like 128k.")
@click.option(
    "--app", type=click.Choice(["mpy", "frozen"]), help="Application from files or frozen."
)
@click.option("--chain", type=click.Choice(CHAINS), help="The server's certificates.")
@click.option("--find-heap", is_flag=True, help="Find the smallest heap that passes.")
@click.option("--garbage/--no-garbage", default=None, help="Measure garbage per message, too.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the JSON goes.")
@click.option("--port", help="The board's serial port, for --target board.")
@click.option(
    "--bot",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="BOT",
    help="A bot.py whose handlers take part, also BOT=…; without one texts are echoed.",
)
@click.option("--log", is_flag=True, help="Print the gateway's console at the end.")
def live_command(
    messages: int | None,
    kills: int | None,
    length: int | None,
    scripts: str | None,
    fault: str | None,
    name: str,
    target: str,
    heap: str | None,
    app: str | None,
    chain: str | None,
    find_heap: bool,
    garbage: bool | None,
    path: Path | None,
    port: str | None,
    bot: Path | None,
    log: bool,
) -> None:
    """Send real updates through the gateway and judge what comes back.

    With TELEGRAM_TOKEN in the environment the real Telegram takes the simulator's place, and you
    send the messages.
    """
    console = screen()
    if fault == "list":
        for each in fault_names():
            console.print(f"{each:14} {scenario.load('fault-' + each).about}")
        return
    if port:
        os.environ["PORT"] = port
    place = targets.get(target)
    around = contextlib.ExitStack()  # what the bot's pins are connected to, until this ends
    click.get_current_context().call_on_close(around.close)
    if bot and isinstance(place, ProcessTarget):
        place = around.enter_context(Surroundings()).target(place)
    plan = plan_for(name, fault, messages, length, scripts, heap, app, chain, kills)
    if bot:
        plan.device.bot = bot.read_text()
    command = results.command()
    if os.environ.get("TELEGRAM_TOKEN"):
        from host_tools.scenarios import live_telegram

        result = live_telegram.run(plan, place, console, messages)
    elif find_heap:
        _find_and_tell(plan, place, console, path, command)
        return
    else:
        result = run_once(plan, place, console)
        # A board's heap is too small to go without the collector, and so is one of its size with the code in it.
        like_a_board = place.default_heap is None and (plan.device.app or place.default_app) == "mpy"
        roomy = place.settable_heap and not like_a_board
        if garbage or (garbage is None and plan.budget.garbage_b is not None and roomy):
            console.print("measuring garbage per message, collector off …")
            judge_garbage(result, plan, place, sorted({60, *plan.messages.lengths}))
    result.figures["interpreter"] = place.interpreter()
    show(result, plan, place, console)
    if log:
        console.print(visible.block(result.console), markup=False)
    written = write(result, path, command)
    console.print(f"written to {results.shown(written)}")
    if not result.ok:
        raise SystemExit(1)


def _find_and_tell(
    plan: Scenario, place: Target, console: Console, path: Path | None, command: str
) -> None:
    console.print(f"the smallest heap in which {plan.name!r} passes on {place.name}:")
    smallest = find_heap(plan, place, console)
    if smallest is None:
        raise UserError("it fails in the largest heap already")
    console.print(f"[bold]{smallest} KiB[/]")
    stem = f"heap-{place.name}-{plan.name}-{plan.messages.count}"
    path = results.place(stem, path, command)
    data: dict[str, Any] = {
        "command": command,
        "firmware": results.firmware(),
        "target": place.name,
        "word_bits": place.word_bits,
        "interpreter": place.interpreter(),
        "scenario": plan.name,
        "messages": plan.messages.count,
        "lengths": plan.messages.lengths,
        "app": plan.device.app or place.default_app,
        "smallest_heap_kib": smallest,
        "passed": REPEATS,
    }
    path.write_text(json.dumps(data, indent=2) + "\n")
    console.print(f"written to {results.shown(path)}")
