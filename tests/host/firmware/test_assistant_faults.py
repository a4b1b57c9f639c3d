"""What a model's server does wrong, on the wheel and on 32 bits: said in a sentence, tried again, or given up."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from model_scene import Scene, scene  # noqa: F401

from host_tools.simulator.model import Reply


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
