"""Tables of the report, as Markdown, from results/*.json. No figure is typed here.

Each function returns the text that stands between its markers; a table that has no results yet
says which command makes them.
"""

from __future__ import annotations

from statistics import median

from host_tools.measure import audit as audits
from host_tools.measure.report_glance import brief, glance
from host_tools.measure.report_text import (
    Results,
    by_command,
    kilobytes,
    kind,
    missing,
    number,
    table,
)

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


# --- what a person types and waits for


def first_answer(results: Results) -> str:
    """From a clone to an answer, from an edit to its effect, and how long a bot is."""
    data = results.get("first-answer")
    if data is None:
        return missing("make dev && .venv/bin/copepod first-answer")
    seconds, edits, pip = data["seconds"], data["edits_s"], data["pip"]
    typed = ", ".join(f"`{command}`" for command in data["typed"])
    parts = f"{seconds['venv']:.0f} of them for .venv, {seconds['build_and_start']:.0f} to build and start"
    ways = [
        [
            f"from `git clone` to README's bot answering `{data['said']}`",
            f"{len(data['typed'])} commands: {typed}",
            f"{seconds['in_all']:.0f} s, {parts}",
        ],
        [
            "from saving an edit to the edited bot's answer",
            "nothing",
            f"{median(edits):.1f} s ({min(edits):.1f} to {max(edits):.1f} in {len(edits)} edits)",
        ],
    ]
    bots = [
        [bot["bot"], bot["source"], str(bot["lines"]), str(bot["statements"])]
        for bot in data["bots"]
    ]
    links = ", and a folder with packages" if pip["find_links"] else ""
    return "\n\n".join(
        [
            table(["way", "typed", "time"], ways, right=3),
            f"One run on a shared machine with {data['processors']} processors, on which {data['load_average']} "
            f"processes ran on average, and Python {data['python']}: the times wobble. It cloned a folder of the "
            "same machine; `.venv` and `build/` were cold, pip had "
            f"{kilobytes(pip['cache_b'])} kB in its cache{links}. Elsewhere the network decides.",
            table(["bot", "from", "lines of code", "statements"], bots, right=2),
            "Lines without blank ones, comments and docstrings.",
            by_command(data),
        ]
    )


TABLES = {
    "brief": brief,
    "glance": glance,
    "phases": phases,
    "settings": settings,
    "garbage": garbage,
    "live-heap": live_heap,
    "advice": advice,
    "resident": resident,
    "fragmentation": fragmentation,
    "first-answer": first_answer,
}
