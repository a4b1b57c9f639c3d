"""Tools that a person is asked about first: nothing is done without a yes, nothing twice, whatever is cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from model_scene import Scene, asked, scene  # noqa: F401
from scene import wanted

from host_tools.pretend.surroundings import Surroundings
from host_tools.simulator.model import Reply
from host_tools.simulator.updates import USER

CONFIRM = {"tools": {"gpio_write": {"confirm": True}}}
QUESTION = "Shall I? gpio_write with pin: lamp, on: true"
STRANGER = 7000000002


def written(scene: Scene) -> str:
    """What was done to pins."""
    path = scene.folder / "pins.txt"
    return path.read_text() if path.exists() else ""


def press(scene: Scene, label: str, **who: int) -> None:
    """Somebody presses, and that is worked on."""
    update_id = scene.sim.press(label, **who)
    scene.until(lambda: scene.sim.confirmed >= update_id)


def results(scene: Scene) -> list[str]:
    """What the model was told of its calls, in the last request."""
    messages = scene.model.requests[-1].body["messages"]
    return [message["content"] for message in messages if message["role"] == "tool"]


def shown(scene: Scene) -> list[str]:
    """What was shown to who has pressed."""
    return [text for _, text in scene.sim.methods.notices]


def test_yes_and_no(scene: Scene) -> None:
    scene.start(**CONFIRM)
    assert "I ask you first" in scene.ask("/tools")
    assert scene.ask("turn the lamp on") == QUESTION
    assert written(scene) == ""
    assert len(scene.model.requests) == 1
    press(scene, "Yes")
    assert written(scene) == "2=1\n"
    assert scene.texts()[-2] == "gpio_write with pin: lamp, on: true\n\nyes"
    assert scene.texts()[-1].endswith("lamp is on")
    with pytest.raises(ValueError, match="Yes"):
        scene.sim.press("Yes")  # there is no such button any more
    assert len(scene.model.requests) == 2
    assert scene.ask("turn the lamp off") == QUESTION.replace("true", "false")
    press(scene, "No")
    assert written(scene) == "2=1\n"
    assert results(scene)[-1] == "declined by the user"
    assert scene.texts()[-1].endswith("declined by the user")
    assert shown(scene) == ["yes", "no"]


def test_several_calls_are_asked_about_one_after_the_other(scene: Scene) -> None:
    replies = iter(
        [
            Reply(
                calls=[
                    ("get_time", {}),
                    ("gpio_write", {"pin": "lamp", "on": True}),
                    ("note", {"text": "x"}),
                    ("gpio_write", {"pin": "lamp", "on": False}),
                ]
            ),
            Reply("done"),
        ]
    )
    scene.model.answer = lambda body: next(replies)
    scene.start(**CONFIRM)
    assert scene.ask("go") == QUESTION
    press(scene, "No")
    assert scene.texts()[-1] == QUESTION.replace("true", "false")
    press(scene, "Yes")
    assert scene.texts()[-1] == "done"
    found = results(scene)
    assert found[0].endswith("UTC")
    assert found[1] == "declined by the user"
    assert found[2].startswith("written: ")
    assert found[3] == "lamp is off"
    assert written(scene) == "2=0\n"


def test_what_is_said_meanwhile_counts_as_no(scene: Scene) -> None:
    scene.start(**CONFIRM)
    scene.ask("turn the lamp on")
    assert "I am no real model" in scene.ask("hello")
    assert results(scene) == ["declined by the user: something else was said"]
    press(scene, "Yes")
    assert shown(scene) == ["That question is over."]
    scene.ask("turn the lamp on")
    assert scene.ask("/new") == "This is a new conversation."
    press(scene, "Yes")
    assert shown(scene) == ["That question is over."] * 2
    assert written(scene) == ""


def test_a_press_that_comes_twice_is_one(scene: Scene) -> None:
    scene.start(**CONFIRM)
    scene.ask("turn the lamp on")
    first = scene.sim.press("Yes")
    second = scene.sim.press("Yes")
    scene.until(lambda: scene.sim.confirmed >= max(first, second))
    assert written(scene) == "2=1\n"
    assert shown(scene) == ["yes", "That question is over."]


def test_nobody_else_may_press(scene: Scene) -> None:
    scene.start(**CONFIRM)
    scene.ask("turn the lamp on")
    press(scene, "Yes", user=STRANGER, chat=USER)
    assert shown(scene) == ["That question is for somebody else."]
    assert written(scene) == ""
    press(scene, "Yes")
    assert written(scene) == "2=1\n"


def test_too_late_counts_as_no(scene: Scene) -> None:
    with Surroundings() as around:
        scene.target = around.target(scene.target)
        scene.machine = ""
        scene.start(**CONFIRM)
        scene.ask("turn the lamp on")
        around.set("clock 601")
        press(scene, "Yes")
        assert results(scene) == ["declined by the user"]
        assert 2 not in around.outputs
        assert shown(scene) == ["too late, which counts as no"]
        scene.stop()


def test_a_tool_of_the_bots_own(scene: Scene) -> None:
    scene.model.answer = lambda body: (
        Reply("done: " + body["messages"][-1]["content"])
        if body["messages"][-1]["role"] == "tool"
        else Reply(calls=[("feed", {"portions": 2, "what": "`x`\n" + "y" * 400})])
    )
    scene.start(
        bot="""\
from copepod.tools import tool

@tool("Feed the fish.", confirm=True, portions=int, what=str)
def feed(portions, what):
    return "fed %d" % portions
"""
    )
    said = scene.ask("feed them")
    assert said.startswith("Shall I? feed with ")
    assert "portions: 2" in said
    assert "more)" in said
    tool = next(
        entry["function"]
        for entry in scene.model.requests[-1].body["tools"]
        if entry["function"]["name"] == "feed"
    )
    assert sorted(tool["parameters"]["properties"]) == ["portions", "what"]
    press(scene, "Yes")
    assert scene.texts()[-1] == "done: fed 2"


def test_nobody_is_asked_during_a_heartbeat(scene: Scene) -> None:
    workspace = scene.folder / "workspace"
    workspace.mkdir()
    (workspace / "HEARTBEAT.md").write_text("- turn the lamp on")
    scene.model.answer = lambda body: (
        Reply("I would turn it on.")
        if body["messages"][-1]["role"] == "tool"
        else Reply(calls=[("gpio_write", {"pin": "lamp", "on": True})])
    )
    scene.start(
        channels={"telegram": {"allow_from": [str(USER)]}},
        heartbeat={"enabled": True, "interval": 0.05},
        **CONFIRM,
    )
    scene.until(lambda: scene.texts())
    assert scene.texts()[0] == "I would turn it on."
    assert results(scene)[0].startswith("error: this needs somebody's yes")
    assert written(scene) == ""


def test_a_job_asks_its_chat(scene: Scene) -> None:
    job = {"kind": "agent_turn", "message": "lamp", "channel": "telegram", "to": str(USER)}
    folder = scene.folder / "workspace/cron"
    folder.mkdir(parents=True)
    entry: dict[str, Any] = {"id": "1", "name": "n", "enabled": True, "payload": job, "state": {}}
    entry["schedule"] = {"kind": "at", "atMs": 1700000000000}
    (folder / "jobs.json").write_text(json.dumps({"version": 1, "jobs": [entry]}))
    scene.model.answer = lambda body: (
        Reply("done")
        if body["messages"][-1]["role"] == "tool"
        else Reply(calls=[("gpio_write", {"pin": "lamp", "on": True})])
    )
    scene.start(channels={"telegram": {"allow_from": [str(USER)]}}, **CONFIRM)
    scene.until(lambda: scene.texts() == [QUESTION])
    press(scene, "Yes")
    assert scene.texts()[-1] == "done"
    assert written(scene) == "2=1\n"


@pytest.mark.parametrize("name", wanted())
def test_over_the_only_tls_session(tmp_path: Path, name: str) -> None:
    with asked(Scene(tmp_path, name, tls=True)) as scene:
        scene.start(**CONFIRM)
        assert scene.ask("turn the lamp on") == QUESTION
        press(scene, "Yes")
        assert scene.texts()[-1].endswith("lamp is on")
        assert written(scene) == "2=1\n"


# --- kills


def test_a_question_outlives_a_restart(scene: Scene) -> None:
    scene.start(**CONFIRM)
    scene.ask("turn the lamp on")
    scene.stop(kill=True)
    scene.start(**CONFIRM)
    press(scene, "Yes")
    assert written(scene) == "2=1\n"
    assert scene.texts()[-1].endswith("lamp is on")
    assert len(scene.model.requests) == 2


def test_a_question_that_was_not_accepted_is_asked_again(scene: Scene) -> None:
    scene.start(**CONFIRM)
    scene.sim.fault("stall", "sendMessage", seconds=30, at="before")
    scene.sim.push_text("turn the lamp on")
    scene.until(lambda: scene.sim.calls_of("sendMessage"))
    scene.stop(kill=True)
    scene.start(**CONFIRM)
    scene.until(lambda: QUESTION in scene.texts())
    assert len(scene.model.requests) == 1
    press(scene, "Yes")
    assert written(scene) == "2=1\n"
    assert len(scene.model.requests) == 2


def test_a_call_that_a_crash_has_cut_is_not_made_again(scene: Scene) -> None:
    scene.model.answer = lambda body: (
        Reply("done: " + body["messages"][-1]["content"])
        if body["messages"][-1]["role"] == "tool"
        else Reply(calls=[("end", {})])
    )
    bot = """\
import os
from copepod.tools import tool

@tool("Ends the process.", confirm=True)
def end():
    with open("ends.txt", "a") as file:
        file.write("x")
    os.system("kill -9 $PPID")
"""
    scene.start(bot=bot)
    assert scene.ask("end it") == "Shall I? end without arguments"
    scene.sim.press("Yes")
    device = scene.device
    assert device is not None
    assert device.wait(lambda: device.ended, 20), device.text()
    scene.stop()
    scene.start(bot=bot)
    scene.until(lambda: scene.texts()[-1].startswith("done: "))
    assert results(scene)[0].startswith("error: the board was restarted before this call")
    assert (scene.folder / "ends.txt").read_text() == "x"
    assert len(scene.model.requests) == 2


@pytest.mark.parametrize("at", ["before", "body"])
@pytest.mark.parametrize("method", ["editMessageText", "sendMessage"])
def test_a_kill_after_the_press(scene: Scene, method: str, at: str) -> None:
    scene.start(**CONFIRM)
    scene.ask("turn the lamp on")
    scene.sim.fault("stall", method, seconds=30, at=at)
    before = len(scene.sim.calls_of(method))
    update_id = scene.sim.press("Yes")
    scene.until(lambda: len(scene.sim.calls_of(method)) > before)
    scene.stop(kill=True)
    scene.start(**CONFIRM)
    scene.until(lambda: scene.sim.confirmed >= update_id)
    assert "Done. This is what came of it" in scene.texts()[-1]
    assert len(scene.model.requests) == 2
    assert written(scene) == "2=1\n"
    assert results(scene) == ["lamp is on"]
