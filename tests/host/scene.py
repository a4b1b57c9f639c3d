"""A gateway under test: a simulator, and as many lives of the device as a test likes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from host_tools import targets
from host_tools.scenarios import engine
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device, Start

HEAPS = {"unix": "1M", "unix32": "256k"}


def wanted() -> list[str]:
    """Those of HEAPS that this run is for; the wheel when it is for none of them."""
    names = os.environ.get("TARGETS", "unix").replace(",", " ").split()
    return [name for name in HEAPS if name in names or "all" in names] or ["unix"]


class Scene:
    """What the tests of one file start, wait for and look at."""

    def __init__(self, folder: Path, target: str = "unix", *, tls: bool = False) -> None:
        self.sim = Simulator(tls=tls)
        self.folder = folder
        self.target = targets.get(target)
        self.device: Device | None = None
        self.consoles: list[str] = []  # of the lives that have ended

    def launch(self, extra: dict[str, Any], **how: Any) -> Device:
        """Begin a life; `extra` is laid over the config, `how` are the fields of Start."""
        extra = {"telemetry": {"interval_s": 1000}} | extra
        config = engine.gateway_config(self.sim, self.target, extra)
        self.device = self.target.start(Start(config, self.folder, **how))
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


@contextlib.contextmanager
def played(made: Any, *others: int, tracebacks: bool = True) -> Iterator[Any]:
    """A scene from its server's start to its end; USER and `others` have begun to talk to the bot.

    No console may show the token, and without `tracebacks` none either.
    """
    with made.sim:
        for person in (USER, *others):
            made.sim.know(person)
        yield made
        made.stop()
        for console in made.consoles:
            assert made.sim.token.partition(":")[2] not in console
            assert tracebacks or "Traceback" not in console, console[-3000:]
