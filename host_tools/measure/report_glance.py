"""Results at a glance: test, platform, figure, against target. The study's figures stand here, and no others."""

from __future__ import annotations

from typing import Any

from host_tools.measure import budgets
from host_tools.measure.report_text import (
    PLATFORMS,
    Results,
    aged,
    explained,
    kilobytes,
    kind,
    table,
)

LIVE_MESSAGES = 1000
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
        told = "claimed by the study"
        if test.startswith("live") and (found := _rivals(results)):
            told += f"; measured here: {found}"
        rows.append([f"PicoClaw, {test}", platform, figure, told])
    return explained(table(["test", "platform", "figure", "against target"], rows, right=9))


def _rivals(results: Results) -> str:
    """What `copepod rivals` found of PicoClaw, setting by setting."""
    told = []
    for data in (d for stem, d in results.items() if stem.startswith("rivals-picoclaw")):
        tally, rss = data["messages"], data["rss"]
        settings = " ".join(f"{name}={value}" for name, value in data["settings"].items())
        built = f"revision {data['revision']}, " if data["revision"] else ""
        told.append(
            f"RSS {rss['rss_kb']:,} kB ({built}{settings or 'its own settings'}; "
            f"{tally['answered']} of {tally['sent']} answered, `{data['command']}`)"
        )
    return ", ".join(told)


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
                f"RSS {kilobytes(rss)} kB{aged(bench)}",
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
    heap = live["heap"] or f"the board's own, {live['gc_total_b']:,} B"
    test = f"live gateway, {tally['sent']:,} messages, verified TLS, heap {heap}"
    return [test, PLATFORMS.get(name, name), figure + aged(live), against]


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
                f"{data['times']:.0f} times as fast{aged(data)}",
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
        rows.append([f"membench, burst {bursts}", PLATFORMS[name], figure + aged(bench), against])
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
                f"{smallest} KiB{aged(data)}",
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
                f"{total:,.0f} B{aged(data)}",
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
                f"B per message{aged(bench)}",
                f"**OVER** 0 B by {growth}" if slope["grows"] else "**PASS**, no growth",
            ]
        )
    return rows


# --- in five rows


def brief(results: Results) -> str:
    """What README says: five figures, and one sentence on each."""
    rows = [
        row
        for row in (_board(results), *_process(results), _smallest(results), _times(results))
        if row
    ]
    if not rows:
        return "Not measured yet: `make bench`, `make live`."
    return explained(table(["figure", "what it is"], rows, right=9))


def _board(results: Results) -> list[str] | None:
    live = results.get(f"live-esp32-live-{LIVE_MESSAGES}")
    if live is None:
        return None
    tally = live["messages"]
    return [
        f"**{tally['answered']:,} of {tally['sent']:,}** messages answered{aged(live)}",
        f"by {PLATFORMS['esp32']}, without PSRAM, over verified TLS, with {live['gc_total_b']:,} B for Python "
        f"in all (`{live['command']}`).",
    ]


def _process(results: Results) -> list[list[str]]:
    bench, small = results.get("bench-unix64"), results.get("bench-unix32")
    rss = largest_rss(bench, "gateway") if bench else None
    if not bench or not small or rss is None:
        return []
    messages = small["gateway"]["messages"]
    growth = small["may_vary"]["gateway"]["slope"]["growth_b"]
    measured = [d["rss"]["rss_kb"] for s, d in results.items() if s.startswith("rivals-picoclaw")]
    beside = f", {max(measured):,} kB measured here (`copepod rivals`)" if measured else ""
    return [
        [
            f"**{kilobytes(rss)} kB** resident{aged(bench)}",
            f"is the whole process on 64-bit Linux after {bench['gateway']['messages']:,} messages and an update "
            "of 1 MB; "
            f"of PicoClaw 1,024 kB are claimed by a study{beside}.",
        ],
        [
            f"**{growth:,} B** of growth{aged(small)}",
            f"in the live heap from the first of {messages:,} messages to the last, in 32 bits as on a board "
            f"(`{small['command']}`).",
        ],
    ]


def _smallest(results: Results) -> list[str] | None:
    data = results.get("heap-unix32-mpy")
    if data is None:
        return None
    return [
        f"**{data['smallest_heap_kib']} KiB** of heap{aged(data)}",
        f"suffice for {data['messages']:,} messages of up to 4,096 units over TLS, the application's own code "
        "included, from the files that a stock board gets.",
    ]


def _times(results: Results) -> list[str] | None:
    data = results.get("compare-unix")
    if data is None:
        return None
    return [
        f"**{data['times']:.0f} times** as fast{aged(data)}",
        "as a bot that connects anew for each call, since one verified connection is kept for polling and "
        f"sending (`{data['command']}`).",
    ]
