"""README is made from results/: a run of one's own goes elsewhere."""

import json
import re
import sys

import pytest
from click.testing import CliRunner

from host_tools import targets
from host_tools.cli import COMMANDS
from host_tools.measure import audit
from host_tools.paths import ROOT
from host_tools.scenarios import live, results

MADE_BY = "copepod live --target unix --messages 12 --no-garbage --json results/x.json"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """results/ with one file in it, and a place for one's own."""
    monkeypatch.setattr(results, "PUBLISHED", tmp_path / "results")
    monkeypatch.setattr(results, "OWN", tmp_path / "own")
    (tmp_path / "results").mkdir()
    published = tmp_path / "results" / "live-unix-live-12.json"
    published.write_text(json.dumps({"command": MADE_BY}))
    return tmp_path


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("live --target unix --messages 12 --no-garbage", "results"),
        ("live --target unix --messages 12 --no-garbage --json=results/x.json", "results"),
        ("live --target unix --messages 12 --no-garbage --length 4096", "own"),
        ("live --target unix --messages 12", "own"),
    ],
)
def test_only_the_command_that_made_it_replaces_a_result(folders, monkeypatch, command, folder):
    monkeypatch.setattr(sys, "argv", ["/x/copepod", *command.split()])
    found = results.place("live-unix-live-12", None, results.command())
    assert found == folders / folder / "live-unix-live-12.json"
    assert found.parent.is_dir()
    given = folders / "elsewhere" / "mine.json"
    assert results.place("live-unix-live-12", given, results.command()) == given


def test_a_name_that_nobody_has_published_is_ones_own(folders):
    found = results.place("live-unix-live-1000", None, "copepod live --messages 1000")
    assert found.parent == folders / "own"


def test_a_run_of_ones_own_leaves_results_alone(folders, monkeypatch):
    words = ["--target", "unix", "--messages", "12", "--no-garbage", "--length", "99"]
    monkeypatch.setattr(sys, "argv", ["copepod", "live", *words])
    run = CliRunner().invoke(live.live_command, words)
    assert run.exit_code == 0, run.output
    assert json.loads((folders / "results/live-unix-live-12.json").read_text()) == {
        "command": MADE_BY
    }
    own = json.loads((folders / "own/live-unix-live-12.json").read_text())
    assert own["command"] == "copepod " + " ".join(["live", *words])


def test_every_command_that_writes_results_asks_where():
    folder = ROOT / "host_tools"
    for place in set(COMMANDS.values()):
        path = folder.joinpath(*place.split(":")[0].split(".")[1:]).with_suffix(".py")
        text = path.read_text()
        if '"--json"' in text and path.name != "report.py":
            assert "results.place(" in text, path.name
            assert not re.search(r"RESULTS\s*/", text), path.name


def test_what_the_health_server_costs_is_itself():
    """Not what else is loaded with it: a module that is joined with others brings them along."""
    rows = audit.recommendation(targets.get("unix"), "audit_health")
    kept = {row.label: row.bytes for row in rows}
    assert kept["not imported (the default)"] == 0
    assert 1000 < kept["imported"] < 12_000
    assert 0 < kept["and listening"] < 4000
