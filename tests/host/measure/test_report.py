"""The report: what stands between markers comes from results, the same results give the same text."""

import json
import re
import subprocess

import pytest
from click.testing import CliRunner

from host_tools.errors import UserError
from host_tools.measure import budgets, report, report_glance, report_tables, report_text
from host_tools.scenarios.results import firmware


def phase(name, live, **more):
    return {"name": name, "used_b": live + 100, "live_b": live, "total_b": 48000, **more}


def outside(name, rss):
    return {"name": name, "rss_b": rss, "anonymous_b": rss // 4, "file_b": rss - rss // 4}


def bench(target="unix32", rss=700 * 1024, growth=0):
    names = ("1-baseline", "4-after-burst")
    run = {"heap": "48k", "threshold_b": 0, "burst": 1000, "burst_gc_runs": 3}
    run["phases"] = [phase(name, 12000) for name in names]
    slope = {"b_per_message": growth / 1000, "confidence_b": 0.001, "frames": 19}
    slope |= {"growth_b": growth, "grows": growth > 16}
    return {
        "command": f"copepod bench --target {target}",
        "firmware": firmware(),
        "target": target,
        "word_bits": 32,
        "app": "frozen",
        "heap": "48k",
        "limit_kb": 5120,
        "bursts": [run],
        "settings": [run],
        "gateway": {"messages": 1000, "phases": [phase("10-soak", 40000)]},
        "may_vary": {
            "bursts": [[outside(name, rss - 4096) for name in names]],
            "settings": [[outside(name, rss) for name in names]],
            "gc_share": [0.01, 0.02],
            "gateway": {
                "phases": [outside("10-soak", rss)],
                "slope": slope,
                "pages": {
                    "rss_b": rss,
                    "areas": [{"name": "mbedTLS", "resident": rss, "mapped": rss, "file": True}],
                },
            },
        },
    }


def audit(target="unix32"):
    row = {"module": "audit_message", "kind": "garbage", "label": "a dict", "bytes": 304.0}
    return {
        "command": f"copepod audit --target {target}",
        "firmware": firmware(),
        "target": target,
        "garbage_b": {
            "60": {"channel": 900.0, "bus": 16.0},
            "4096": {"channel": 2000.0, "bus": 16.0},
        },
        "live_b": {"frozen": {"code": 19000}, "mpy": {"code": 81000}},
        "rows": [row, {**row, "label": "fields", "bytes": 80.0}],
        "heap_map": [
            {"label": "ready", "used_b": 1, "free_b": 9, "largest_free_b": 7, "free_runs": 2}
        ],
    }


def heap(smallest=47, app="frozen"):
    return {
        "command": "copepod live --find-heap",
        "firmware": firmware(),
        "target": "unix32",
        "app": app,
        "lengths": [60, 4096],
        "messages": 1000,
        "smallest_heap_kib": smallest,
    }


def answered():
    bot = {"bot": "a bot", "source": "README.md", "lines": 7, "statements": 6}
    return {
        "command": "copepod first-answer",
        "firmware": firmware(),
        "processors": 2,
        "load_average": 1.5,
        "python": "3.11.2",
        "pip": {"cache_b": 4096, "find_links": False},
        "typed": ["git clone REPOSITORY copepod", "cd copepod", "make run BOT=bot.py"],
        "said": "/led on",
        "seconds": {"clone": 1.5, "venv": 40.2, "build_and_start": 5.4, "in_all": 47.1},
        "edits_s": [0.4, 0.5, 0.9],
        "bots": [bot, bot | {"bot": "another", "lines": 26, "statements": 21}],
    }


@pytest.fixture
def results():
    return {
        "bench-unix32": bench(),
        "audit-unix32": audit(),
        "heap-unix32-frozen": heap(),
        "first-answer": answered(),
    }


def test_glance_judges_against_the_budgets(results):
    text = report_glance.glance(results)
    limit = budgets.load()["heap"]["frozen"]["unix32"]["limit_kib"]
    assert re.search(
        r"smallest heap.*47 KiB.*\*\*PASS\*\*, at most " + str(limit) + " KiB; goal of", text
    )
    assert re.search(r"garbage per message.*916 B.*\*\*PASS\*\*", text)
    assert re.search(r"growth.*0 B; slope \+0\.0000.*\*\*PASS\*\*", text)
    assert re.search(r"live gateway, 1,000 messages.*RSS 700 kB.*\*\*PASS\*\*", text)


def test_glance_says_what_is_over_and_by_how_much(results):
    results["bench-unix32"] = bench(rss=2000 * 1024, growth=64)
    results["heap-unix32-frozen"] = heap(smallest=60)
    text = report_glance.glance(results)
    assert "**OVER** 1,024 kB by 976" in text
    assert "**OVER** 0 B by 64" in text
    assert "**OVER** 48 KiB by 12" in text


def test_live_and_compared_times_are_told(results):
    live = {"scenario": "live", "target": "unix64", "ok": True, "heap": "96k", "median_ms": 1.25}
    live |= {"firmware": firmware()}
    live |= {"rss": {"rss_kb": 700}, "messages": {"sent": 50, "answered": 50}}
    rounds = [{"fresh_ms": 300.0, "kept_ms": 3.0, "times": 100.0}] * 3
    more = {
        "live-unix64-live-1000": live,
        "compare-unix": {"firmware": firmware(), "rounds": rounds, "times": 100, "ok": True},
    }
    text = report_glance.glance({**results, **more})
    assert "RSS 700 kB, 50 of 50 answered, 1.2 ms each | **PASS**, at most 1,024 kB" in text
    assert "3.0 ms against 300 ms: 100 times as fast | **PASS**" in text
    live["ok"] = False
    assert "| **FAIL** |" in report_glance.glance({**results, **more})


def test_the_study_stands_beside_marked_as_claimed(results):
    text = report_glance.glance(results)
    rows = [line for line in text.splitlines() if "PicoClaw" in line]
    assert len(rows) == len(report_glance.STUDY)
    assert all(row.endswith("| claimed by the study |") for row in rows)
    assert "RSS 7,528 kB" in text
    assert "RSS 1,024 kB" in text


def test_what_was_measured_stands_beside_what_is_claimed(results):
    rival = {"command": "copepod rivals --picoclaw BINARY", "revision": "abc", "settings": {}}
    rival |= {"messages": {"sent": 50, "answered": 49}, "rss": {"rss_kb": 40123}}
    set_up = rival | {"settings": {"GOGC": "20"}, "rss": {"rss_kb": 30456}}
    text = report_glance.glance(
        {**results, "rivals-picoclaw": rival, "rivals-picoclaw-gogc-20": set_up}
    )
    (row,) = [line for line in text.splitlines() if "RSS 1,024 kB | claimed" in line]
    assert "measured here: RSS 40,123 kB (revision abc, its own settings; 49 of 50" in row
    assert "RSS 30,456 kB (revision abc, GOGC=20; " in row
    assert "`copepod rivals --picoclaw BINARY`" in row


def test_what_was_measured_with_an_older_firmware_is_marked(results):
    assert "†" not in "".join(make(results) for make in report_tables.TABLES.values())
    ours = [line for line in report_glance.glance(results).splitlines() if "i386" in line]
    for stem in results:
        results[stem] = results[stem] | {"firmware": "another"}
    text = report_glance.glance(results)
    for line in ours:
        test, platform, figure, against = line.strip("| ").split(" | ")
        assert f"| {test} | {platform} | {figure} † | {against} |" in text
    assert text.endswith(report_text.OLDER)
    del results["audit-unix32"]["firmware"]  # from before it was kept
    assert "`copepod audit --target unix32` †." in report_tables.garbage(results)
    assert report_tables.garbage(results).endswith(report_text.OLDER)


def test_the_five_figures_of_readme(results):
    live = {"command": "copepod live", "gc_total_b": 97920, "firmware": firmware()}
    live |= {"messages": {"sent": 1000, "answered": 999}}
    more = {
        "live-esp32-live-1000": live,
        "bench-unix64": bench("unix64"),
        "compare-unix": {"command": "copepod compare", "firmware": "another", "times": 70.4},
        "heap-unix32-mpy": heap(93, "mpy"),
        "rivals-picoclaw": {"rss": {"rss_kb": 37876}},
    }
    rows = report_glance.brief({**results, **more}).splitlines()[2:7]
    for row, words in zip(
        rows,
        (
            "| **999 of 1,000** messages answered | by stock",
            "| **700 kB** resident | is the whole process",
            "| **0 B** of growth | in the live heap",
            "| **93 KiB** of heap | suffice",
            "| **70 times** as fast † | as a bot",
        ),
        strict=True,
    ):
        assert row.startswith(words)
    assert "1,024 kB are claimed by a study, 37,876 kB measured here (`copepod rivals`)" in rows[1]
    assert "Not measured yet" in report_glance.brief(results), "none of the five"


def test_the_digest_is_that_of_the_application(tmp_path):
    for name in ("copepod/net/a.py", "copepod/b.py", "bot.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    first = firmware.__wrapped__(tmp_path)
    (tmp_path / "bot.py").write_text("x = 2\n")
    assert firmware.__wrapped__(tmp_path) == first
    (tmp_path / "copepod/net/a.py").write_text("x = 2\n")
    assert firmware.__wrapped__(tmp_path) != first


def test_a_board_has_a_name_and_a_heap(results):
    live = {"target": "esp32", "ok": True, "heap": None, "gc_total_b": 97920, "median_ms": 50.5}
    live |= {"firmware": firmware(), "rss": None, "messages": {"sent": 9, "answered": 9}}
    text = report_glance.glance({**results, "live-esp32-live-1000": live})
    assert "heap the board's own, 97,920 B | stock MicroPython for an ESP32, in QEMU |" in text
    assert "None" not in text


def test_what_nobody_has_run_is_told_with_its_command(results):
    text = report_glance.glance(results)
    assert "bench TARGET=board PORT=" in text
    assert "bench-windows.json" in text
    assert "nobody has run it on Windows" not in report_glance.glance(
        {**results, "bench-windows": bench("windows")}
    )


@pytest.mark.parametrize("name", report_tables.TABLES)
def test_every_table_without_results_names_the_command(name):
    text = report_tables.TABLES[name]({})
    assert "make " in text


@pytest.mark.parametrize("name", [n for n in report_tables.TABLES if n not in ("glance", "brief")])
def test_every_table_has_its_command_beside_it(name, results):
    assert "Again: `copepod " in report_tables.TABLES[name](results)


def test_components_are_sorted_and_summed(results):
    lines = report_tables.garbage(results).splitlines()
    assert lines[2].startswith("| channel ")
    assert "| **in all** | 916.0 | 2,016.0 |" in lines


def test_what_is_typed_and_waited_for(results):
    text = report_tables.first_answer(results)
    assert (
        "| 3 commands: `git clone REPOSITORY copepod`, `cd copepod`, `make run BOT=bot.py` |"
        in text
    )
    assert "| 47 s, 40 of them for .venv, 5 to build and start |" in text
    assert "| nothing | 0.5 s (0.4 to 0.9 in 3 edits) |" in text
    assert "2 processors, on which 1.5 processes ran on average, and Python 3.11.2" in text
    assert "pip had 4 kB in its cache. " in text
    assert "| another | README.md | 26 | 21 |" in text
    results["first-answer"]["pip"]["find_links"] = True
    assert "pip had 4 kB in its cache, and a folder" in report_tables.first_answer(results)


def test_tables_are_well_formed(results):
    for make in report_tables.TABLES.values():
        widths = {}
        for line in make(results).splitlines():
            if line.startswith("|"):
                widths.setdefault(line.count("|"), 0)
            else:
                assert len(widths) <= 1
                widths = {}


def test_markers_are_filled_and_the_rest_is_left_alone(results):
    text = "a\n<!-- table:phases:begin -->\nold\n<!-- table:phases:end -->\nz\n"
    once = report.fill(text, results, "x.md")
    assert once.startswith("a\n<!-- table:phases:begin -->\nBytes in use")
    assert once.endswith("<!-- table:phases:end -->\nz\n")
    assert "old" not in once
    assert report.fill(once, results, "x.md") == once


def test_an_unknown_table_is_an_error_for_people(results):
    text = "<!-- table:nonsense:begin --><!-- table:nonsense:end -->"
    with pytest.raises(UserError, match="x.md: no table 'nonsense'"):
        report.fill(text, results, "x.md")


def test_the_same_results_give_the_same_files(results, tmp_path):
    files = []
    for folder in ("one", "two"):
        root = tmp_path / folder
        (root / "docs").mkdir(parents=True)
        (root / "README.md").write_text("# x\n<!-- results:begin -->\n<!-- results:end -->\n")
        written = report.write(root, results)
        assert {path.name for path in written} == {"README.md", "heap-phases.svg", "garbage.svg"}
        files.append({path.name: path.read_bytes() for path in written})
    assert files[0] == files[1]


def test_committed_documents_say_what_the_results_say():
    found = report_text.load(report.RESULTS)
    changed = subprocess.run(
        ["git", "status", "--porcelain", "results"],
        cwd=report.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not found or changed.returncode or changed.stdout:
        pytest.skip("no results, or newer ones than are committed")
    for name in report.DOCUMENTS:
        text = (report.ROOT / name).read_text()
        assert report.fill(text, found, name) == text, f"{name} is not up to date: make report"


def test_command_without_results(monkeypatch, tmp_path):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    result = CliRunner().invoke(report.report_command, [])
    assert isinstance(result.exception, UserError)


def test_an_unknown_target_is_said_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(report, "_run", lambda command: pytest.fail(f"ran {command}"))
    with pytest.raises(UserError, match="no target 'moon'"):
        report.measure(("unix", "moon"))


def test_results_are_json_with_their_command():
    for stem, data in report_text.load(report.RESULTS).items():
        if stem.startswith(("bench-", "audit-", "heap-")):
            assert data["command"].startswith("copepod "), stem
            assert "/work" not in json.dumps(data), stem
