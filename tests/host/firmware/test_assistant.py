"""The assistant on the wheel and on 32 bits: turns with tools, long answers, limits, and what a turn costs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_scene import Scene, asked, scene  # noqa: F401
from scene import wanted

from host_tools.simulator.model import Reply
from host_tools.simulator.updates import USER

# Six thousand characters in four scripts; one paragraph each, so that Telegram's text is the model's.
SCRIPTS = ("plankton drifts ", "планктон дрейфует ", "浮游生物漂流", "🦐🌊 ")
LONG = ["".join(script * (6000 // len(script))).strip() for script in SCRIPTS]


@pytest.fixture(params=wanted())
def tls_scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with asked(Scene(tmp_path, request.param, tls=True)) as made:
        yield made


def test_a_question_a_tool_an_answer(scene: Scene) -> None:
    scene.start()
    assert scene.ask("turn the lamp on").endswith("lamp is on")
    assert (scene.folder / "pins.txt").read_text() == "2=1\n"
    assert scene.ask("is the door open").endswith("door is on")
    assert "I am no real model" in scene.ask("hello")
    lines = (scene.folder / f"workspace/sessions/telegram_{USER}.jsonl").read_text().splitlines()
    roles = [json.loads(line)["role"] for line in lines]
    assert roles == ["user", "assistant", "tool", "assistant"] * 2 + ["user", "assistant"]
    assert scene.model.connections == 3  # both rounds of a turn on one connection


def test_files_and_memory(scene: Scene) -> None:
    scene.start()
    assert "written" in scene.ask("remember that the key is under the mat")
    assert "the key is under the mat" in scene.ask("what do you remember")
    system = scene.model.requests[-1].body["messages"][0]["content"]
    assert "the key is under the mat" in system
    assert "lamp (out), door" not in system
    assert "MEMORY.md 25" in scene.ask("list the files") or "memory/" in scene.texts()[-1]
    assert "not yours" in scene.ask("read state/usage.json")
    assert "only files in the workspace" in scene.ask("read ../config.json")
    assert "UTC" in scene.ask("what time is it")


def test_a_tool_of_the_bot(scene: Scene) -> None:
    calls = iter(
        [
            Reply(calls=[("blink", {"times": 3})]),
            Reply("done"),
            Reply(calls=[("blink", {"times": "3"}), ("blink", {}), ("nothing", {}), ("slow", {})]),
            Reply("done again"),
        ]
    )
    scene.model.answer = lambda body: next(calls)
    scene.start(
        bot="""\
import asyncio
from copepod.tools import tool

@tool("Blink so often.", times=(int, "how often"))
def blink(times):
    return "blinked %d times" % times

@tool("Takes its time.")
async def slow():
    await asyncio.sleep_ms(50)

@tool("In place of the built-in one.")
def get_time():
    return "late"
"""
    )
    assert scene.ask("blink") == "done"
    offered = {
        tool["function"]["name"]: tool["function"]
        for tool in scene.model.requests[0].body["tools"]
    }
    assert offered["blink"]["parameters"]["properties"] == {
        "times": {"type": "integer", "description": "how often"}
    }
    assert scene.model.requests[1].body["messages"][-1]["content"] == "blinked 3 times"
    assert scene.ask("wrongly") == "done again"
    results = [m["content"] for m in scene.model.requests[3].body["messages"][-4:]]
    assert results[0] == "error: ValueError: the argument times: integer expected"
    assert results[1] == "error: ValueError: the argument times is missing"
    assert results[2] == "error: there is no tool of this name"
    assert results[3] == "done"
    names = [tool["function"]["name"] for tool in scene.model.requests[0].body["tools"]]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.timeout(120)
def test_twenty_turns_with_long_answers_in_four_scripts(scene: Scene) -> None:
    number = itertools.count()

    def answer(body: dict[str, Any]) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return Reply(LONG[next(number) % 4], piece=5, comments=True, newline="\r\n")
        return Reply(
            calls=[("get_time", {}), ("gpio_read", {"pin": "door"}), ("note", {"text": "é"})]
        )

    scene.model.answer = answer
    scene.start(limits={"history_tokens": 12000})
    for turn in range(20):
        said = scene.ask(f"question {turn}")
        assert said.replace(" ", "") == LONG[turn % 4].replace(" ", ""), turn
    assert scene.asked() == ["user", "tool"] * 20
    sizes = [
        len(json.dumps(r.body["messages"], ensure_ascii=False).encode())
        for r in scene.model.requests
    ]
    assert max(sizes) < 36000 + 25000  # the bound, and the turn itself


def test_limits_are_kept_over_restarts(scene: Scene) -> None:
    limits = {"turns_per_day": 2, "turns_per_hour": 2}
    scene.start(limits=limits)
    scene.ask("one")
    scene.stop()
    scene.start(limits=limits)
    scene.ask("two")
    assert scene.ask("three") == "I have answered 2 questions in this hour, which is my limit."
    assert "questions today: 2 of 2" in scene.ask("/usage")
    scene.stop()
    scene.start(limits={"tokens_per_day": 100})
    assert scene.ask("four") == "Today's 100 tokens are used up."
    assert len(scene.model.requests) == 2


def test_new_and_stop(scene: Scene) -> None:
    scene.start()
    scene.ask("my name is Ann")
    assert scene.ask("/new") == "This is a new conversation."
    assert "question 1 of this" in scene.ask("hello")
    assert [m["role"] for m in scene.model.requests[-1].body["messages"]] == ["system", "user"]
    assert "mock at http://localhost" in scene.ask("/model")
    scene.model.answer = lambda body: Reply("word " * 2000, pause=0.02)
    before = len(scene.sim.sent)
    scene.sim.push_text("a long one")
    scene.until(lambda: len(scene.model.requests) == 3)
    scene.until(lambda: scene.model.requests[-1].chunks > 10)
    scene.sim.push_text("/stop")
    scene.until(lambda: len(scene.sim.sent) == before + 2)
    answer, stopped = scene.texts()[before:]
    assert answer.endswith("\n\nStopped.")
    assert stopped == "Nothing is being written any more."
    assert scene.model.requests[-1].chunks < 2000


def test_one_tls_session_at_a_time(tls_scene: Scene) -> None:
    scene = tls_scene
    scene.start()
    open_at: list[int] = []

    def look(request: Any) -> None:
        open_at.append(sum(1 for c in scene.sim.connections if c.closed_at is None))

    scene.model.on_chunk = look
    scene.ask("turn the lamp on")
    scene.ask("hello")
    assert set(open_at) == {0}
    assert len(scene.sim.methods.actions) == 2  # typing, before Telegram is left
    assert scene.model.connections == 2
    assert (scene.folder / "pins.txt").read_text() == "2=1\n"


def test_without_a_model_nothing_is_loaded(scene: Scene) -> None:
    scene.start(
        bot="""\
import sys
from copepod.handlers import on_text

@on_text
def loaded(msg):
    return " ".join(sorted(name for name in sys.modules if "assistant" in name)) or "none"
""",
        model_list=[],
    )
    assert scene.ask("what is loaded?") == "none"
    assert not (scene.folder / "workspace").exists()


def test_a_turn_that_was_given_up_leaves_a_history_that_models_take(scene: Scene) -> None:
    scene.model.answer = lambda body: Reply(
        calls=[("get_time", {}), ("sleep", {}), ("note", {"text": "x"})]
    )
    scene.start(
        bot="""\
import asyncio
from copepod.tools import tool

@tool("Sleeps.")
async def sleep():
    await asyncio.sleep(60)
""",
        gateway={"handler_timeout_s": 3},
    )
    assert scene.ask("go") == "Sorry, that took too long and I gave it up."
    scene.model.answer = lambda body: Reply("well", pause=0.1)
    assert scene.ask("and now") == "well"
    messages = scene.model.requests[-1].body["messages"]
    roles = [message["role"] for message in messages]
    assert roles == ["system", "user", "assistant", "tool", "tool", "tool", "assistant", "user"]
    assert messages[4]["content"] == messages[5]["content"] == "error: cut short"


# --- memory


@pytest.mark.skipif("unix32" not in wanted(), reason="32-bit figures")
@pytest.mark.parametrize(
    ("app", "heap", "streaming_b"), [("mpy", "152k", 15000), ("frozen", "64k", 8500)]
)
@pytest.mark.timeout(120)
def test_what_a_turn_costs(tmp_path: Path, app: str, heap: str, streaming_b: int) -> None:
    """Live bytes: the same after each turn, and so much more while an answer streams in."""
    pause = 0.0

    def answer(body: dict[str, Any]) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return Reply("The answer is **this**. " * 250, piece=5, pause=pause)
        return Reply(calls=[("get_time", {}), ("note", {"text": "x"})])

    with asked(Scene(tmp_path, "unix32")) as scene:
        scene.model.answer = answer
        scene.sim.methods.knows_drafts = False  # which cost what is free: test_assistant_drafts.py
        device = scene.start(heap=heap, app=app, telemetry={"interval_s": 1})

        def live(count: int) -> list[int]:
            frames = device.frames.frames
            seen = len(frames)
            assert device.wait(lambda: len(frames) >= seen + count, 20)
            return [frame["gc_live"] or 0 for frame in frames[seen : seen + count]]

        idle = live(2)[-1]
        for slow in (0.0, 0.002, 0.0):  # after the slow one there are no drafts
            pause = slow
            scene.ask("warm up")
        pause = 0.002
        update_id = scene.sim.push_text("slowly")
        scene.until(
            lambda: len(scene.model.requests) == 8 and scene.model.requests[-1].chunks > 10
        )
        during = live(1)[0]
        assert not scene.model.requests[-1].complete
        scene.until(lambda: scene.sim.confirmed >= update_id)
        pause = 0.0
        after = live(2)[-1]  # a long turn shows that it types, which others do not
        for _ in range(20):
            scene.ask("more")
        end = live(2)[-1]
        print(f"{app} in {heap}: idle {idle}, after a turn {after}, streaming {during}, end {end}")
        assert end <= after + 256
        assert during - after <= streaming_b
        odd = [text for text in scene.texts() if "The answer is this." not in text]
        assert odd == []  # none about memory
