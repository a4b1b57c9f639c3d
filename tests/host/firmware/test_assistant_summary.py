"""A history that gets too long is summed up by the model, once for each line."""

from __future__ import annotations

import json
from typing import Any

from model_scene import Scene, asked, scene  # noqa: F401

from host_tools.simulator.model import Reply
from host_tools.simulator.updates import USER

SUMMARY = 'They counted, "aloud"; 你好.'


def is_asked(body: dict[str, Any]) -> bool:
    """Whether a summary is."""
    return body["messages"][-1]["content"].startswith("Sum up this conversation")


def answer(body: dict[str, Any]) -> Reply:
    if is_asked(body):
        return Reply(SUMMARY)
    return Reply("heard: " + body["messages"][-1]["content"])


def summaries(scene: Scene) -> list[dict[str, Any]]:
    return [request.body for request in scene.model.requests if is_asked(request.body)]


def meta(scene: Scene) -> dict[str, Any]:
    path = scene.folder / f"workspace/sessions/telegram_{USER}.meta.json"
    return json.loads(path.read_text())


def defaults(threshold: int) -> dict[str, Any]:
    return {"agents": {"defaults": {"summarize_message_threshold": threshold}}}


def test_a_long_history_is_summed_up_once(scene: Scene) -> None:
    scene.model.answer = answer
    scene.start(**defaults(6))
    seen: list[str] = []
    for number in range(12):
        assert scene.ask(f"number {number}") == f"heard: number {number}"
    for body in summaries(scene):
        seen += [m["content"] for m in body["messages"][1:-1] if m["role"] == "user"]
        assert "tools" not in body
    assert seen == [f"number {number}" for number in range(len(seen))]  # each once, none left out
    assert len(seen) >= 6
    first, second = summaries(scene)[:2]
    assert SUMMARY not in first["messages"][0]["content"]
    assert SUMMARY in second["messages"][0]["content"]
    last = scene.model.requests[-1].body["messages"]
    assert SUMMARY in last[0]["content"]
    assert len(last) <= 1 + 7
    assert last[1]["content"] == f"number {len(seen)}"
    assert meta(scene)["summary"] == SUMMARY
    assert not list(scene.folder.glob("workspace/sessions/*.summary"))
    assert scene.model.connections == 12  # a summary comes over the turn's own connection
    assert scene.ask("/new") == "This is a new conversation."
    scene.ask("hello")
    assert SUMMARY not in scene.model.requests[-1].body["messages"][0]["content"]


def test_a_long_history_in_bytes_is_summed_up(scene: Scene) -> None:
    scene.model.answer = answer
    scene.start(limits={"history_tokens": 400}, **defaults(1000))
    for number in range(6):
        scene.ask(f"number {number} " + "x" * 300)
    assert summaries(scene)
    assert meta(scene)["summary"] == SUMMARY


def test_without_a_threshold_older_lines_are_left_out(scene: Scene) -> None:
    scene.model.answer = answer
    scene.start(limits={"history_tokens": 400})
    for number in range(6):
        scene.ask(f"number {number} " + "x" * 300)
    assert summaries(scene) == []
    assert meta(scene)["summary"] == ""
    assert meta(scene)["skip"] > 0
    assert "summed" not in meta(scene)


def test_what_fails_costs_no_answer_and_is_tried_again(scene: Scene) -> None:
    failing = True

    def sometimes(body: dict[str, Any]) -> Reply:
        if is_asked(body) and failing:
            return Reply("half of a", finish="length")
        return answer(body)

    scene.model.answer = sometimes
    scene.start(**defaults(4))
    for number in range(4):
        assert scene.ask(f"number {number}") == f"heard: number {number}"
    assert summaries(scene)
    assert meta(scene)["summary"] == ""
    assert meta(scene)["summed"] == 0
    scene.until(scene.said("not summed up: This answer was cut short"))
    failing = False
    scene.ask("number 4")
    assert meta(scene)["summary"] == SUMMARY
    assert "summed" not in meta(scene)
    body = summaries(scene)[-1]
    assert body["messages"][1]["content"] == "number 0"


def test_a_kill_while_it_is_summed_up(scene: Scene) -> None:
    scene.model.answer = answer
    scene.start(**defaults(4))
    for number in range(2):
        scene.ask(f"number {number}")

    def slow(body: dict[str, Any]) -> Reply:
        return Reply(SUMMARY * 50, pause=0.05) if is_asked(body) else answer(body)

    scene.model.answer = slow
    update_id = 0
    number = 2
    while not summaries(scene):
        update_id = scene.sim.push_text(f"number {number}")
        scene.until(lambda: summaries(scene) or scene.sim.confirmed >= update_id)  # noqa: B023
        number += 1
    scene.until(lambda: scene.model.requests[-1].chunks > 3)
    scene.stop(kill=True)
    scene.model.answer = answer
    scene.start(**defaults(4))
    scene.until(lambda: scene.sim.confirmed >= update_id)
    assert scene.texts()[-1] == f"heard: number {number - 1}"
    assert meta(scene)["summary"] == SUMMARY
    assert not list(scene.folder.glob("workspace/sessions/*.summary"))
