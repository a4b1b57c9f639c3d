"""A gateway that is killed in the middle of a turn: no question is lost, none is paid for twice, no tool runs again."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from model_scene import Scene, scene  # noqa: F401

from host_tools.simulator.model import Reply

TOKENS = 24


@pytest.mark.timeout(180)
def test_a_kill_at_any_instant_neither_loses_a_question_nor_pays_twice(scene: Scene) -> None:
    """Each question is killed once, at another of the chunks of its two rounds."""
    gate = threading.Event()
    at: dict[str, int] = {"kill": 0, "chunk": 0}
    killed = threading.Event()

    def answer(body: dict[str, Any]) -> Reply:
        question = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
        if body["messages"][-1]["role"] == "tool":
            return Reply(f"The answer to {question}.".ljust(TOKENS * 4, "."))
        return Reply(calls=[("get_time", {})])

    def on_chunk(request: Any) -> None:
        at["chunk"] += 1
        if at["chunk"] == at["kill"]:
            gate.set()
            killed.wait(10)

    scene.model.answer = answer
    scene.model.on_chunk = on_chunk
    number = 0
    while True:
        number += 1
        at.update(kill=number, chunk=0)
        gate.clear()
        killed.clear()
        before = len(scene.model.requests)
        if scene.device is None:
            scene.start(limits={"turns_per_hour": 1000, "turns_per_day": 1000})
        question = f"question {number:03}"
        update_id = scene.sim.push_text(question)
        told = lambda: [t for t in scene.texts() if question + "." in t]  # noqa: B023, E731
        scene.until(lambda: gate.is_set() or told())  # noqa: B023
        if not gate.is_set():
            break  # all instants were had
        during = scene.asked()[-1]
        scene.stop(kill=True)
        at["kill"] = 0
        killed.set()
        scene.start(limits={"turns_per_hour": 1000, "turns_per_day": 1000})
        scene.until(told)
        scene.until(lambda: scene.sim.confirmed >= update_id)  # noqa: B023
        asked = scene.asked()[before:]
        again = ["user", "user", "tool"] if during == "user" else ["user", "tool", "tool"]
        assert asked == again, number
        assert len(told()) == 1, number
        whole = [r for r in scene.model.requests[before:] if r.complete]
        assert len(whole) <= 2 + 1
    assert number > TOKENS
    print(f"{number - 1} instants on {scene.target.name}")


@pytest.mark.parametrize("at", ["before", "body"])
def test_a_kill_while_the_answer_is_sent_asks_no_model(scene: Scene, at: str) -> None:
    scene.start()
    scene.ask("hello")
    scene.sim.fault("stall", "sendMessage", seconds=30, at=at)
    before = len(scene.sim.calls_of("sendMessage"))
    update_id = scene.sim.push_text("what time is it")
    scene.until(lambda: len(scene.model.requests) == 3 and scene.model.requests[-1].complete)
    scene.until(lambda: len(scene.sim.calls_of("sendMessage")) > before)
    scene.stop(kill=True)
    scene.start()
    scene.until(lambda: "UTC" in scene.texts()[-1])
    scene.until(lambda: scene.sim.confirmed >= update_id)
    assert len(scene.model.requests) == 3
    assert sum("UTC" in text for text in scene.texts()) <= 2


def test_a_tool_that_a_crash_has_cut_is_not_run_again(scene: Scene) -> None:
    scene.model.answer = lambda body: (
        Reply("done: " + body["messages"][-1]["content"])
        if body["messages"][-1]["role"] == "tool"
        else Reply(calls=[("end", {}), ("get_time", {})])
    )
    scene.start(
        bot="""\
import os
from copepod.tools import tool

@tool("Ends the process.")
def end():
    with open("ends.txt", "a") as file:
        file.write("x")
    os.system("kill -9 $PPID")
"""
    )
    scene.sim.push_text("end it")
    device = scene.device
    assert device is not None
    assert device.wait(lambda: device.ended, 20), device.text()
    scene.stop()
    scene.start(bot=(scene.folder / "bot.py").read_text())
    scene.until(lambda: len(scene.sim.sent) == 1)
    results = [
        m["content"] for m in scene.model.requests[-1].body["messages"] if m["role"] == "tool"
    ]
    assert results[0].startswith("error: the board was restarted before this call")
    assert results[1].endswith("UTC")
    assert (scene.folder / "ends.txt").read_text() == "x"
    assert len(scene.model.requests) == 2
