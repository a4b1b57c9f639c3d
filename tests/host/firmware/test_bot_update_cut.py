"""A bot.py that is sent, and a process that ends or a power cut at each step of it."""

from __future__ import annotations

import pytest
from update_scene import KEPT, NEW, OLD, Updated, received, scene  # noqa: F401


@pytest.mark.parametrize("step", ["getFile", "sendMessage"])
def test_a_kill_before_it_is_to_be_tried_has_it_taken_again(scene: Updated, step: str) -> None:
    fault = scene.sim.fault("stall", step, at="before", seconds=60)
    scene.start(OLD)
    scene.send(NEW)
    scene.until(lambda: fault.hits)
    assert not scene.trial.exists()
    scene.stop(kill=True)
    scene.start()
    scene.restarted()
    scene.until(lambda: KEPT in scene.texts())
    assert scene.texts() == [received(NEW), KEPT]
    assert scene.bot == NEW


HALVES = {
    "while it comes": {"received.new": NEW[:20]},
    "when it has come": {"received": NEW},
    "before the marker": {"received": NEW, "marker.new": "[7000"},
    "before the rename": {"received": NEW, "marker": "[7000000001, 5, 0]"},
    "given up": {"marker": "[7000000001, 5, 1]"},
    "a marker that is none": {"marker": "{"},
}


@pytest.mark.parametrize("case", HALVES)
def test_what_a_cut_leaves_starts_the_old_one(scene: Updated, case: str) -> None:
    scene.trial.parent.mkdir()
    for name, text in HALVES[case].items():
        (scene.trial.parent / name).write_text(text)
    scene.start(OLD)
    scene.says("a", "old: a")
    scene.send(NEW)  # and is in no later one's way
    scene.restarted()
    scene.until(lambda: KEPT in scene.texts())
    assert [path.name for path in scene.trial.parent.iterdir()] == ["marker"]


@pytest.mark.parametrize("kills", [1, 2])
def test_kills_during_the_trial_begin_it_again(scene: Updated, kills: int) -> None:
    scene.start(OLD)
    scene.trial_s = 60
    scene.send(NEW)
    scene.restarted()
    for _ in range(kills):
        scene.until(scene.said(" steady "))
        scene.stop(kill=True)
        scene.trial_s = 1
        scene.start()
        scene.trial_s = 60
    scene.until(lambda: KEPT in scene.texts())
    assert scene.bot == NEW


def test_a_marker_that_is_lost_is_no_trial_without_end(scene: Updated) -> None:
    scene.trial.parent.mkdir()
    scene.trial.write_text("x = y\n")
    scene.start(OLD)
    scene.restarted()
    scene.says("a", "old: a")
    assert scene.texts() == ["old: a"]  # nobody knows whom to tell
    assert not scene.trial.exists()
