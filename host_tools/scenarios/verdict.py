"""Judges a run of a scenario: the figures, and the rows of the verdict."""

from __future__ import annotations

import re
import statistics
from typing import Any

from host_tools.console.frames import Frame
from host_tools.scenarios.result import Result, Row
from host_tools.scenarios.run import Run


def judge(run: Run, seconds: float) -> Result:
    """The result of a run that is over."""
    figures = _figures(run)
    return Result(
        run.scenario.name,
        run.target.name,
        run.tally,
        _rows(run, figures),
        run.frames,
        figures,
        "\n".join(run.consoles),
        seconds,
    )


def _figures(run: Run) -> dict[str, Any]:
    times = run.tally.latencies_ms
    low = [free for f in run.frames if (free := f["gc_free"]) is not None]
    last = run.frames[-1] if run.frames else None
    steady = [frame for life in steady_lives(run.frames) for frame in life]
    return {
        "word_bits": run.target.word_bits,
        "heap": run.scenario.device.heap or run.target.default_heap,
        "app": run.scenario.device.app or run.target.default_app,
        "chain": run.scenario.server.chain if run.scenario.server.tls else None,
        "tls_connections": run.sim.handshakes,
        "connections": len(run.sim.connections),
        "median_ms": round(statistics.median(times), 3) if times else None,
        "p95_ms": round(percentile(times, 0.95), 3) if times else None,
        "per_message_ms": round(run.tally.per_message_ms, 3),
        "gc_low_water_b": min(low, default=None),
        "gc_live_b": last["gc_live"] if last else None,
        "growth_b": growth(run.before, run.after),
        "gc_total_b": most(steady, "gc_total"),
        "idf_free_least_b": least(steady, "idf_free"),  # at the frames
        "idf_big_least_b": least(steady, "idf_big"),
        "idf_min_b": least(steady, "idf_min"),  # at any moment since power-on
        "rss": max(run.rss, key=lambda s: s["rss_kb"], default=None),
        "telemetry": {"damaged": run.damaged, "missing": run.missing},
        "updates_checked": run.good_others,
        "faults": run.sim.faults.told(),
        "exit_status": run.exit_status,
    }


def _rows(run: Run, figures: dict[str, Any]) -> list[Row]:
    expect, tally, sim = run.scenario.expect, run.tally, run.sim
    rows: list[Row] = []

    def at_most(label: str, value: float | None, limit: float | None, unit: str = "") -> None:
        if limit is not None:
            ok = value is not None and value <= limit
            told = "not measured" if value is None else f"{value:g}{unit}"
            rows.append(Row(label, told, f"≤ {limit:g}{unit}", ok))

    if tally.sent:
        rows.append(Row("delivered", f"{tally.delivered} of {tally.sent}"))
        rows.append(Row("answered", f"{tally.answered} of {tally.sent}"))
    elif run.scenario.messages.count and expect.exit is None:
        rows.append(Row("started", "no", "yes", False))
    at_most("lost", tally.lost, expect.lost)
    at_most("duplicates", tally.duplicates, expect.duplicates)
    if expect.in_order:
        at_most("out of order", tally.disordered, 0)
    at_most("altered", tally.altered, 0)
    at_most("formatting lost", tally.dropped, 0)
    at_most("rejected by the server", tally.rejected, expect.rejected)
    at_most("HTTP broken by the client", len(sim.protocol_errors), 0)
    if expect.tls_connections and run.scenario.server.tls:
        at_most("TLS connections", sim.handshakes, expect.tls_connections)
    at_most("telemetry lines damaged", run.damaged, tally.kills)  # a kill may cut one
    if run.scenario.updates:
        bad = "; ".join(run.bad_others)
        rows.append(Row("other updates", bad or f"{run.good_others} right", "right", not bad))
    if run.scenario.outages.count:
        done, planned = tally.outages, run.scenario.outages.count
        rows.append(Row("network cut and mended", str(done), str(planned), done == planned))
    if run.scenario.kills.count:
        most = max(tally.repeated, default=0)
        at_most("repeated by one kill", most, expect.repeated_by_kill)
        rows.append(
            Row(
                "killed and restarted",
                str(tally.kills),
                str(run.scenario.kills.count),
                tally.kills == run.scenario.kills.count,
            )
        )
    rows += _console_rows(run)
    budget = run.scenario.budget
    rows += _heap_rows(run)
    at_most("growth of live heap", figures["growth_b"], budget.growth_b, " B")
    at_most("live heap", figures["gc_live_b"], budget.live_b, " B")
    at_most("median time", figures["median_ms"], budget.median_ms, " ms")
    rss = figures["rss"]
    at_most("RSS", rss and rss["rss_kb"], budget.rss_kb, " kB")
    return rows


def _console_rows(run: Run) -> list[Row]:
    expect = run.scenario.expect
    console = "\n".join(run.consoles)
    rows = []
    if expect.exit is not None:
        ok = run.exit_status == expect.exit
        rows.append(Row("exit status", str(run.exit_status), str(expect.exit), ok))
    at = 0
    for pattern in expect.log:
        found = re.compile(pattern).search(console, at)
        at = found.end() if found else at
        rows.append(Row("console says", found[0] if found else "no", f"/{pattern}/", bool(found)))
    for pattern in expect.log_absent:
        found = re.search(pattern, console)
        if found:
            rows.append(Row("console never says", found[0], f"/{pattern}/", False))
    if run.sim.token.partition(":")[2] in console:
        rows.append(Row("console never says", "the token", "the token", False))
    return rows


def _heap_rows(run: Run) -> list[Row]:
    """Python's heap has its size when the gateway is steady: what it takes later is TLS's room."""
    lives = steady_lives(run.frames)
    frames = [frame for life in lives for frame in life]
    rows = []
    grown = [(least(life, "gc_total"), most(life, "gc_total")) for life in lives]
    known = [(first, last) for first, last in grown if first is not None and last is not None]
    if known:
        first, last = max(known, key=lambda pair: (pair[1] - pair[0], pair[1]))
        told = f"{last:,} B" if first == last else f"{first:,} to {last:,} B"
        most_b = run.target.heap_limit_b
        limit = f"constant, ≤ {most_b:,} B" if most_b else "constant"
        ok = first == last and (not most_b or last <= most_b)
        rows.append(Row("Python's heap since steady", told, limit, ok))
    free = least(frames, "idf_free")
    if free is not None:
        big = least(frames, "idf_big")
        rows.append(Row("system's heap, least free", f"{free:,} B, in one piece {big or 0:,} B"))
    return rows


def steady_lives(frames: list[Frame]) -> list[list[Frame]]:
    """For each life of the gateway its frames from the first steady one on."""
    lives: list[list[Frame]] = []
    steady = False
    for frame in frames:
        if frame.phase == "steady" and not steady:
            lives.append([])
        steady = frame.phase == "steady" or (steady and frame.phase != "baseline")
        if steady:
            lives[-1].append(frame)
    return lives


def least(frames: list[Frame], field: str) -> int | None:
    """The least value of a field, None where no frame tells it."""
    return min((value for frame in frames if (value := frame[field]) is not None), default=None)


def most(frames: list[Frame], field: str) -> int | None:
    """The largest value of a field, None where no frame tells it."""
    return max((value for frame in frames if (value := frame[field]) is not None), default=None)


def growth(before: Frame | None, after: Frame | None) -> int | None:
    """What the live heap grew by between two quiet moments."""
    if before is None or after is None:
        return None
    low, high = before["gc_live"], after["gc_live"]
    return None if low is None or high is None else high - low


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
