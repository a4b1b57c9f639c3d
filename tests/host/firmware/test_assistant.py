"""The assistant on the wheel and on 32 bits: turns with tools, everything a model's server does wrong, kills."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_scene import Scene, asked
from scene import wanted

from host_tools.simulator.model import Reply
from host_tools.simulator.updates import USER

# Six thousand characters in four scripts; one paragraph each, so that Telegram's text is the model's.
SCRIPTS = ("plankton drifts ", "планктон дрейфует ", "浮游生物漂流", "🦐🌊 ")
LONG = ["".join(script * (6000 // len(script))).strip() for script in SCRIPTS]


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with asked(Scene(tmp_path, request.param)) as made:
        yield made


@pytest.fixture(params=wanted())
def tls_scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with asked(Scene(tmp_path, request.param, tls=True)) as made:
        yield made


# --- turns


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


# --- what goes wrong


@pytest.mark.timeout(120)
def test_what_a_server_does_wrong_is_said_in_a_sentence(scene: Scene) -> None:
    text = "a whole answer of some words"
    scene.model.answer = lambda body: Reply(text)
    scene.start(limits={"silence_s": 1})
    for fault, said in (  # those that cut an answer are tried once more
        ("401", "The model's server refuses the key (401)."),
        ("402", "There is no credit left at the model's server (402)."),
        ("404", "The model's server refuses the question (404): The model does not exist"),
        ("truncated", "The connection to the model was cut."),
        ("malformed", "The connection to the model was cut."),
        ("stalled", "The model has been silent for 1 s."),
        ("error", "The model has failed: the graphics card is on fire"),
        ("endless", "The model has stopped in the middle of its answer."),
    ):
        refused = fault.startswith("4")
        before = len(scene.model.requests)
        scene.model.fault(fault, 1 if refused else 2)
        answer = scene.ask(f"try {fault}")
        assert answer.endswith(said), fault
        assert len(scene.model.requests) == before + (1 if refused else 2)
        begun = answer.removesuffix(said).strip()
        assert text.startswith(begun)
        assert (begun == "") == refused
        if not refused:
            scene.model.fault(fault)
            assert scene.ask(f"{fault} once") == text
    assert scene.ask("and now") == text


@pytest.mark.timeout(90)
def test_what_passes_is_tried_again(scene: Scene) -> None:
    scene.start()
    scene.ask("something to leave out")
    for fault in ("429", "500", "529", "page", "disconnect", "stream_options", "context"):
        scene.model.fault(fault, retry_after=1)
        before = len(scene.model.requests)
        assert "I am no real model" in scene.ask(f"try {fault}")
        assert len(scene.model.requests) == before + 2
    kinds = [request.fault for request in scene.model.requests]
    told = ["stream_options" in request.body for request in scene.model.requests]
    assert all(told[: kinds.index("stream_options") + 1])
    assert not any(told[kinds.index("stream_options") + 1 :])
    counts = [len(request.body["messages"]) for request in scene.model.requests]
    cut = kinds.index("context")
    assert counts[cut + 1] < counts[cut]


def test_a_server_that_stays_busy_is_given_up(scene: Scene) -> None:
    scene.model.fault("429", 3, retry_after=1)
    scene.start()
    assert scene.ask("hello") == "The model's server is busy or failing (429)."
    assert len(scene.model.requests) == 3


def test_a_server_without_tools_is_asked_without(scene: Scene) -> None:
    scene.model.fault("tools")
    scene.start()
    assert "I can use 0 tools" in scene.ask("hello")
    assert "takes no tools" in scene.ask("/tools")


def test_all_forms_of_streams(scene: Scene) -> None:
    replies = iter(
        [
            Reply("one", stream=False),
            Reply("two", done=False, usage=False),
            Reply("three", finish="", usage=False),
            Reply("<think>no\n</think>\n\nfour", thought="never"),
            Reply("five", comments=True, newline="\r\n"),
            Reply(calls=[("get_time", {}), ("get_time", {})], whole_calls=True, finish="stop"),
            Reply("six"),
            Reply(calls=[("get_time", {})], stream=False),
            Reply("seven"),
            Reply("eight", finish="length"),
            Reply(""),
        ]
    )
    scene.model.answer = lambda body: next(replies)
    scene.start()
    for said in ("one", "two", "three", "four", "five", "six", "seven"):
        assert scene.ask("next") == said
    assert scene.ask("next") == "eight\n\nThis answer was cut short at 1024 tokens."
    assert scene.ask("next") == "The model has sent an empty answer."


def test_a_model_that_calls_for_ever_is_stopped(scene: Scene) -> None:
    number = itertools.count()

    def endless(body: dict[str, Any]) -> Reply:
        if "tools" not in body:
            return Reply("at last")
        return Reply(calls=[("note", {"text": str(next(number))})] * 6)

    scene.model.answer = endless
    scene.start()
    said = scene.ask("go")
    assert said == "at last\n\nI have stopped: the model made the same call three times in a row."
    results = scene.model.requests[1].body["messages"][-4:]
    assert results[2]["content"].startswith("error: the same call for the third time")
    assert results[3]["content"].endswith("(2 more calls were left out: 4 at a time)")

    def other(body: dict[str, Any]) -> Reply:
        if "tools" not in body:
            return Reply("at last")
        return Reply(calls=[("note", {"text": str(next(number))})])

    scene.model.answer = other
    before = len(scene.model.requests)
    assert scene.ask("go on") == "at last\n\nI have stopped after 7 rounds of tools."
    assert len(scene.model.requests) - before == 8


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
        gateway={"handler_timeout_s": 1},
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


# --- kills


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
