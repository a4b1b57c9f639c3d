"""A gateway with a bot.py under test, and two people who may talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scene import HEAPS, Scene, played, wanted

from host_tools.simulator import markup
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device

OTHER = 7000000002


class BotScene(Scene):
    """With a bot.py, and two people who may talk to it."""

    extra: dict[str, Any] = {}  # noqa: RUF012  of the config

    def start(self, bot: str, **telegram: Any) -> Device:
        """Start the gateway with this bot.py."""
        channel = {"allow_from": [str(USER), str(OTHER)]} | telegram
        extra = {"channels": {"telegram": channel}} | self.extra
        return self.launch(extra, bot=bot, heap=HEAPS[self.target.name])


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BotScene]:
    with played(BotScene(tmp_path, request.param), OTHER) as made:
        yield made


def keyboard(scene: BotScene, at: int = -1) -> list[list[str]]:
    """What stands on the buttons below one of the bot's messages."""
    return markup.labels(scene.sim.sent[at].markup)
