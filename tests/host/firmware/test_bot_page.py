"""The programs of docs/bot.md and the bot that is shipped do what they say, and cost no growing heap."""

from __future__ import annotations

import re

from bot_scene import OTHER, BotScene, scene  # noqa: F401

from host_tools.paths import ROOT


def example(section: str) -> str:
    """The program in a section of docs/bot.md."""
    page = (ROOT / "docs/bot.md").read_text()
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return text.partition("```python\n")[2].partition("```")[0]


def test_the_examples_on_the_page_do_what_they_say(scene: BotScene) -> None:
    scene.start(example("Answers"))
    scene.sim.push_text("/led on")
    scene.sim.push_text("hello")
    scene.until(scene.answered("The light is on.", "HELLO"))
    scene.until(lambda: not scene.sim.queue.pending())
    scene.stop()
    scene.start(example("Buttons"))
    scene.sim.push_text("/lamp")
    scene.until(lambda: scene.texts()[2:] == ["The lamp"])
    scene.sim.press("Dim")
    scene.until(lambda: scene.texts()[2:] == ["The lamp, dimmed"])
    scene.until(lambda: [text for _, text in scene.sim.methods.notices] == ["at 50 %"])
    scene.until(lambda: not scene.sim.queue.pending())
    scene.stop()
    scene.start(example("Conversations"))
    scene.sim.push_text("/heat")
    scene.until(lambda: scene.texts()[3:] == ["How warm?"])
    scene.sim.press("21")
    scene.until(lambda: scene.texts()[4:] == ["21 it is."])
    scene.until(lambda: not scene.sim.queue.pending())
    scene.stop()
    scene.start(example("Unasked"))
    scene.until(lambda: scene.texts()[5:] == ["I am back."])
    scene.stop()
    scene.start(example("Several people"))
    scene.sim.push_text("/tea")
    scene.until(lambda: scene.texts()[6:] == ["In three minutes."])
    scene.sim.push_text("me too", user=OTHER)
    scene.until(scene.answered("me too", chat=OTHER))


def test_the_bot_that_is_shipped_does_what_its_comments_show(scene: BotScene) -> None:
    text = (ROOT / "firmware/bot.py").read_text()
    shown = re.sub(r"^# ?", "", text, flags=re.MULTILINE)
    pin = "class Pin:\n    OUT = 0\n    now = 0\n    def __init__(self, *_):\n        pass\n"
    pin += "    def value(self, to=None):\n        self.now = self.now if to is None else to\n"
    pin += "        return self.now\n    def on(self):\n        self.now = 1\n"
    pin += "    def off(self):\n        self.now = 0\n\n"
    assert "from machine import Pin\n" in shown
    scene.start(shown.replace("from machine import Pin\n", pin))
    scene.sim.push_text("/led")
    scene.until(scene.answered("The light is off."))
    scene.sim.press("On")
    scene.until(scene.answered("The light is on."))
    scene.sim.push_text("/blink")
    scene.until(lambda: scene.texts()[1:] == ["How often?"])
    scene.sim.push_text("3")
    scene.until(lambda: scene.texts()[2:] == ["0, 1, 2,"])
    scene.sim.push_text("really?")
    scene.sim.push_text("really!")
    scene.until(lambda: scene.texts()[3:] == ["Good question.", "really!"])


GROWING = """\
from copepod.bot import bot
from copepod.handlers import on_button, on_command

@on_button("led:")
async def led(msg):
    msg.notice("done")
    await msg.edit("led " + msg.args, buttons=[["led:on", "led:off"]])

@on_command("lamp")
async def lamp(msg):
    await msg.answer("lamp", buttons=[["led:on", "led:off"]])

@on_command("ask")
async def ask(msg):
    reply = await msg.ask("what?")
    yield "it is "
    yield reply.text

@on_command("list")
async def listed(msg):
    sent = await bot.send(msg.chat_id, "to all", durable=True)
    await sent.edit("to everybody")
    return ["a", "b"]
"""


def live(scene: BotScene) -> int:
    """The live heap when nothing goes on."""
    device = scene.device
    assert device is not None
    seen = len(device.frames.frames)
    assert device.wait(lambda: len(device.frames.frames) >= seen + 2, 20)
    found = device.frames.frames[-1]["gc_live"]
    assert found is not None
    return int(found)


def test_the_live_heap_does_not_grow(scene: BotScene) -> None:
    scene.extra = {"telemetry": {"interval_s": 1}}
    scene.start(GROWING, poll_timeout_s=1)
    floors = []
    for _ in range(8):
        for _ in range(3):
            count = len(scene.sim.sent)
            scene.sim.push_text("/lamp")
            scene.until(lambda count=count: len(scene.sim.sent) == count + 1)
            scene.sim.press("led:on")
            scene.until(lambda: scene.texts()[-1] == "led on")
            scene.sim.push_text("/ask")
            scene.until(lambda: scene.texts()[-1] == "what?")
            scene.sim.push_text("this")
            scene.until(lambda: scene.texts()[-1] == "it is this")
            scene.sim.push_text("/list")
            scene.until(lambda: scene.texts()[-2:] == ["to everybody", "ab"])
            scene.until(lambda: not scene.sim.queue.pending())
        floors.append(live(scene))
    assert min(floors[5:]) <= min(floors[2:5]), floors
