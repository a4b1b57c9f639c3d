"""Memory budgets as assertions: tests/budgets.toml, on the targets that COPEPOD_TARGETS names.

Whoever breaks one is told the phase and the component that grew.
"""

import functools
import json
import os
import tempfile
from pathlib import Path

import pytest

from host_tools import targets
from host_tools.console.frames import Frame
from host_tools.measure import audit, budgets, soak
from host_tools.scenarios import engine, scenario

TABLE = budgets.load()


def wanted(target):
    names = os.environ.get("COPEPOD_TARGETS") or os.environ.get("TARGETS", "unix")
    chosen = names.replace(",", " ").split()
    return target in chosen or "all" in chosen


def chosen(names):
    """Those of `names` that this run is for; pytest shows the others as skipped."""
    return [
        pytest.param(
            name, marks=() if wanted(name) else pytest.mark.skip(reason=f"TARGETS={name}")
        )
        for name in names
    ]


def scenario_of(count, lengths, heap, app):
    plan = scenario.load("live")
    plan.name = "budget"
    plan.messages.count = count
    plan.messages.lengths = lengths
    plan.device.heap = heap
    plan.device.app = app
    plan.timeout_s = 100
    return plan


def explained(target, app, frames):
    """Phases and components, beside what was recorded."""
    record = budgets.recorded("bench", target)
    before = record["gateway"]["startup_live_b"] if record and record["app"] == app else None
    told = [budgets.blame("phase", budgets.live_phases(frames), before)]
    place = targets.get(target)
    record = budgets.recorded("audit", target)
    live = {name: float(value) for name, value in audit.kept(place, app).items()}
    told.append(budgets.blame("component", live, record and record["live_b"].get(app)))
    return "\n".join(told)


HEAPS = [(app, target) for app, rows in TABLE["heap"].items() for target in rows]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("app", "target"),
    [
        pytest.param(app, target, marks=() if wanted(target) else pytest.mark.skip(reason=target))
        for app, target in HEAPS
    ],
)
def test_a_burst_passes_in_the_stated_heap(app, target, tmp_path):
    row = TABLE["heap"][app][target]
    heap = f"{row.get('needs_kib', row['limit_kib'])}k"
    # Enough to go round the queue many times; `make report` has a thousand.
    count = 200 if target == "unix32" else 60
    plan = scenario_of(count, [60, 60, 60, 4096], heap, app)
    result = engine.run(plan, targets.get(target), tmp_path)
    if not result.ok:
        failures = "; ".join(f"{r.label}: {r.value}" for r in result.failures)
        last = "\n".join(result.console.splitlines()[-4:])
        why = explained(target, app, result.frames)
        pytest.fail(f"{count} messages do not pass in {heap} ({failures})\n{why}\n{last}")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("target", chosen(TABLE["garbage"]))
def test_garbage_per_message(target):
    limit = TABLE["garbage"][target]["limit_b"]
    app = "mpy" if target == "unix" else "frozen"
    parts = audit.components(targets.get(target), 60, app)
    total = sum(parts.values())
    record = budgets.recorded("audit", target)
    before = record["garbage_b"]["60"] if record else None
    assert total <= limit, (
        f"{total:.0f} B of garbage per message, at most {limit}: "
        + budgets.blame("component", parts, before)
    )


@functools.cache
def soaked(target):
    """One soak a target, for everything that is asked of it."""
    heap = f"{TABLE['heap']['frozen'][target]['limit_kib']}k"
    batches = 10 if target in TABLE["growth"]["targets"] else 4
    runner = soak.Soak(targets.get(target), heap, "frozen", batches=batches)
    return runner.run(TABLE["rss"]["messages"][target])


@pytest.mark.timeout(200)
@pytest.mark.parametrize("target", chosen(TABLE["growth"]["targets"]))
def test_the_live_heap_does_not_grow(target):
    run = soaked(target)
    assert TABLE["growth"]["limit_b"] == 0
    assert run.slope is not None
    assert not run.slope.grows(targets.get(target).word_bits), (
        f"{run.slope.growth_b} B over {run.messages} messages, {run.slope.text()} per message"
    )
    assert run.rejected == 0
    assert run.connections == 1


@pytest.mark.timeout(200)
@pytest.mark.parametrize("target", chosen(TABLE["rss"]["messages"]))
def test_resident_memory(target):
    limit_kb = TABLE["rss"]["limit_kb"]
    run = soaked(target)
    assert run.phases
    for phase in run.phases:
        assert phase.rss_b is not None
        areas = (run.breakdown or {"areas": []})["areas"]
        assert phase.rss_b <= limit_kb * 1024, (
            f"{phase.rss_b // 1024} kB in phase {phase.name}, at most {limit_kb}: "
            + ", ".join(f"{area['name']} {area['resident'] // 1024} kB" for area in areas)
        )


# --- the blame itself


def frame(phase, live):
    values = {"gc_live": live}
    return Frame(0, 0, phase, values)


def test_blame_names_what_grew_largest_first():
    told = budgets.blame(
        "component", {"bus": 500, "http": 900, "text": 10}, {"bus": 480, "http": 100}
    )
    assert told.startswith(
        "component that grew: http grew by 800 B to 900 B; bus grew by 20 B to 500 B; "
        "text grew by 10 B to 10 B"
    )
    assert "none" in budgets.blame("phase", {"steady": 5}, {"steady": 5})
    assert "nothing recorded" in budgets.blame("phase", {"steady": 5}, None)


def test_live_phases_keeps_named_phases_and_the_last():
    frames = [
        frame("baseline", 10),
        frame("interval", 40),
        frame("steady", 30),
        frame("burst", 35),
    ]
    assert budgets.live_phases(frames) == {"baseline": 10, "steady": 30, "last": 35}


def test_recorded_results_are_found():
    with tempfile.TemporaryDirectory() as folder:
        assert budgets.recorded("audit", "unix32", Path(folder)) is None
        (Path(folder) / "audit-unix32.json").write_text(json.dumps({"a": 1}))
        assert budgets.recorded("audit", "unix32", Path(folder)) == {"a": 1}


def test_limits_are_at_least_as_strict_as_their_goals_allow():
    for rows in TABLE["heap"].values():
        for row in rows.values():
            assert row["goal_kib"] <= row["limit_kib"]
            assert row.get("needs_kib", row["limit_kib"] + 1) > row["limit_kib"], "it is met again"
    for row in TABLE["garbage"].values():
        assert row["goal_b"] <= row["limit_b"]
    assert TABLE["growth"]["limit_b"] == 0
