"""Several models: which one is asked, which one in its place when it fails, and that nothing is paid for twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from model_scene import KEY, Scene, asked
from scene import wanted

from host_tools.simulator.certs import Authority
from host_tools.simulator.model import ModelServer, Reply
from host_tools.simulator.updates import USER

Entry = dict[str, Any]
ANSWER = "the first one's answer"
OTHER = "the other one's answer"
INSTEAD = "\n\na: %s This is b's answer."


class Pair(Scene):
    """Two servers, `model` and `other`, which the config calls a and b."""

    other: ModelServer

    def entries(self, **first: Any) -> list[Entry]:
        a = {"model_name": "a", "model": "mock", "api_base": self.model.url, "api_keys": [KEY]}
        b = {"model_name": "b", "model": "mock-2", "api_base": self.other.url, "api_keys": [KEY]}
        if self.other.authority is not None:
            b["ca"] = "other.der"
        return [a | {"fallbacks": ["b"]} | first, b]

    def begin(self, entries: list[Entry] | None = None, **more: Any) -> None:
        self.folder.mkdir(exist_ok=True)
        if self.other.authority is not None:
            (self.folder / "other.der").write_bytes(self.other.authority.der)
        self.start(model_list=entries or self.entries(), **more)

    def counts(self) -> tuple[int, int]:
        return len(self.model.requests), len(self.other.requests)


@contextlib.contextmanager
def pair(folder: Path, target: str, tls: bool = False) -> Iterator[Pair]:
    scene = Pair(folder, target, tls=tls)
    authority = Authority(("localhost", "127.0.0.1"), "ec") if tls else None  # another root
    with ModelServer(lambda body: Reply(OTHER), key=KEY, authority=authority) as other:
        scene.other = other
        scene.model.answer = lambda body: Reply(ANSWER)
        with asked(scene):
            yield scene
        assert other.problems == []


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(tmp_path, request.param) as made:
        yield made


@pytest.fixture(params=wanted())
def tls_scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(tmp_path, request.param, tls=True) as made:
        yield made


# --- /model


def test_the_models_are_listed_and_another_one_is_chosen(scene: Pair) -> None:
    scene.begin()
    listed = scene.ask("/model")
    assert f"a: mock at {scene.model.url[:-3]} is asked, then b" in listed
    assert f"b: mock-2 at {scene.other.url[:-3]}\n" in listed
    assert scene.ask("hello") == ANSWER
    assert scene.ask("/model c") == "There is no such model. There is: a, b"
    assert scene.ask("/model b").startswith("Questions go to b now: mock-2 at http://localhost:")
    assert scene.ask("hello") == OTHER
    assert scene.other.requests[0].body["model"] == "mock-2"
    # the conversation is the same one
    assert [m["content"] for m in scene.other.requests[0].body["messages"][1:]] == [
        "hello",
        ANSWER,
        "hello",
    ]
    assert "is asked" in scene.ask("/model").splitlines()[1]


def test_the_choice_holds_over_restarts_until_the_config_names_another(scene: Pair) -> None:
    scene.begin()
    scene.ask("/model b")
    scene.stop(kill=True)
    scene.begin()
    assert scene.ask("hello") == OTHER
    scene.stop()
    entries = scene.entries()
    entries.append({**entries[1], "model_name": "c", "model": "mock-3"})
    named = {"agents": {"defaults": {"model_name": "c"}}}
    scene.begin(entries, **named)
    assert scene.ask("hello") == OTHER
    assert scene.other.requests[-1].body["model"] == "mock-3"
    scene.stop()
    # a model that is gone is nobody's choice
    scene.begin(scene.entries()[:1])
    assert scene.ask("hello") == ANSWER


# --- who answers in its place


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("fault", "retry_after", "tries", "said"),
    [
        ("disconnect", 0, 1, "I can't reach the model."),
        ("500", 0, 2, "The model's server is busy or failing (500)."),
        ("429", 1, 2, "The model's server is busy or failing (429)."),
        ("429", 600, 1, "The model's server is busy or failing (429)."),
        ("401", 0, 1, "The model's server refuses the key (401)."),
        ("402", 0, 1, "There is no credit left at the model's server (402)."),
        ("page", 0, 2, "The model's server is busy or failing (502)."),
    ],
)
def test_another_model_answers(
    scene: Pair, fault: str, retry_after: float, tries: int, said: str
) -> None:
    scene.model.fault(fault, tries, retry_after)
    scene.begin()
    assert scene.ask("hello") == OTHER + INSTEAD % said
    assert scene.counts() == (tries, 1)
    # it is left alone for a while, which is said, too; what was spent is the other one's
    assert scene.ask("and now") == OTHER + "\n\na has just failed. This is b's answer."
    assert scene.counts() == (tries, 2)
    assert "(has just failed)" in scene.ask("/model").splitlines()[0]
    spent = sum(100 + 1 + len(OTHER) // 4 for _ in range(2))
    assert f"tokens today: {spent} of" in scene.ask("/usage")
    scene.stop()
    scene.begin()
    assert scene.ask("again") == ANSWER


def test_a_server_that_is_not_there(scene: Pair) -> None:
    scene.begin(scene.entries(api_base="http://127.0.0.1:1/v1"))
    assert scene.ask("hello") == OTHER + INSTEAD % "I can't reach the model."


def test_the_models_of_a_turn_in_their_order(scene: Pair) -> None:
    a, b = scene.entries(fallbacks=["d", "c", "b"])
    gone = {**b, "model_name": "c", "api_base": "http://127.0.0.1:1/v1"}
    scene.model.fault("500", 2)
    scene.other.fault("402")
    scene.begin([a, b, gone, {**b, "model_name": "d"}])
    first = "a: The model's server is busy or failing (500). "
    second = "d: There is no credit left at the model's server (402). "
    third = "c: I can't reach the model. "
    assert scene.ask("hello") == f"{OTHER}\n\n{first}{second}{third}This is b's answer."
    assert scene.counts() == (2, 2)


def test_when_all_have_failed_each_reason_is_said(scene: Pair) -> None:
    scene.model.fault("402")
    scene.other.fault("401")
    scene.begin()
    no_credit = "a: There is no credit left at the model's server (402)."
    refused = "b: The model's server refuses the key (401)."
    assert scene.ask("hello") == f"{no_credit} {refused}"
    # those that have just failed are asked when there is nobody else
    assert scene.ask("and now") == ANSWER
    assert scene.ask("and now") == ANSWER
    assert scene.counts() == (3, 1)


def test_tools_go_on_with_the_model_that_has_begun(scene: Pair) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return Reply(OTHER)
        return Reply(calls=[("gpio_write", {"pin": "lamp", "on": True})])

    scene.model.fault("402")
    scene.other.answer = answer
    scene.begin()
    why = "There is no credit left at the model's server (402)."
    assert scene.ask("lamp on") == OTHER + INSTEAD % why
    assert scene.counts() == (1, 2)
    assert (scene.folder / "pins.txt").read_text() == "2=1\n"


# --- when nobody else is asked


def unwilling(scene: Pair, start: Callable[[], None], said: str, count: int) -> None:
    start()
    scene.begin()
    assert scene.ask("hello").endswith(said)
    assert scene.counts() == (count, 0)


def test_a_beginning_is_not_paid_for_again(scene: Pair) -> None:
    cut = "The connection to the model was cut."
    unwilling(scene, lambda: scene.model.fault("truncated", 2), f"\n\n{cut}", 2)


def test_a_question_that_is_wrong_is_wrong_for_all(scene: Pair) -> None:
    scene.model.fault("tools")
    scene.model.fault("tools")
    said = "refuses the question (400): this model does not support tools"
    unwilling(scene, lambda: None, said, 2)


def test_after_tools_nobody_else_is_asked(scene: Pair) -> None:
    faults = iter(["500", "500", "500"])

    def answer(body: dict[str, Any]) -> Reply:
        for fault in faults:
            scene.model.fault(fault)
        return Reply(calls=[("note", {"text": "x"})])

    scene.model.answer = answer
    scene.begin()
    assert scene.ask("hello") == "The model's server is busy or failing (500)."
    assert scene.counts() == (4, 0)


# --- time


@pytest.mark.timeout(60)
def test_one_that_takes_too_long(scene: Pair) -> None:
    """Before its first word another one is asked; after it the answer is cut, and says so."""
    scene.begin(scene.entries(request_timeout=1))
    scene.model.on_chunk = lambda request: None if request.fault else hold(request)

    def hold(request: Any) -> None:
        scene.model.wait(lambda: len(scene.other.requests) > 0, 15)

    assert scene.ask("hello") == OTHER + INSTEAD % "The model has taken longer than 1 s."
    assert scene.counts() == (1, 1)
    scene.stop()
    scene.model.on_chunk = None
    scene.model.answer = lambda body: Reply("word " * 400, pause=0.02)  # never silent
    scene.begin(scene.entries(request_timeout=1))
    answer = scene.ask("and now")
    assert answer.startswith("word word")
    assert answer.endswith("\n\nThe model has taken longer than 1 s.")
    assert len(answer) < 1000
    assert scene.counts() == (3, 1)


# --- each host's own root


@pytest.mark.timeout(60)
def test_over_tls_each_has_its_own_root_and_there_is_one_session(tls_scene: Pair) -> None:
    scene = tls_scene
    open_at: set[int] = set()

    def look(request: Any) -> None:
        open_at.add(sum(1 for c in scene.sim.connections if c.closed_at is None))

    scene.model.on_chunk = scene.other.on_chunk = look
    scene.begin()
    assert scene.ask("hello") == ANSWER
    scene.model.fault("402")
    why = "There is no credit left at the model's server (402)."
    assert scene.ask("and now") == OTHER + INSTEAD % why
    assert open_at == {0}
    scene.stop()
    # the other one's root is of no use here: it is not even asked
    before = scene.counts()
    scene.begin(scene.entries(ca="other.der"))
    assert scene.ask("hello") == OTHER + INSTEAD % "I can't reach the model."
    assert scene.counts() == (before[0], before[1] + 1)


def test_a_summary_that_another_model_makes_says_nothing_of_it(scene: Pair) -> None:
    scene.model.answer = lambda body: Reply(ANSWER)

    def other(body: dict[str, Any]) -> Reply:
        last = body["messages"][-1]["content"]
        return Reply("a summary" if last.startswith("Sum up") else OTHER)

    scene.other.answer = other
    scene.begin(agents={"defaults": {"summarize_message_threshold": 2}})
    scene.ask("one")
    scene.ask("two")
    scene.model.fault("402")
    why = "There is no credit left at the model's server (402)."
    assert scene.ask("three") == OTHER + INSTEAD % why
    assert scene.counts() == (3, 2)
    system = scene.other.requests[-1].body["messages"][0]["content"]
    assert system.endswith("What was said before, in short: a summary")
    assert (scene.folder / f"workspace/sessions/telegram_{USER}.meta.json").exists()
