"""Drafts of an answer that grows: in their time, never more than is said, never in the final message's way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from model_scene import Scene, asked
from scene import wanted

from host_tools.simulator.limits import Limits
from host_tools.simulator.model import Reply
from host_tools.simulator.updates import USER

GROUP = -1001
EVERY_S = 1.5
FRESH = 120
SCRIPTS = "plankton drifts планктон дрейфует 浮游生物漂流 🦐🌊 "
ANSWER = (SCRIPTS * 20).strip()


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with asked(Scene(tmp_path, request.param)) as made:
        made.model.answer = lambda body: Reply(ANSWER, piece=3, pause=0.015)  # some 5 s
        yield made


def shown(scene: Scene) -> list[str]:
    return [draft.text for draft in scene.sim.methods.drafts]


def check(scene: Scene, answer: str) -> None:
    """The rules for the drafts of one answer."""
    drafts = scene.sim.methods.drafts
    assert {draft.chat_id for draft in drafts} == {USER}
    assert len({draft.draft_id for draft in drafts}) == 1
    assert all(answer.startswith(draft.text) for draft in drafts)
    for before, after in zip(drafts, drafts[1:], strict=False):
        assert after.at - before.at >= EVERY_S - 0.05
        assert len(after.text) - len(before.text) >= FRESH - 4  # blanks at an end are not shown
    assert max(draft.at for draft in drafts) < scene.sim.sent[-1].at


@pytest.mark.timeout(60)
def test_an_answer_grows_in_its_chat(scene: Scene) -> None:
    scene.start()
    assert scene.ask("hello") == ANSWER
    drafts = shown(scene)
    assert len(drafts) >= 3
    check(scene, ANSWER)
    assert scene.sim.methods.actions == []  # it types no more
    assert [request.chunks > 0 for request in scene.model.requests] == [True]


@pytest.mark.timeout(60)
def test_neither_thoughts_nor_calls_are_shown(scene: Scene) -> None:
    said = "I will look. " * 12

    def answer(body: dict) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return Reply("done " * 60, piece=3, pause=0.02)
        calls = [("note", {"text": "secret"})]
        return Reply(f"<think>thought {'t' * 400}</think>{said}", calls, pause=0.03)

    scene.model.answer = answer
    scene.start()
    assert scene.ask("hello") == ("done " * 60).strip()
    drafts = shown(scene)
    assert len(drafts) >= 2
    for text in drafts:
        assert said.startswith(text) or ("done " * 60).startswith(text)


@pytest.mark.timeout(60)
def test_an_answer_that_is_longer_than_a_draft(scene: Scene) -> None:
    answer = (SCRIPTS * 110).strip()
    scene.model.answer = lambda body: Reply(answer, piece=40, pause=0.04)
    scene.start()
    assert scene.ask("hello").replace(" ", "") == answer.replace(" ", "")
    longest = max(shown(scene), key=len)
    assert len(longest.encode()) <= 4096
    assert answer.startswith(longest)


@pytest.mark.timeout(60)
def test_a_flood_limit_ends_drafts_and_not_the_answer(scene: Scene) -> None:
    """A draft is refused for 600 s: no other one is tried, the answer comes at once."""
    scene.start()
    scene.sim.fault("429", "sendMessageDraft", retry_after=600)
    assert scene.ask("hello") == ANSWER
    assert len(scene.sim.calls_of("sendMessageDraft")) == 1
    assert scene.sim.sent[-1].text == ANSWER
    assert scene.ask("and now") == ANSWER
    assert len(scene.sim.calls_of("sendMessageDraft")) == 1


@pytest.mark.timeout(60)
def test_with_the_server_s_own_limits(scene: Scene) -> None:
    """About a message a second in a chat: drafts stay below it, so that none is refused."""
    scene.sim.methods.limits = Limits(chat_burst=3)
    scene.start()
    assert scene.ask("hello") == ANSWER
    assert scene.ask("and now") == ANSWER
    assert scene.sim.methods.rejected == []
    assert len(shown(scene)) >= 4


@pytest.mark.timeout(60)
def test_a_server_that_knows_no_drafts(scene: Scene) -> None:
    """It types, as ever; it is not asked again."""
    scene.sim.methods.knows_drafts = False
    scene.start()
    assert scene.ask("hello") == ANSWER
    assert len(scene.sim.calls_of("sendMessageDraft")) == 1
    assert scene.sim.methods.actions != []
    assert scene.ask("and now") == ANSWER
    assert len(scene.sim.calls_of("sendMessageDraft")) == 1


@pytest.mark.timeout(60)
def test_a_draft_that_is_cut(scene: Scene) -> None:
    scene.start()
    scene.sim.fault("reset", "sendMessageDraft")
    assert scene.ask("hello") == ANSWER
    assert len(scene.sim.calls_of("sendMessageDraft")) == 1
    assert len(scene.sim.sent) == 1
    assert scene.ask("and now") == ANSWER
    assert len(scene.sim.calls_of("sendMessageDraft")) > 2


@pytest.mark.timeout(60)
def test_groups_have_none(scene: Scene) -> None:
    scene.start()
    scene.sim.know(GROUP)
    name = scene.sim.methods.bot["username"]
    update_id = scene.sim.push_text(f"@{name} hello", chat=GROUP)
    scene.until(lambda: scene.sim.confirmed >= update_id)
    assert scene.texts(GROUP) == [ANSWER]
    assert shown(scene) == []
    assert scene.sim.methods.actions != []


@pytest.mark.timeout(60)
def test_over_tls_the_answer_is_waited_for(tmp_path: Path) -> None:
    with asked(Scene(tmp_path, wanted()[0], tls=True)) as scene:
        scene.start()
        scene.ask("hello")
        assert shown(scene) == []
        assert len(scene.sim.methods.actions) == 1


@pytest.mark.skipif("unix32" not in wanted(), reason="32-bit figures")
@pytest.mark.timeout(60)
def test_where_there_is_no_room_it_types(tmp_path: Path) -> None:
    with asked(Scene(tmp_path, "unix32")) as scene:
        scene.model.answer = lambda body: Reply(ANSWER, piece=3, pause=0.015)
        scene.start(heap="64k", app="frozen")
        assert scene.ask("hello") == ANSWER
        assert shown(scene) == []
        assert scene.sim.methods.actions != []
