"""The gateway on the wheel against the simulator: what must not bring it down, and what may not hold it up."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scene as scene_module
from scene import played

from host_tools.simulator.http import Response
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device

GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Plankton"}
OTHER = 7000000002


class Scene(scene_module.Scene):
    """On the wheel; whoever may talk is in the config's channel."""

    def start(self, bot: str | None = None, heap: str = "1M", **telegram: Any) -> Device:
        """Start the gateway; returns once it says something."""
        return self.launch({"channels": {"telegram": telegram}}, bot=bot, heap=heap)

    def ends(self) -> None:
        """Wait until the gateway ends by itself."""
        device = self.device
        assert device is not None
        assert device.wait(lambda: device.ended, 20), device.text()
        self.stop()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with played(Scene(tmp_path), tracebacks=False) as made:
        yield made


# --- an update that takes the process with it


KILLER = """\
import os
from copepod.handlers import on_text

@on_text
def end(msg):
    if msg.text == "die":
        os.system("kill -9 $PPID")
    return "fine"
"""


@pytest.mark.parametrize("limit", [1, 10])
def test_an_update_that_ends_the_process_is_left_alone_after_two(scene: Scene, limit: int) -> None:
    scene.sim.know(OTHER)
    poison = scene.sim.push_text("die", user=OTHER)
    scene.sim.push_text("next")
    for _ in range(2):
        scene.start(KILLER, limit=limit, allow_from=[str(USER), str(OTHER)])
        scene.ends()
    scene.start(KILLER, limit=limit, allow_from=[str(USER), str(OTHER)])
    scene.until(lambda: scene.texts(OTHER) and "fine" in scene.texts())
    assert "brought me down twice" in scene.texts(OTHER)[0]
    scene.until(lambda: any(str(poison) in text for text in scene.texts()))  # the owner is told
    scene.until(lambda: not scene.sim.queue.pending())


# --- what is kept through a restart


def test_the_last_answered_update_is_not_answered_again(scene: Scene) -> None:
    reset = scene.sim.fault("reset", "getUpdates", count=None, after=1, at="before")
    scene.sim.push_text("once")
    scene.start()
    scene.until(scene.answered("once"))
    scene.until(lambda: reset.hits)  # it was never acknowledged
    scene.stop(kill=True)
    assert scene.sim.queue.pending()
    scene.sim.faults.clear()
    scene.start()
    scene.sim.push_text("twice")
    scene.until(lambda: not scene.sim.queue.pending())
    assert scene.texts() == ["once", "twice"]


# --- answers to the first calls


@pytest.mark.parametrize("kind", ["400", "403", "500", "502"])
def test_a_getme_that_fails_is_tried_later(scene: Scene, kind: str) -> None:
    scene.sim.fault(kind, "getMe", count=2)
    scene.start()
    scene.sim.push_text("hello")
    scene.until(scene.answered("hello"))
    first, second, third = (call.at for call in scene.sim.calls_of("getMe"))
    assert second - first > 0.4
    assert third - second > 0.8


@pytest.mark.parametrize("kind", ["401", "404"])
def test_a_getme_that_refuses_the_token_ends_it(scene: Scene, kind: str) -> None:
    scene.sim.fault(kind, "getMe", count=None)
    device = scene.start()
    assert device.wait(lambda: device.ended, 20)
    assert "the token is refused" in device.text()
    assert device.stop() == 1


def test_a_getme_that_is_limited_waits_as_told(scene: Scene) -> None:
    scene.sim.fault("429", "getMe", retry_after=3)
    scene.start()
    scene.until(lambda: len(scene.sim.calls_of("getMe")) == 2)
    first, second = (call.at for call in scene.sim.calls_of("getMe"))
    assert second - first >= 3


@pytest.mark.parametrize("kind", ["500", "502", "429", "400", "html"])
def test_a_menu_that_can_not_be_set_stops_nothing(scene: Scene, kind: str) -> None:
    scene.sim.fault(kind, "setMyCommands", count=None)
    scene.start()
    scene.until(lambda: scene.sim.calls_of("setMyCommands"))
    methods = [call.method for call in scene.sim.calls]
    assert methods.index("getUpdates") < methods.index("setMyCommands")
    for number in range(3):
        scene.sim.push_text(f"message {number}")
    scene.until(lambda: len(scene.texts()) == 3)
    assert len(scene.sim.calls_of("setMyCommands")) == 1


# --- answers that come back as failures


def test_a_refusal_of_the_token_is_not_believed_before_getme_says_so(scene: Scene) -> None:
    refused = scene.sim.fault("401", "getUpdates", count=2, after=2)
    scene.sim.push_text("a")
    scene.start()
    scene.until(scene.answered("a"))
    scene.sim.push_text("b")
    scene.until(lambda: refused.hits == 2)
    scene.sim.push_text("c")
    scene.until(scene.answered("a", "b", "c"))
    assert len(scene.sim.calls_of("getMe")) == 3


def test_an_answer_that_always_fails_is_given_up(scene: Scene) -> None:
    refused = scene.sim.fault("500", "sendMessage", count=None)
    scene.start()
    scene.sim.push_text("never")
    scene.until(scene.said("it is given up"), 28)
    refused.count = 0
    scene.sim.push_text("next")
    scene.until(scene.answered("next"))


def test_a_page_with_status_200_is_no_acceptance(scene: Scene) -> None:
    scene.sim.fault("html", "sendMessage")
    scene.start()
    scene.sim.push_text("a")
    scene.until(scene.answered("a"))


@pytest.mark.parametrize("kind", ["truncate", "reset"])
def test_an_acceptance_that_breaks_off_is_one(scene: Scene, kind: str) -> None:
    how = {"at": "body"} if kind == "reset" else {}
    broken = scene.sim.fault(kind, "sendMessage", **how)
    scene.start()
    scene.sim.push_text("a")
    scene.sim.push_text("b")
    scene.until(lambda: not scene.sim.queue.pending())
    assert broken.hits
    assert scene.texts() == ["a", "b"]


def test_a_send_without_an_answer_is_repeated_once(scene: Scene) -> None:
    scene.sim.fault("close", "sendMessage", count=None, at="lost")  # accepted, and never said so
    scene.start()
    scene.sim.push_text("a")
    scene.until(lambda: not scene.sim.queue.pending(), 28)
    assert scene.texts() == ["a", "a"]
    scene.sim.faults.clear()
    scene.sim.push_text("/status")
    scene.until(lambda: "sent once more 1" in scene.texts()[-1])


def test_the_status_of_a_page_decides(scene: Scene) -> None:
    _answer_with(scene, "sendMessage", 413, b"<html>too large</html>")
    scene.start()
    scene.sim.push_text("a")
    scene.sim.push_text("b")
    scene.until(scene.answered("b"))
    scene.until(scene.said("answer refused: 413"))


def test_a_redirection_is_named(scene: Scene) -> None:
    _answer_with(scene, "sendMessage", 302, b"<html>moved</html>")
    scene.start()
    scene.sim.push_text("a")
    scene.until(scene.said("redirects sendMessage (302)"))
    scene.until(scene.answered("a"))


@pytest.mark.parametrize("code", [429, 503])
def test_the_header_tells_how_long_to_wait(scene: Scene, code: int) -> None:
    _answer_with(scene, "sendMessage", code, b"<html>later</html>", retry_after=2)
    scene.start()
    scene.sim.push_text("a")
    scene.until(scene.answered("a"))
    first, second = (call.at for call in scene.sim.calls_of("sendMessage"))
    assert second - first >= 2


def _answer_with(scene: Scene, method: str, code: int, page: bytes, retry_after: int = 0) -> None:
    """Let the method's first call be answered with this status and page."""
    methods = scene.sim.methods
    original = methods.call
    calls = itertools.count()

    async def call(name: str, params: Any) -> Response:
        if name.lower() != method.lower() or next(calls):
            return await original(name, params)
        headers = [("Retry-After", str(retry_after))] if retry_after else []
        return Response(code, page, headers=headers, content_type="text/html")

    methods.call = call  # type: ignore[method-assign]


# --- limits, and numbers that can't be


@pytest.mark.parametrize("wait", [-5, 0, 1_000_000])
def test_a_retry_after_out_of_all_bounds(scene: Scene, wait: int) -> None:
    scene.sim.fault("429", "sendMessage", retry_after=wait)
    scene.start()
    scene.sim.push_text("a")
    scene.until(lambda: scene.sim.calls_of("sendMessage"))
    began = time.monotonic()
    if wait <= 0:
        scene.until(scene.answered("a"))
        assert time.monotonic() - began > 0.9
        scene.sim.push_text("/status")
        scene.until(lambda: "flood waits 1" in scene.texts()[-1])
    else:
        scene.until(scene.said("waiting 3600 s"))
    scene.until(scene.said("flood limit"))
    assert len(scene.sim.calls_of("sendMessage")) <= 3


class _Group:
    """A flood limit on the group alone, for so long."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def wait_s(self, chat_id: int) -> int:
        left = self.until - time.monotonic()
        return int(left) + 1 if chat_id == GROUP["id"] and left > 0 else 0


ASKING = """\
from copepod.handlers import on_text

@on_text
async def answer(msg):
    await msg.answer(msg.text.upper())
    await msg.answer("and more")
"""


@pytest.mark.parametrize("limit", [1, 10])
@pytest.mark.parametrize("bot", [None, ASKING])
def test_a_group_that_is_limited_holds_nobody_else(
    scene: Scene, limit: int, bot: str | None
) -> None:
    scene.sim.methods.limits = _Group(8)  # type: ignore[assignment]
    scene.start(bot, limit=limit)
    mention = {"entities": [{"type": "mention", "offset": 0, "length": 12}]}
    scene.sim.push_text("@copepod_bot hi \u4f60\u597d", chat=GROUP, **mention)
    scene.until(scene.said("flood limit"))
    began = time.monotonic()
    words = ["one", "two", "three"]
    for word in words:
        scene.sim.push_text(word)
    more = 2 if bot else 1
    scene.until(lambda: len(scene.texts()) == more * len(words))
    assert time.monotonic() - began < 5, "the private chat waited for the group"
    assert not scene.texts(GROUP["id"])
    scene.until(lambda: len(scene.texts(GROUP["id"])) == more)
    scene.until(lambda: not scene.sim.queue.pending())
    assert len(scene.texts()) == more * len(words), "answered twice"
    scene.sim.push_text("four")
    scene.until(lambda: len(scene.texts()) == more * (len(words) + 1))


def test_pressed_buttons_are_bounded(scene: Scene) -> None:
    scene.sim.fault("429", "answerCallbackQuery", retry_after=6)
    scene.start(limit=10)
    for number in range(40):
        scene.sim.push_callback(f"press {number}")
    scene.until(lambda: len(scene.texts()) == 40)
    scene.until(lambda: not scene.sim.queue.pending())
    acknowledged = scene.sim.calls_of
    assert len(acknowledged("answerCallbackQuery")) == 1, (
        "the limit was over before the last press"
    )
    scene.until(lambda: len(acknowledged("answerCallbackQuery")) >= 3)
    for word in ("one", "two", "three"):  # and a poll after each, before which the rest is sent
        scene.sim.push_text(word)
        scene.until(lambda word=word: scene.texts()[-1] == word)
    scene.until(lambda: not scene.sim.queue.pending())
    assert len(acknowledged("answerCallbackQuery")) <= 20, "each press was kept"


# --- the wire


def test_polls_that_are_answered_at_once_are_spaced(scene: Scene) -> None:
    scene.sim.queue.effective_timeout = lambda offset, timeout: 0  # type: ignore[method-assign]
    scene.start()
    scene.until(lambda: len(scene.sim.calls_of("getUpdates")) >= 5)
    at = [call.at for call in scene.sim.calls_of("getUpdates")]
    gaps = [b - a for a, b in itertools.pairwise(at[1:])]
    assert gaps == sorted(gaps), gaps
    assert gaps[-1] > 0.9
    scene.sim.push_text("a")
    scene.until(scene.answered("a"))


def test_a_poll_that_is_cut_is_no_failure(scene: Scene) -> None:
    scene.sim.fault("stall", "getUpdates", count=None, after=1, at="before", seconds=3)
    scene.start()
    scene.until(scene.said("from now on a poll takes 2 s"))
    assert scene.device is not None
    assert "backoff" not in scene.device.text()
    assert "trying again" not in scene.device.text()


SENDER = """\
import asyncio
from copepod.handlers import on_text

@on_text
async def later(msg):
    async def send():
        await asyncio.sleep(1)
        await msg.gateway.send(msg.chat_id, "later")
    asyncio.create_task(send())
    return "at once"
"""


def test_what_a_bot_sends_on_its_own_does_not_wait_for_the_poll(scene: Scene) -> None:
    scene.start(SENDER, poll_timeout_s=50)
    scene.sim.push_text("a")
    scene.until(scene.answered("at once", "later"))
    at = [sent.at for sent in scene.sim.sent]
    assert at[1] - at[0] < 5
    scene.sim.push_text("b")
    scene.until(scene.answered("at once", "later", "at once", "later"))
