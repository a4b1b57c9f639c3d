"""membench: the study's phases and line form, the verdict, the leak's slope; on the wheel."""

import json
import re

import pytest
from click.testing import CliRunner
from rich.console import Console

from host_tools import targets
from host_tools.errors import UserError
from host_tools.measure import bench, phases, soak
from host_tools.measure.phases import Phase, PhaseRun

UNIX = targets.get("unix")
HEAP = "512k"


@pytest.fixture(scope="module")
def run():
    """One run of membench."""
    return phases.run(UNIX, heap=HEAP, app="mpy", burst=100, threshold_b=0)


def test_every_phase_in_order_with_its_figures(run):
    assert [phase.name for phase in run.phases] == list(phases.NAMES)
    for phase in run.phases:
        assert 0 < phase.live_b <= phase.used_b
        assert 0 < phase.run_b <= phase.total_b - phase.live_b
        assert phase.rss_b is None  # the wheel's process is Python's
    assert run.alone_b < run.phases[0].used_b


def test_burst_is_whole_and_the_queue_was_too_small_for_it(run):
    assert (run.produced, run.consumed) == (100, 100)
    assert run.pieces > 5
    assert run.html_b > 40_000
    assert run.burst_us > 0


def test_nothing_stays_of_the_burst(run):
    before = run.phase("3-bus-created").live_b
    assert run.phase("5-steady-state").live_b - before <= 512


def test_a_larger_burst_leaves_no_more(run):
    larger = phases.run(UNIX, heap=HEAP, app="mpy", burst=400, threshold_b=0)
    for name in ("3-bus-created", "5-steady-state"):
        assert larger.phase(name).live_b == run.phase(name).live_b


def test_line_has_the_studys_form():
    phase = Phase("4-after-burst", 24128, 12528, 35872, 23856, 48000, 4, 216, 3145728, 8192, 0)
    line = phase.line()
    assert re.match(
        r"^\[mem 4-after-burst       \] RSS=  3072 KB \(3\.00 MB\)  HeapAlloc=   24128 B  HeapSys=",
        line,
    )
    assert line.endswith("NumGC=4")
    assert "RSS=     - KB" in Phase("1-baseline", 1, 1, 1).line()


def outcome(rss_b, produced=100, limit_kb=5120):
    phase = Phase("1-baseline", 10, 10, 10, rss_b=rss_b)
    made = bench.Outcome("unix64", 64, "MicroPython", "frozen", "96k", limit_kb=limit_kb)
    made.bursts = [PhaseRun("96k", 0, 100, [phase], produced, 100)]
    return made


def test_verdict_passes_is_over_or_fails():
    good = outcome(3072 * 1024)
    assert good.ok
    assert good.verdict() == "✅ PASS: RSS 3072 KB (3.00 MB) is UNDER 5 MB target (5120 KB)"
    over = outcome(6000 * 1024)
    assert not over.ok
    assert over.verdict() == "❌ OVER: RSS 6000 KB (5.86 MB) EXCEEDS 5 MB target by 880 KB"
    lost = outcome(1024, produced=99)
    assert not lost.ok
    assert "FAIL" in lost.verdict()
    assert "stated heap of 96k" in outcome(None).verdict()


def test_steady_figures_and_those_that_may_vary_are_apart(run):
    made = bench.Outcome("unix", 64, "MicroPython", "mpy", HEAP, bursts=[run])
    data = made.as_dict()
    text = json.dumps({key: value for key, value in data.items() if key != "may_vary"})
    for name in ("rss_b", "burst_us", "gc_us", "date", "seconds"):
        assert name not in text
    assert data["may_vary"]["burst_us"] == [run.burst_us]


def test_a_program_that_fails_is_told_with_its_last_lines(tmp_path):
    device = phases.start(UNIX, "membench", "main('many')", workdir=tmp_path, heap=HEAP, app="mpy")
    with pytest.raises(UserError, match=r"the benchmark ended \(1\)[\s\S]*TypeError"):
        phases.finish(device, 20)


def test_a_program_that_hangs_is_ended(tmp_path):
    device = phases.start(
        UNIX, "membench", "sleep_ms(60000)", workdir=tmp_path, heap=HEAP, app="mpy"
    )
    with pytest.raises(UserError, match="hangs"):
        phases.finish(device, 1)
    assert device.exit_status is not None


# --- the slope


def test_slope_of_a_flat_line_is_nothing():
    found = soak.slope([(float(x), 5000.0) for x in range(0, 1000, 100)])
    assert found is not None
    assert (found.b_per_message, found.confidence_b) == (0.0, 0.0)


def test_slope_finds_a_leak_with_its_confidence():
    wobble = [3, -3, 1, -1, 2, -2, 0, 1, -1, 0]
    points = [(x * 100.0, 5000 + 0.5 * x * 100 + wobble[x]) for x in range(10)]
    found = soak.slope(points)
    assert found is not None
    assert abs(found.b_per_message - 0.5) < 0.01
    assert 0 < found.confidence_b < 0.02
    assert found.frames == 10


def test_a_leak_grows_and_a_wobble_does_not():
    wobble = [0, 16, 0, 0, 16, 0, 16, 16, 16, 16]
    flat = soak.slope([(x * 100.0, 44000 + wobble[x]) for x in range(10)])
    assert flat is not None
    assert flat.growth_b == 0 or not flat.grows(32)
    step = soak.slope([(x * 100.0, 44000 + (16 if x > 2 else 0)) for x in range(10)])
    assert step is not None
    assert not step.grows(32)
    leak = soak.slope([(x * 200.0, 44000 + x * 16) for x in range(10)])
    assert leak is not None
    assert leak.grows(32)


def test_slope_needs_three_points_apart():
    assert soak.slope([(0.0, 1.0), (1.0, 1.0)]) is None
    assert soak.slope([(5.0, 1.0), (5.0, 2.0), (5.0, 3.0)]) is None


def test_confidence_covers_the_truth_about_as_often_as_it_says():
    import random

    rng = random.Random(7)
    inside = 0
    for _ in range(200):
        points = [(x * 50.0, 8000 + rng.gauss(0, 20)) for x in range(12)]
        found = soak.slope(points)
        assert found is not None
        inside += abs(found.b_per_message) <= found.confidence_b
    assert 180 <= inside <= 199


# --- the gateway's phases


def test_gateway_phases_and_no_leak():
    result = soak.Soak(UNIX, HEAP, "mpy", batches=4).run(120)
    names = [phase.name for phase in result.phases]
    assert names == ["7-tls-connected", "8-message-4096", "9-update-1MB", "10-soak"]
    assert result.rejected == 0
    assert result.connections == 1
    assert result.slope is not None
    before, after, end = (phase.live_b or 0 for phase in result.phases[1:])
    assert after - before <= 2048  # the methods that it takes to pass over a megabyte, loaded once
    assert end - after <= 256
    assert set(result.startup) >= {"baseline", "steady"}


def test_command_writes_json_and_verdict(tmp_path):
    out = tmp_path / "bench.json"
    words = ["--target", "unix", "--burst", "50", "--soak", "0", "--no-settings", "--heap", HEAP]
    result = CliRunner().invoke(bench.bench_command, [*words, "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert "(Messages produced: 50, consumed: 50)" in result.output
    assert "=== FINAL VERDICT ===" in result.output
    assert "PASS" in result.output
    data = json.loads(out.read_text())
    assert data["target"] == "unix"
    assert len(data["bursts"]) == 1


def test_settings_table_has_a_row_a_run(run):
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(bench.settings_table([run, run]))
    assert console.export_text().count(HEAP) == 2


@pytest.mark.timeout(150)  # a whole membench behind a pty
def test_membench_on_a_board(tmp_path, monkeypatch):
    from pty_board import PtyBoard

    from host_tools.app import app_files

    folder = tmp_path / "board"
    for path, data in app_files.app().items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    (folder / "bot.py").write_text("# the owner's own\n")
    (folder / "config.json").write_text(json.dumps(phases.CONFIG))
    with PtyBoard(folder) as board:
        monkeypatch.setenv("PORT", board.port)
        found = phases.run(targets.get("board"), heap=None, app="mpy", burst=50, threshold_b=0)
    assert [phase.name for phase in found.phases] == list(phases.NAMES)
    assert (found.produced, found.consumed) == (50, 50)
    assert found.heap.endswith(" B")
    assert all(phase.rss_b is None for phase in found.phases)
