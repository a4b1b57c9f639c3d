"""A few of `make fuzz`'s cases, and that a fault would be seen."""

import random

import pytest

from host_tools.errors import UserError
from host_tools.fuzzing import command, mutate, runner, seeds

COUNTS = {"updates": 300, "answers": 300, "configs": 100}  # a few seconds of a busy machine


@pytest.mark.parametrize("name", runner.TARGETS)
def test_mutations_of_what_comes_from_outside(name):
    outcome = runner.run(name, 1, COUNTS[name])
    assert outcome.ended == ""
    assert outcome.faults == {}
    assert outcome.cases == COUNTS[name]
    assert 0.03 < outcome.good / outcome.cases < 0.95


@pytest.mark.parametrize("name", runner.TARGETS)
def test_the_seeds_are_read_and_most_cases_are_changed(name):
    make, whole = runner.TARGETS[name]
    cases = list(make(3, 60))
    assert cases == list(make(3, 60))  # the same seed gives the same cases
    assert cases != list(make(4, 60))
    assert len(set(cases)) > 45
    assert runner.case(name, 3, 50) == cases[50]
    assert whole >= 2000


def test_a_fault_is_told_with_its_case(tmp_path, monkeypatch):
    program = (
        "import fuzz_cases\n\n\ndef check(data, number):\n    assert number != 7, 'seven'\n\n"
    )
    (tmp_path / "fuzz_cases.py").write_text((runner.ON_DEVICE / "fuzz_cases.py").read_text())
    (tmp_path / "fuzz_configs.py").write_text(program + "\nfuzz_cases.run(check)\n")
    monkeypatch.setattr(runner, "ON_DEVICE", tmp_path)
    outcome = runner.run("configs", 0, 20)
    assert outcome.cases == 20
    assert list(outcome.faults) == [7]
    with pytest.raises(UserError, match="case 7: AssertionError 'seven'"):
        command._examine("configs", 0, 20, "unix")


def test_an_interpreter_that_dies_is_a_fault(tmp_path, monkeypatch):
    (tmp_path / "fuzz_configs.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.setattr(runner, "ON_DEVICE", tmp_path)
    assert runner.run("configs", 0, 20).ended.startswith("status 3")


def test_mutations_reach_every_place():
    chance = random.Random(0)
    seed = seeds.config_documents()[0]
    made = [mutate.document(chance, seed, [seed]) for _ in range(300)]
    assert {} in made
    assert any("token" not in each.get("channels", {}).get("telegram", {}) for each in made
               if isinstance(each.get("channels"), dict)
               and isinstance(each["channels"].get("telegram"), dict))  # fmt: skip
