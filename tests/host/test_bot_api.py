"""What a bot.py can say and do, one feature after the other: the real gateway against the simulator."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tools import engine, targets
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device

OTHER = 7000000002
HEAPS = {"unix": "1M", "unix32": "256k"}
WANTED = os.environ.get("TARGETS", "unix").replace(",", " ").split()
TARGETS = [name for name in HEAPS if name in WANTED or "all" in WANTED] or ["unix"]


class Scene:
    """A simulator, and as many lives of the gateway as a test likes."""

    def __init__(self, folder: Path, target: str) -> None:
        self.sim = Simulator(tls=False)
        self.folder = folder
        self.target = target
        self.device: Device | None = None
        self.consoles: list[str] = []

    def start(self, bot: str, **telegram: Any) -> Device:
        """Start the gateway with this bot.py."""
        target = targets.get(self.target)
        channel = {"allow_from": [str(USER), str(OTHER)]} | telegram
        extra = {"channels": {"telegram": channel}, "telemetry": {"interval_s": 1000}}
        config = engine.gateway_config(self.sim, target, extra)
        heap = HEAPS[self.target]
        self.device = target.start(config, workdir=self.folder, bot=bot, heap=heap, app="mpy")
        return self.device

    def stop(self, kill: bool = False) -> None:
        """End this life."""
        if self.device is not None:
            if kill:
                self.device.kill()
            else:
                self.device.stop()
            self.consoles.append(self.device.text())
            self.device = None

    def until(self, fact: Callable[[], Any], seconds: float = 20) -> None:
        """Wait for a fact."""
        done = self.sim.wait(fact, seconds)
        console = self.device.text()[-3000:] if self.device else ""
        calls = [(call.method, call.params, call.response) for call in self.sim.calls[-12:]]
        assert done, f"it never came\n{console}\n{self.texts()}\n{calls}"

    def said(self, words: str, times: int = 1) -> Callable[[], bool]:
        """The fact that the console says so."""
        return lambda: self.device is not None and self.device.text().count(words) >= times

    def texts(self, chat: int = USER) -> list[str]:
        """What the bot has said there, as it reads now."""
        return [sent.text for sent in self.sim.sent if sent.chat_id == chat]

    def answered(self, *texts: str, chat: int = USER) -> Callable[[], bool]:
        """The fact that the bot has said these, in this order."""
        return lambda: self.texts(chat) == list(texts)


@pytest.fixture(params=TARGETS)
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = Scene(tmp_path, request.param)
    with made.sim:
        made.sim.know(USER)
        made.sim.know(OTHER)
        yield made
        made.stop()
        for console in made.consoles:
            assert made.sim.token.partition(":")[2] not in console


# --- at start

STARTS = """\
from copepod.handlers import on_start, on_text

@on_start
def quick():
    print("begins")

@on_start
async def fails():
    raise SystemExit("not today")

@on_start
async def slow():
    import asyncio
    await asyncio.sleep_ms(1)
    print("goes on")

@on_text
def text(msg):
    return "fine"
"""


def test_what_begins_with_the_bot_is_called_once(scene: Scene) -> None:
    device = scene.start(STARTS)
    scene.until(scene.said("goes on"))
    scene.until(scene.said("failed: SystemExit: not today"))
    assert device.text().index("steady") < device.text().index("begins")
    scene.sim.fault("reset", "getUpdates", at="before")  # another connection, another first poll
    scene.sim.push_text("a")
    scene.until(scene.answered("fine"))
    scene.until(lambda: not scene.sim.queue.pending())
    scene.stop()
    assert scene.consoles[0].count("begins") == scene.consoles[0].count("goes on") == 1
