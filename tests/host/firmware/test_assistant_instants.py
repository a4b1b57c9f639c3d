"""The assistant is killed at instants of a turn: no question is lost, no answer that is there is asked for again.

KILLS=200 pytest -s tests/host/firmware/test_assistant_instants.py has that many.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from model_scene import Scene, asked
from scene import wanted

from host_tools.simulator.model import Reply
from host_tools.simulator.updates import USER

KILLS = int(os.environ.get("KILLS", "12"))
LIMITS = {"turns_per_hour": 100000, "turns_per_day": 100000, "tokens_per_day": 500000000}


def question_of(body: dict[str, Any]) -> str:
    return next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")


def answer(body: dict[str, Any]) -> Reply:
    """Two rounds with a call each, then what was asked, in forty pieces."""
    roles = [message["role"] for message in body["messages"]]
    rounds = roles[len(roles) - roles[::-1].index("user") :].count("assistant")
    if rounds < 2:
        return Reply(calls=[("get_time", {})], pause=0.003)
    return Reply(f"The answer to {question_of(body)}.".ljust(240, "."), piece=6, pause=0.003)


def is_answered(session: Path, question: str) -> bool:
    """Whether the session's last whole line is the answer."""
    last = json.loads((session.read_bytes().split(b"\n")[:-1] or [b"{}"])[-1])
    return last.get("role") == "assistant" and question in (last.get("content") or "")


@pytest.mark.timeout(60 + 5 * KILLS)
@pytest.mark.parametrize("target", wanted())
def test_a_kill_loses_nothing_and_pays_for_nothing_twice(tmp_path: Path, target: str) -> None:
    with asked(Scene(tmp_path, target)) as scene:
        scene.model.answer = answer
        scene.start(limits=LIMITS)
        scene.ask("the first turn loads more")
        began = time.monotonic()
        scene.ask("how long is a turn")
        turn_s = time.monotonic() - began
        session = tmp_path / f"workspace/sessions/telegram_{USER}.jsonl"
        again = there = 0
        for number in range(KILLS):
            question = f"question {number:03}"
            sent = len(scene.sim.sent)
            update_id = scene.sim.push_text(question)
            time.sleep(turn_s * 1.1 * number / KILLS)  # the instant at which it is killed
            scene.stop(kill=True)
            answered = is_answered(session, question)
            there += answered
            asked_before = len(scene.model.requests)
            scene.start(limits=LIMITS)
            scene.until(lambda: scene.sim.confirmed >= update_id, 60)  # noqa: B023
            told = [text for text in scene.texts()[sent:] if question in text]
            assert 1 <= len(told) <= 2, (number, told)
            again += len(told) - 1
            later = [question_of(each.body) for each in scene.model.requests[asked_before:]]
            assert not (answered and question in later), number
        # A request that the kill has cut is no fault of the client's.
        scene.model.problems[:] = [p for p in scene.model.problems if "is no JSON" not in p]
        print(
            f"{target}: {KILLS} kills, {there} with the answer there, {again} sent twice, 0 lost"
        )
        assert again <= 1 + KILLS // 50
