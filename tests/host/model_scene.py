"""A gateway under test that has an assistant: Telegram's simulator and a model's server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scene as scene_module
from scene import played, wanted

from host_tools.scenarios import engine
from host_tools.simulator.certs import Authority
from host_tools.simulator.model import ModelServer, Reply
from host_tools.targets.target import Device

KEY = "sk-test-9f8e7d6c5b4a"

MACHINE = '''\
"""Pins that write down what was done to them."""
class Pin:
    OUT, IN, PULL_UP, PULL_DOWN = 1, 2, 3, 4
    def __init__(self, number, mode=None, pull=None, value=None):
        self.number = number
        if value is not None:
            with open("pins.txt", "a") as file:
                file.write("%d=%d\\n" % (number, value))
    def value(self):
        return 1
'''


class Scene(scene_module.Scene):
    """Telegram, and a model."""

    machine = MACHINE  # "" for the target's own

    def __init__(self, folder: Path, name: str, tls: bool = False) -> None:
        super().__init__(folder, name, tls=tls)
        authority = Authority(("localhost", "127.0.0.1")) if tls else None
        self.model = ModelServer(key=KEY, authority=authority)

    def start(
        self, bot: str | None = None, heap: str = "1M", app: str = "mpy", **more: Any
    ) -> Device:
        entry = {"model_name": "m", "model": "mock", "api_base": self.model.url, "api_keys": [KEY]}
        extra: dict[str, Any] = {
            "model_list": [entry],
            "hardware": {"pins": {"lamp": 2, "door": {"pin": 4, "mode": "up"}}},
            **more,
        }
        files = dict(engine.files_for(self.sim))
        if self.model.authority is not None:
            extra["tls"] = {"ca": "roots.der", "model_ca": "model.der"} | extra.get("tls", {})
            files["model.der"] = self.model.authority.der
        if self.machine:
            (self.folder / "machine.py").write_text(self.machine)
        return self.launch(extra, files=files, heap=heap, app=app, bot=bot)

    def ask(self, text: str) -> str:
        """What is answered to a question."""
        before = len(self.sim.sent)
        update_id = self.sim.push_text(text)
        self.until(lambda: self.sim.confirmed >= update_id)
        return "".join(self.texts()[before:])

    def calls(self, *calls: tuple[str, Any]) -> list[str]:
        """What comes of these calls, made by the model in one round."""
        replies = iter([Reply(calls=list(calls)), Reply("done")])
        self.model.answer = lambda body: next(replies)
        assert self.ask("go").endswith("done")
        return [m["content"] for m in self.model.requests[-1].body["messages"][-len(calls) :]]

    def asked(self) -> list[str]:
        """The role of each request's last message."""
        return [request.body["messages"][-1]["role"] for request in self.model.requests]


@contextlib.contextmanager
def asked(made: Scene) -> Iterator[Scene]:
    """What every scene must leave: no key on a console, no traceback, no request that breaks a rule."""
    with made.model, played(made, tracebacks=False):
        yield made
        made.stop()
        assert not any(KEY in console for console in made.consoles)
        assert made.model.problems == []


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with asked(Scene(tmp_path, request.param)) as made:
        yield made
