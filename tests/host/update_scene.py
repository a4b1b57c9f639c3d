"""A gateway whose owner sends it a bot.py, and that is started again when it wants to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scene import HEAPS, Scene, played, wanted

from host_tools.simulator.updates import USER
from host_tools.targets.target import Device

OTHER = 7_000_000_002
RESTART = 75  # what a process ends with that wants to be started again

OLD = """\
from copepod.handlers import on_text

@on_text
def text(msg):
    return "old: " + msg.text
"""
NEW = OLD.replace("old", "new")
KEPT = "Your new bot.py works and is kept."
RUNS_ON = "Your bot.py is not tried, the one that is there goes on:\n"
GIVEN_UP = "Your new bot.py is given up, the old one is back:\n"


class Updated(Scene):
    """A gateway that is started again when it wants to be, with the files that it has left."""

    trial_s = 1
    config: dict[str, Any] = {}  # noqa: RUF012

    def start(self, bot: str | None = None, **telegram: Any) -> Device:
        """Start it, with this bot.py or with what lies there."""
        channel = {"allow_from": [str(USER), str(OTHER)], "poll_timeout_s": 5} | telegram
        extra = {"channels": {"telegram": channel}, "bot": {"trial_s": self.trial_s} | self.config}
        return self.launch(extra, bot=bot, heap=HEAPS[self.target.name])

    def send(self, bot: str | bytes, name: str = "bot.py", **who: Any) -> int:
        """The owner, or another, sends a document."""
        data = bot.encode() if isinstance(bot, str) else bot
        return self.sim.push_file(data, name, **who)

    def restarted(self) -> None:
        """Wait until it has ended to be started again, and do so."""
        device = self.device
        assert device is not None
        self.until(lambda: device.ended and device.exit_status is not None)
        assert device.exit_status == RESTART, device.text()[-3000:]
        self.stop()
        self.start()

    def says(self, text: str, answer: str, user: int = USER) -> None:
        """Say `text`, and wait for this answer."""
        self.sim.push_text(text, user=user)
        self.until(lambda: self.texts(user)[-1:] == [answer])
        self.until(lambda: not self.sim.queue.pending())

    @property
    def trial(self) -> Path:
        """What is tried."""
        return self.folder / ".trial/bot.py"

    @property
    def bot(self) -> str:
        """What is kept."""
        return (self.folder / "bot.py").read_text()


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Updated]:
    with played(Updated(tmp_path, request.param), OTHER) as made:
        yield made
        assert made.sim.protocol_errors == []


def received(bot: str) -> str:
    """What is said before the restart."""
    return f"I have your new bot.py, {len(bot.encode())} bytes, and restart to try it."
