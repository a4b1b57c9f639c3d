"""The live test's engine and verdict: a right bot passes, each sin is found and named."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from puppet import PuppetDevice, PuppetTarget
from rich.console import Console

from host_tools import targets
from host_tools.console.frames import FIELDS, Frame
from host_tools.errors import UserError
from host_tools.measure import compare
from host_tools.scenarios import corpus, engine, live, scenario, verdict
from host_tools.simulator.judge import judge
from host_tools.simulator.updates import utf16_length


def plan(**rooms):
    made = scenario.parse({"server": {"tls": False}, "timeout_s": 1.5} | rooms, "test")
    made.name = "test"
    return made


def run(tmp_path, target, **rooms):
    rooms.setdefault("messages", {"count": 12})
    return engine.run(plan(**rooms), target, tmp_path)


def failed(result):
    return [row.label for row in result.failures]


def life(*totals):
    """Frames of one life of a board, Python's heap as given from steady on."""
    values = dict.fromkeys(FIELDS) | {"idf_free": 20000, "idf_big": 13000}
    phases = ["baseline", "steady"] + ["interval"] * (len(totals) - 1)
    return [
        Frame(n, n, phase, values | {"gc_total": total})
        for n, (phase, total) in enumerate(zip(phases, (56000, *totals), strict=True))
    ]


@pytest.mark.parametrize(
    ("lives", "limit_b", "told", "ok"),
    [
        ([life(94000, 94000)], None, "94,000 B", True),
        ([life(94000, 94000), life(98000)], None, "98,000 B", True),  # each life has its own
        ([life(94000, 94000), life(98000)], 96000, "98,000 B", False),
        ([life(96000, 96000)], 96000, "96,000 B", True),
        ([life(94000, 94000, 150000), life(94000)], None, "94,000 to 150,000 B", False),
    ],
)
def test_pythons_heap_is_constant_from_steady_on(lives, limit_b, told, ok):
    frames = [frame for one in lives for frame in one]
    rows = verdict._heap_rows(
        SimpleNamespace(frames=frames, target=SimpleNamespace(heap_limit_b=limit_b))
    )
    assert [(row.value, row.ok) for row in rows] == [
        (told, ok),
        ("20,000 B, in one piece 13,000 B", None),
    ]


# --- the corpus


@pytest.mark.parametrize("script", corpus.SCRIPTS)
@pytest.mark.parametrize("length", [16, 17, 59, 60, 61, 1000, 4096])
def test_corpus_has_the_length_asked_for(script, length):
    markdown, visible = corpus.text(1234567, script, length)
    assert utf16_length(markdown) == length
    assert corpus.number_of(visible) == 1234567
    assert visible == visible.strip()
    if length > 100:
        assert len(visible) < len(markdown)  # there is formatting in it


def test_corpus_numbers():
    assert corpus.number_of("m7 x") == 7
    assert [corpus.number_of(text) for text in ("", "m", "mx 1", "7 m7")] == [None] * 4


# --- the verdict


def test_a_right_bot_passes(tmp_path):
    result = run(tmp_path, PuppetTarget())
    assert result.ok, failed(result)
    tally = result.tally
    assert (tally.sent, tally.delivered, tally.answered, tally.pieces) == (12, 12, 12, 12)
    assert len(tally.latencies_ms) == 12
    assert result.figures["median_ms"] > 0
    json.dumps(result.as_dict())


@pytest.mark.parametrize(
    ("sins", "label"),
    [
        ({"lose_at": 5}, "lost"),
        ({"double_at": 5}, "duplicates"),
        ({"hold_at": 5}, "out of order"),
        ({"alter_at": 5}, "altered"),
        ({"break_at": 5}, "rejected by the server"),
        ({"die_at": 5}, "lost"),
        ({"say_at": 5, "say": "Traceback (most recent call last):"}, "console never says"),
        ({"say_at": 5, "say": "@cp1 F 1 2 broken"}, "telemetry lines damaged"),
    ],
)
def test_each_sin_is_found(tmp_path, sins, label):
    result = run(tmp_path, PuppetTarget(**sins))
    assert label in failed(result)
    assert not result.ok


def test_growth_is_judged(tmp_path):
    rooms = {"messages": {"count": 50, "settle": 20}, "budget": {"growth_b": 0}, "timeout_s": 9.0}
    assert run(tmp_path, PuppetTarget(), **rooms).ok
    result = run(tmp_path, PuppetTarget(leak=8), **rooms)
    assert result.figures["growth_b"] == 30 * 8
    assert failed(result) == ["growth of live heap"]


def test_growth_that_was_not_measured_fails(tmp_path):
    result = run(tmp_path, PuppetTarget(), messages={"count": 5}, budget={"growth_b": 0})
    assert failed(result) == ["growth of live heap"]


def test_exit_status_and_console_are_judged(tmp_path):
    sins = {"die_at": 2, "say_at": 1, "say": "token refused"}
    expect = {"exit": 1, "lost": 11, "log": ["token refused"]}
    assert run(tmp_path, PuppetTarget(**sins), expect=expect).ok
    result = run(tmp_path, PuppetTarget(**sins), expect=expect | {"exit": 2, "log": ["other"]})
    assert failed(result) == ["exit status", "console says"]


def test_the_token_on_the_console_fails(tmp_path, monkeypatch):
    token = "123456789:" + "A" * 35
    monkeypatch.setattr("host_tools.simulator.server.new_token", lambda: token)
    result = run(tmp_path, PuppetTarget(say_at=1, say=f"POST /bot{token}/getMe"))
    assert failed(result) == ["console never says"]


def test_other_updates_and_their_answers(tmp_path):
    updates = [
        {"text": "hello", "answer": "^hello$"},
        {"media": "photo"},
        {"text": "what", "answer": "^that$"},
        {"text": "silence"},
    ]
    result = run(tmp_path, PuppetTarget(), messages={"count": 0}, updates=updates)
    (row,) = result.failures
    assert row.label == "other updates"
    assert row.value.count(";") == 1
    assert "what: answered with 'what'" in row.value
    assert "silence: answered with 'silence', expected silence" in row.value


def test_outages_cut_the_network_and_mend_it(tmp_path, monkeypatch):
    links = []
    monkeypatch.setattr(PuppetDevice, "set_link", lambda device, up: links.append(up))
    rooms = {"messages": {"count": 12, "waiting": 2}, "outages": {"count": 2, "seconds": 0.01}}
    result = run(tmp_path, PuppetTarget(), **rooms)
    assert result.ok, failed(result)
    assert links == [False, True] * 2
    assert "network cut and mended" in [row.label for row in result.rows]


def test_outages_need_a_network_that_can_be_cut(tmp_path):
    with pytest.raises(UserError, match="rv32 or esp32"):
        run(tmp_path, PuppetTarget(), outages={"count": 1})


def test_kills_are_made_and_counted(tmp_path):
    target = PuppetTarget()
    rooms = {"messages": {"count": 40, "waiting": 2}, "timeout_s": 20.0}
    kills = {"count": 2, "shortest_s": 0.01, "longest_s": 0.02}
    result = run(tmp_path, target, kills=kills, **rooms)
    assert result.tally.kills == 2
    assert len(target.starts) == 3
    assert result.tally.lost == 0


# --- garbage and heap


def test_garbage_is_the_slope_of_used_heap():
    target = PuppetTarget()
    assert live.garbage(plan(), target, 60) == 1000
    assert target.starts[0]["gc"] == "off"


def test_find_heap_bisects():
    target = PuppetTarget(needs_kb=61)
    found = live.find_heap(plan(messages={"count": 4}, timeout_s=0.7), target, Console(quiet=True))
    assert found == 61


# --- the command


def test_command_writes_its_result_and_its_status(tmp_path, monkeypatch):
    monkeypatch.delenv("TELEGRAM_TOKEN", raising=False)
    target = PuppetTarget()
    monkeypatch.setattr(targets, "get", lambda name: target)
    path = tmp_path / "plan.toml"
    path.write_text('about = "x"\n[messages]\ncount = 12\n[server]\ntls = false\n')
    out = tmp_path / "out.json"
    arguments = ["--scenario", str(path), "--json", str(out), "--messages", "11"]
    result = CliRunner().invoke(live.live_command, arguments)
    assert result.exit_code == 0, result.output
    assert "PASS" in result.output
    assert "11 of 11" in result.output
    data = json.loads(out.read_text())
    assert (data["ok"], data["messages"]["answered"]) == (True, 11)
    assert data["interpreter"] == "CPython, in a thread"
    target.sins["lose_at"] = 2
    path.write_text("timeout_s = 2\n" + path.read_text())
    result = CliRunner().invoke(live.live_command, arguments[:-2])
    assert result.exit_code == 1
    assert "FAIL" in result.output


def test_fault_list_names_every_fault_scenario():
    result = CliRunner().invoke(live.live_command, ["--fault", "list"])
    assert result.exit_code == 0
    for name in live.fault_names():
        assert name in result.output


@pytest.mark.parametrize("heap", ["12", "k", "12x", "-1k"])
def test_a_wrong_heap_is_said(heap):
    if heap == "12":
        assert live._kilobytes("131072") == 128
        return
    with pytest.raises(UserError, match="--heap"):
        live._kilobytes(heap)


def test_a_wrong_heap_starts_no_interpreter(tmp_path):
    with pytest.raises(UserError, match="heap '12x': expected a size like 128k"):
        targets.get("unix").start({}, workdir=tmp_path, heap="12x")
    assert not list(tmp_path.iterdir())


def test_an_unknown_fault_is_answered_with_the_faults():
    with pytest.raises(UserError, match="no fault 'moon': there are 400, "):
        live.plan_for("live", "moon", None, None, None, None, None, None)


def test_targets_unknown_and_missing():
    with pytest.raises(UserError, match="no target 'moon'"):
        targets.get("moon")
    assert targets.get("unix").word_bits == 64
    assert set(targets.names()) >= {"unix", "unix32", "unix64", "riscv64", "rv32", "board"}


def test_judge_agrees_with_the_corpus():
    """The puppet's formatting of the corpus loses nothing: what the engine compares is right."""
    from puppet import formatted

    for script in corpus.SCRIPTS:
        markdown, visible = corpus.text(1, script, 600)
        verdict = judge(formatted(markdown))
        assert "".join(verdict.text.split()) == "".join(visible.split())
        assert verdict.dropped == []


def test_the_other_way_of_working_shakes_hands_twice_a_message():
    slow, handshakes = compare.fresh(targets.get("unix"), 3)
    assert handshakes == 6
    assert slow > 0


def test_compare_fails_when_the_gateway_is_not_fast_enough(tmp_path, monkeypatch):
    out = tmp_path / "compare.json"
    for fast, status in ((2.0, 0), (2.1, 1)):
        monkeypatch.setattr(compare, "fresh", lambda target, messages: (100.0, 2 * messages))
        monkeypatch.setattr(compare, "kept", lambda *how, fast=fast: (fast, 1))
        result = CliRunner().invoke(compare.compare_command, ["--json", str(out)])
        assert result.exit_code == status, result.output
        assert json.loads(out.read_text())["ok"] is (status == 0)
