"""Tables of the report, as Markdown, from results/*.json. No figure is typed here but the study's.

Each function returns the text that stands between its markers; a table that has no results yet
says which command makes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from host_tools.measure import audit as audits
from host_tools.measure import budgets

LIVE_MESSAGES = 1000
ORDER = ("unix64", "unix32", "riscv64", "rv32", "unix", "board", "windows")
PLATFORMS = {
    "unix64": "Linux x86-64, static",
    "unix32": "Linux i386, static: stands for ESP32-class boards",
    "riscv64": "Linux riscv64, static, under qemu-user",
    "rv32": "bare-metal RV32 in QEMU",
    "unix": "Linux, the wheel (inside a Python process)",
    "board": "a board",
    "windows": "Windows, the wheel",
}
# The study's figures are its own claims; "PicoClaw Memory Optimization — Proving the 5 MB Claim".
STUDY = (
    ("live gateway, 50 messages, TLS", "Linux", "RSS 1,024 kB"),
    (
        "membench, burst 1,000 and 100",
        "Linux",
        "RSS 3,072 kB in every phase, HeapAlloc 670–691 kB",
    ),
    ("membench, burst 1,000 and 100", "Linux", "NumGC 92, 0.88 % of CPU in GC"),
    ("membench, burst 100", "Windows", "RSS 7,528 kB (baseline 6,356 kB)"),
)
NOT_RUN = {
    "board": "nobody has run it on a board yet: `make bench TARGET=board PORT=/dev/ttyUSB0`",
    "windows": (
        "nobody has run it on Windows yet: `py -m venv .venv`, `.venv\\Scripts\\pip install -r "
        "requirements.lock`, `.venv\\Scripts\\pip install --no-deps -e .`, `.venv\\Scripts\\copepod "
        "bench --target unix --json results\\bench-windows.json`"
    ),
}

Results = dict[str, dict[str, Any]]  # file stem -> content


def load(folder: Path) -> Results:
    """Every results/*.json by its stem."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def table(head: list[str], rows: list[list[str]], right: int = 1) -> str:
    """A Markdown table; columns from `right` on are aligned to the right."""
    marks = ["---" if at < right else "---:" for at in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows))


def kilobytes(size_b: int | None) -> str:
    return "-" if size_b is None else f"{size_b // 1024:,}"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def kind(results: Results, prefix: str) -> dict[str, dict[str, Any]]:
    """Results of one kind by target, in the order of ORDER."""
    found = {
        stem[len(prefix) :]: data for stem, data in results.items() if stem.startswith(prefix)
    }
    return {name: found[name] for name in ORDER if name in found}


def by_command(*found: dict[str, Any]) -> str:
    """The commands that give the figures again."""
    commands = dict.fromkeys(data["command"] for data in found if data)
    return "Again: " + ", ".join(f"`{command}`" for command in commands) + "."


def missing(command: str) -> str:
    return f"Not measured yet: `{command}`."


# --- at a glance


def verdict(value: float | None, limit: float, unit: str, goal: float | None = None) -> str:
    """Against the limit, in words; `goal` is told, not judged."""
    if value is None:
        return "not measured"
    if value > limit:
        return f"**OVER** {limit:,.0f} {unit} by {value - limit:,.0f}"
    told = f"**PASS**, at most {limit:,.0f} {unit}"
    if goal is None:
        return told
    met = "reached" if value <= goal else f"missed by {value - goal:,.0f}"
    return f"{told}; goal of {goal:,.0f} {met}"


def glance(results: Results) -> str:
    """Test × platform × figure × against target, ours and the study's."""
    limits = budgets.load()
    rows = [*_live_rows(results, limits), *_membench_rows(results)]
    rows += _heap_rows(results, limits) + _garbage_rows(results, limits)
    rows += _growth_rows(results, limits)
    rows += _time_rows(results)
    for name in ("board", "windows"):
        if name not in kind(results, "bench-"):
            rows.append(["membench", PLATFORMS[name], "-", NOT_RUN[name]])
    for test, platform, figure in STUDY:
        rows.append([f"PicoClaw, {test}", platform, figure, "claimed by the study"])
    return table(["test", "platform", "figure", "against target"], rows, right=9)


def largest_rss(bench: dict[str, Any], part: str) -> int | None:
    """Most resident bytes over the phases of `part`: "gateway" or "bursts"."""
    varying = bench["may_vary"][part]
    phases = varying["phases"] if part == "gateway" and varying else []
    if part == "bursts":
        phases = [phase for run in varying for phase in run]
    return max((p["rss_b"] for p in phases if p["rss_b"] is not None), default=None)


def _live_rows(results: Results, limits: dict[str, Any]) -> list[list[str]]:
    rows = []
    for stem, live in results.items():
        # `make live` writes many; the figures are those of the long run.
        if stem.startswith("live-") and stem.endswith(f"-live-{LIVE_MESSAGES}"):
            rows.append(_live_row(live, limits))
    for name, bench in kind(results, "bench-").items():
        rss = largest_rss(bench, "gateway")
        if rss is None:
            continue
        gateway = bench["gateway"]
        rows.append(
            [
                f"live gateway, {gateway['messages']:,} messages, a 4,096-unit answer in four "
                "scripts, a 1 MB update, verified TLS",
                PLATFORMS[name],
                f"RSS {kilobytes(rss)} kB",
                verdict(rss / 1024, limits["rss"]["limit_kb"], "kB"),
            ]
        )
    return rows


def _live_row(live: dict[str, Any], limits: dict[str, Any]) -> list[str]:
    tally = live["messages"]
    figure = (
        f"{tally['answered']:,} of {tally['sent']:,} answered, {live['median_ms']:.1f} ms each"
    )
    against = "**PASS**" if live["ok"] else "**FAIL**"
    name = str(live["target"])
    if live["rss"] and name in limits["rss"]["messages"]:
        rss_kb = live["rss"]["rss_kb"]
        figure = f"RSS {rss_kb:,} kB, {figure}"
        if live["ok"]:
            against = verdict(rss_kb, limits["rss"]["limit_kb"], "kB")
    test = f"live gateway, {tally['sent']:,} messages, verified TLS, heap {live['heap']}"
    return [test, PLATFORMS.get(name, name), figure, against]


def _time_rows(results: Results) -> list[list[str]]:
    """One kept connection against a fresh one for each call (`copepod compare`)."""
    rows = []
    for name, data in kind(results, "compare-").items():
        middle = sorted(data["rounds"], key=lambda r: r["times"])[len(data["rounds"]) // 2]
        rows.append(
            [
                "time per message against a fresh TLS connection for each call",
                PLATFORMS[name],
                f"{middle['kept_ms']:.1f} ms against {middle['fresh_ms']:.0f} ms: "
                f"{data['times']:.0f} times as fast",
                "**PASS**, at least 50 times" if data["ok"] else "**OVER**",
            ]
        )
    return rows


def _membench_rows(results: Results) -> list[list[str]]:
    rows = []
    for name, bench in kind(results, "bench-").items():
        rss = largest_rss(bench, "bursts")
        live = max(p["live_b"] or 0 for run in bench["bursts"] for p in run["phases"])
        figure = f"live GC heap at most {live:,} B in a heap of {bench['heap']}"
        if rss is not None:
            figure = f"RSS {kilobytes(rss)} kB, {figure}"
        runs = [run["burst_gc_runs"] for run in bench["bursts"]]
        if None not in runs:
            figure += f", collections {' and '.join(map(str, runs))}"
        bursts = " and ".join(f"{run['burst']:,}" for run in bench["bursts"])
        against = verdict(rss / 1024, bench["limit_kb"], "kB") if rss else "ran in that heap"
        rows.append([f"membench, burst {bursts}", PLATFORMS[name], figure, against])
    return rows


def _heap_rows(results: Results, limits: dict[str, Any]) -> list[list[str]]:
    rows = []
    for data in (d for stem, d in results.items() if stem.startswith("heap-")):
        row = limits["heap"].get(data["app"], {}).get(data["target"])
        lengths = " and ".join(f"{n:,}" for n in dict.fromkeys(data["lengths"]))
        where = "from .mpy files" if data["app"] == "mpy" else "frozen"
        smallest = data["smallest_heap_kib"]
        rows.append(
            [
                f"smallest heap, {data['messages']:,} messages of {lengths} units over TLS, "
                f"application {where}",
                PLATFORMS.get(data["target"], data["target"]),
                f"{smallest} KiB",
                verdict(smallest, row["limit_kib"], "KiB", row["goal_kib"]) if row else "-",
            ]
        )
    return rows


def _garbage_rows(results: Results, limits: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, data in kind(results, "audit-").items():
        limit = limits["garbage"].get(name)
        total = sum(data["garbage_b"]["60"].values())
        against = verdict(total, limit["limit_b"], "B", limit["goal_b"]) if limit else "-"
        rows.append(
            [
                "garbage per message of 60 units, answer included",
                PLATFORMS[name],
                f"{total:,.0f} B",
                against,
            ]
        )
    return rows


def _growth_rows(results: Results, limits: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, bench in kind(results, "bench-").items():
        gateway = bench["gateway"]
        slope = (bench["may_vary"]["gateway"] or {}).get("slope")
        if not slope:
            continue
        growth = slope["growth_b"]
        rows.append(
            [
                f"growth of the live heap over {gateway['messages']:,} messages",
                PLATFORMS[name],
                f"{growth:,} B; slope {slope['b_per_message']:+.4f} ± {slope['confidence_b']:.4f} "
                "B per message",
                f"**OVER** 0 B by {growth}" if slope["grows"] else "**PASS**, no growth",
            ]
        )
    return rows


# --- phases


def phases(results: Results) -> str:
    """Live heap and resident memory by phase, one column a platform."""
    found = kind(results, "bench-")
    if not found:
        return missing("make bench")
    names: list[str] = []
    cells: dict[tuple[str, str], str] = {}
    for target, bench in found.items():
        burst = bench["bursts"][-1]
        rss = {
            p["name"]: p["rss_b"] for p in bench["may_vary"]["bursts"][len(bench["bursts"]) - 1]
        }
        rows = [(p["name"], p["live_b"], rss[p["name"]]) for p in burst["phases"]]
        if bench["gateway"]:
            outside = {p["name"]: p["rss_b"] for p in bench["may_vary"]["gateway"]["phases"]}
            rows += [
                (p["name"], p["live_b"], outside[p["name"]]) for p in bench["gateway"]["phases"]
            ]
        for name, live, resident in rows:
            if name not in names:
                names.append(name)
            cells[name, target] = f"{live:,}"
            if resident is not None:
                cells[name, target] += f" / {resident // 1024} kB"
    head = ["phase", *(f"{name} ({bench['word_bits']}-bit)" for name, bench in found.items())]
    rows = [[name, *(cells.get((name, target), "-") for target in found)] for name in names]
    first = next(iter(found.values()))["bursts"][-1]["burst"]
    return (
        f"Bytes in use after a collection / resident memory of the process. Phases 1 to 6 are "
        f"membench with a burst of {first:,}, 7 to 10 the gateway over TLS.\n\n"
        f"{table(head, rows)}\n\n{by_command(*found.values())}"
    )


def settings(results: Results) -> str:
    """Default against constrained: what heap size and gc.threshold() each do."""
    found = kind(results, "bench-")
    rows = []
    for target, bench in found.items():
        count = len(bench["bursts"])
        varying = bench["may_vary"]
        for at, run in enumerate(bench["settings"]):
            after = next(p for p in run["phases"] if p["name"] == "4-after-burst")
            share = varying["gc_share"][count + at]
            resident = max(
                (p["rss_b"] for p in varying["settings"][at] if p["rss_b"]), default=None
            )
            rows.append(
                [
                    target,
                    run["heap"],
                    f"{run['threshold_b']:,} B" if run["threshold_b"] else "off",
                    kilobytes(resident),
                    number(max(p["used_b"] for p in run["phases"])),
                    number(after["live_b"]),
                    "-" if run["burst_gc_runs"] is None else str(run["burst_gc_runs"]),
                    "-" if share is None else f"{share:.1%}",
                ]
            )
    if not rows:
        return missing("make bench")
    head = ["platform", "heap", "gc.threshold", "most RSS, kB", "most used, B", "live, B"]
    head += ["collections in the burst", "share of its time"]
    return f"{table(head, rows)}\n\n{by_command(*found.values())}"


# --- the audit


def garbage(results: Results) -> str:
    """Garbage per message by component."""
    found = kind(results, "audit-")
    if not found:
        return missing("make audit")
    parts = []
    for target, data in found.items():
        lengths = list(data["garbage_b"])
        names = list(data["garbage_b"][lengths[0]])
        rows = [
            [name, *(f"{data['garbage_b'][length][name]:,.1f}" for length in lengths)]
            for name in sorted(names, key=lambda n: -data["garbage_b"][lengths[0]][n])
        ]
        rows.append(
            ["**in all**", *(f"{sum(data['garbage_b'][n].values()):,.1f}" for n in lengths)]
        )
        head = [f"component, {target}", *(f"{int(n):,} units, B" for n in lengths)]
        parts.append(table(head, rows))
    return "\n\n".join(parts) + "\n\n" + by_command(*found.values())


def live_heap(results: Results) -> str:
    """What the live heap is made of."""
    found = kind(results, "audit-")
    parts = []
    for target, data in found.items():
        builds = list(data["live_b"])
        names = list(data["live_b"][builds[0]])
        rows = [
            [name, *(f"{data['live_b'][build][name]:,}" for build in builds)]
            for name in sorted(names, key=lambda n: -data["live_b"][builds[0]][n])
        ]
        rows.append(["**in all**", *(f"{sum(data['live_b'][b].values()):,}" for b in builds)])
        told = {"frozen": "frozen, B", "mpy": "from .mpy files, B"}
        parts.append(table([f"component, {target}", *(told[b] for b in builds)], rows))
    if not parts:
        return missing("make audit")
    return "\n\n".join(parts) + "\n\n" + by_command(*found.values())


def advice(results: Results) -> str:
    """The study's recommendations, both sides measured."""
    found = kind(results, "audit-")
    if not found:
        return missing("make audit")
    rows = []
    for module, told, estimate in audits.STUDY:
        first = True
        sides: dict[str, list[str]] = {}
        for data in found.values():
            for row in data["rows"]:
                if row["module"] == module:
                    cell = audits.AuditRow(**row).told()
                    sides.setdefault(row["label"], []).append(cell)
        for label, cells in sides.items():
            head = [told, estimate] if first else ["", ""]
            rows.append(
                [*head, f"{label} (`firmware/bench/{module}.py`)" if first else label, *cells]
            )
            first = False
    head = ["recommendation", "the study's estimate, for Go", "side", *found]
    return f"{table(head, rows, right=3)}\n\n{by_command(*found.values())}"


def resident(results: Results) -> str:
    """Where each resident page goes."""
    found = {
        name: bench["may_vary"]["gateway"]["pages"]
        for name, bench in kind(results, "bench-").items()
        if bench["gateway"] and bench["may_vary"]["gateway"]["pages"]
    }
    if not found:
        return missing("make bench TARGET=unix64")
    names: list[str] = []
    for pages in found.values():
        names += [a["name"] for a in pages["areas"] if a["name"] not in names]
    rows = []
    for name in names:
        row = [name]
        for pages in found.values():
            area = next((a for a in pages["areas"] if a["name"] == name), None)
            row.append("-" if area is None else f"{area['resident'] / 1024:.1f}")
        rows.append(row)
    rows.append(["**in all**", *(f"**{p['rss_b'] / 1024:.0f}**" for p in found.values())])
    head = ["resident, kB", *found]
    commands = [kind(results, "bench-")[name] for name in found]
    return f"{table(head, rows)}\n\n{by_command(*commands)}"


def fragmentation(results: Results) -> str:
    """The heap before and after."""
    found = kind(results, "audit-")
    rows = []
    for target, data in found.items():
        for entry in data["heap_map"]:
            rows.append(
                [
                    target,
                    entry["label"],
                    number(entry["used_b"]),
                    number(entry["free_b"]),
                    number(entry["largest_free_b"]),
                    str(entry["free_runs"]),
                ]
            )
    if not rows:
        return missing("make audit")
    head = ["platform", "when", "used, B", "free, B", "largest free run, B", "free runs"]
    return f"{table(head, rows, right=2)}\n\n{by_command(*found.values())}"


TABLES = {
    "glance": glance,
    "phases": phases,
    "settings": settings,
    "garbage": garbage,
    "live-heap": live_heap,
    "advice": advice,
    "resident": resident,
    "fragmentation": fragmentation,
}
