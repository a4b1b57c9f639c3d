"""Timers, pins and state of a bot.py under the real gateway. The clock is the test's: bot.py moves it on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scene as scene_module
from scene import HEAPS, played, wanted

from host_tools.paths import ROOT
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device


class Scene(scene_module.Scene):
    """With a bot.py."""

    def start(self, bot: str, **keys: Any) -> Device:
        """Start the gateway with this bot.py; `keys` are of the config's top level."""
        extra = {"channels": {"telegram": {"allow_from": [str(USER)]}}} | keys
        return self.launch(extra, bot=bot, heap=HEAPS[self.target.name])


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with played(Scene(tmp_path, request.param)) as made:
        yield made


# The clock begins on Sunday, 2030-10-27, at 00:29 UTC: in Berlin it is 02:29, for the first time.
CLOCK = """\
import sys
import time as real

class Clock:
    seconds = 1919291340

for name in dir(real):
    if name[0] != "_":
        setattr(Clock, name, getattr(real, name))
Clock.time = lambda: Clock.seconds
sys.modules["time"] = Clock
from copepod.timers import cron, daily, every
sys.modules["time"] = real
"""
TIMERS = (
    CLOCK
    + """
hours = []

@every(1)
def tick():
    if len(hours) < 2:  # a minute, an hour: the clock of Berlin goes back
        Clock.seconds += 60
    elif len(hours) < 3:
        Clock.seconds += 3600
    else:
        print("the hours are", sorted(hours))

@daily("02:30")
async def report():
    hours.append("half past two")
    return "It is **half past two**."

@cron("30 * * * sun")
def each_hour():
    hours.append("an hour")

@cron("* * * * mon-sat")
def never():
    print("this is no Sunday")

@every(1)
async def broken():
    raise OSError("no sensor")
"""
)


def test_timers_are_called_by_the_clock_of_the_config(scene: Scene) -> None:
    device = scene.start(TIMERS, tz="CET-1CEST,M3.5.0,M10.5.0/3")
    scene.until(scene.said("the hours are ['an hour', 'an hour', 'half past two']"))
    scene.until(lambda: scene.texts() == ["It is half past two."])
    scene.until(scene.said("the hours are", 2))
    assert (
        device.text().count("broken failed: OSError: no sensor") == 1
    )  # said once, called each second
    assert "this is no Sunday" not in device.text()
    scene.stop()
    assert len(scene.texts()) == 1


def example(section: str) -> str:
    """The program in a section of docs/bot.md."""
    page = (ROOT / "docs/bot.md").read_text()
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return text.partition("```python\n")[2].partition("```")[0]


def test_the_examples_on_the_page_do_what_they_say(scene: Scene) -> None:
    # 06:59:30 UTC on the first Thursday of 2031, and half an hour after it.
    moves = (
        "\n@every(1)\ndef move():\n    Clock.seconds += 60 if Clock.seconds < 1925109200 else 0\n"
    )
    clock = CLOCK.replace("1919291340", "1925103570")
    scene.start(clock + example("Timers") + moves)
    scene.until(lambda: scene.texts() == ["It is a working day."])
    scene.stop()
    clock = CLOCK.replace("1919291340", "1925105370")
    scene.start(clock + example("Timers") + moves)
    scene.until(lambda: scene.texts()[1:] == ["Good morning."])
    scene.stop()
    chip = PINS.partition("from copepod.handlers")[0]
    scene.start(
        chip + example("Pins") + "\nfrom copepod.timers import every\nevery(1)(Pin.made.press)\n"
    )
    scene.until(lambda: scene.texts()[2:] == ["Somebody is at the door."])
    scene.stop()
    scene.start(example("State") + "print('the limit is', limit)\n")
    scene.until(scene.said("the limit is 21.5"))


def test_a_report_to_nobody_is_said(scene: Scene) -> None:
    bot = "from copepod.timers import every\n@every(1)\ndef report():\n    return 'all is well'\n"
    scene.start(bot, channels={"telegram": {"allow_from": ["*"]}})
    scene.until(scene.said("report failed: RuntimeError: nobody to tell: allow_from has no id"))
    assert not scene.texts()


def test_a_timer_goes_on_while_the_network_is_away(scene: Scene) -> None:
    reset = scene.sim.fault("reset", "getUpdates", count=None, at="before", after=1)
    scene.start(
        "from copepod.timers import every\n@every(1)\ndef tick():\n    print('one more tick')\n"
    )
    scene.until(lambda: reset.hits >= 2)
    before = scene.device.text().count("one more tick") if scene.device else 0
    scene.until(scene.said("one more tick", before + 2))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("cron('61 * * * *')", "cron('61 * * * *'): minute: '61' is not 0 to 59"),
        ("daily('25:00')", "daily('25:00'): expected HH:MM"),
        ("every(0)", "every(0): seconds: expected 1 to 1000000"),
        ("on_pin(4)", "on_pin(4): this machine has no pins (machine.Pin)"),
        ("on_pin(4, 'down')", "on_pin(4): edge 'down': expected"),
    ],
)
def test_what_is_wrong_is_refused_when_the_bot_is_loaded(
    scene: Scene, line: str, reason: str
) -> None:
    imports = "from copepod.pins import on_pin\nfrom copepod.timers import cron, daily, every\n"
    scene.start(f"{imports}\n@{line}\ndef function():\n    pass\n")
    scene.until(scene.said(f"bot: bot.py can't be used: {reason}"))
    scene.sim.push_text("and you?")
    scene.until(lambda: scene.texts() == ["and you?"])  # the rest works


def test_a_wrong_zone_is_one_line(scene: Scene) -> None:
    device = scene.start("", tz="Europe/Berlin")
    assert device.wait(lambda: device.ended, 20)
    assert device.stop() == 1
    lines = [line for line in device.text().splitlines() if "tz" in line]
    assert len(lines) == 1, device.text()
    assert "config.json: tz: 'Europe/Berlin': " in lines[0]
    assert "such as CET-1CEST,M3.5.0,M10.5.0/3" in lines[0]


PINS = """\
import sys

class Pin:  # there is none on this machine
    IN, PULL_UP, IRQ_RISING, IRQ_FALLING = 1, 2, 1, 2

    def __init__(self, number, mode, pull):
        self.level = 1
        Pin.made = self

    def value(self):
        return self.level

    def irq(self, handler, trigger):
        self.handler = handler
        print("the pin is watched")

    def press(self):
        self.level = 0
        self.handler(self)

class Machine:
    pass

Machine.Pin = Pin
sys.modules["machine"] = Machine
from copepod.handlers import on_text
from copepod.pins import on_pin

@on_pin(4, "falling", debounce_ms=20, pull="up")
async def bell(value):
    return "Somebody is at the door: %d." % value

@on_text
def press(msg):
    Pin.made.press()
    return "pressed"
"""


def test_a_pin_tells_the_owner_while_a_poll_waits(scene: Scene) -> None:
    scene.start(PINS)
    scene.until(scene.said("the pin is watched"))
    scene.sim.push_text("ring")
    scene.until(lambda: sorted(scene.texts()) == ["Somebody is at the door: 0.", "pressed"])


STATE = """\
from copepod.bot import bot
from copepod.handlers import on_text

print("it begins with", bot.state.get("count", 0))

@on_text
def count(msg):
    bot.state["count"] = bot.state.get("count", 0) + 1
    return "%d" % bot.state["count"]
"""


def test_the_state_outlives_the_gateway(scene: Scene) -> None:
    kept = scene.folder / "config.json.kept"
    device = scene.start(STATE)
    scene.until(scene.said("it begins with 0"))
    scene.sim.push_text("one")
    scene.until(lambda: scene.texts() == ["1"])
    scene.until(lambda: kept.is_file() and json.loads(kept.read_text()) == {"count": 1})  # at once
    scene.stop(kill=True)
    device = scene.start(STATE)
    scene.until(scene.said("it begins with 1"))
    for number in range(2, 6):
        scene.sim.push_text("one more")
        scene.until(lambda number=number: scene.texts()[-1] == str(number))
    assert json.loads(kept.read_text()) == {"count": 2}  # once a minute
    for method in ("getUpdates", "getMe"):
        scene.sim.fault("401", method, count=None)
    scene.sim.push_text("the last one")
    assert device.wait(lambda: device.ended, 20)
    scene.sim.faults.clear()
    assert json.loads(kept.read_text()) == {
        "count": int(scene.texts()[-1])
    }  # what is new is written
    scene.start(STATE)
    scene.until(scene.said(f"it begins with {scene.texts()[-1]}"))
