"""What a bot says unasked, and what it keeps until it is said (durable)."""

from __future__ import annotations

import re

from bot_scene import BotScene, keyboard, scene  # noqa: F401

from host_tools.simulator.updates import USER

UNASKED = """\
import asyncio
import time
from copepod.bot import bot
from copepod.handlers import on_button, on_command, on_start

@on_start
async def hello():
    await bot.send(bot.owner, "I am **here**.", buttons=[["Stop"]])

@on_command("soon")
async def soon(msg):
    async def later():
        await asyncio.sleep(1)
        print("now", time.ticks_ms())
        sent = await bot.send(msg.chat_id, "later")
        print("sent", sent.message_id)
    asyncio.create_task(later())
    return "at once"

@on_command("many")
async def many(msg):
    async def one(number):
        await asyncio.sleep(3)
        await bot.send(msg.chat_id, "number %d" % number)
        print("accepted", number)
    for number in range(40):
        asyncio.create_task(one(number))
    return "begins"

@on_button("Stop")
def stop(msg):
    return "stopped"

@on_command("wrong")
async def wrong(msg):
    try:
        await bot.send(None, "nobody")
    except TypeError as error:
        return str(error)
"""


def test_a_bot_says_something_at_start_to_its_owner(scene: BotScene) -> None:
    scene.start(UNASKED)
    scene.until(scene.answered("I am here."))
    assert scene.sim.sent[0].reply_to is None
    scene.sim.press("Stop")
    scene.until(scene.answered("I am here.", "stopped"))
    scene.sim.push_text("/wrong")
    scene.until(lambda: scene.texts()[-1] == "chat_id: an int, not None")


def test_a_long_poll_is_left_for_what_is_said_unasked(scene: BotScene) -> None:
    scene.start(UNASKED, poll_timeout_s=50)
    scene.until(scene.answered("I am here."))
    scene.sim.push_text("/soon")
    scene.until(scene.answered("I am here.", "at once"))
    scene.until(scene.said("sent"))
    methods = [call.method for call in scene.sim.calls]
    later = next(call for call in scene.sim.calls if call.params.get("text") == "later")
    left = scene.sim.calls[scene.sim.calls.index(later) - 1]
    assert left.method == "getUpdates", methods
    assert left.params["timeout"] >= 2  # a long one; it grows again after what was said at start
    assert left.status is None  # the client has gone in the middle
    assert later.connection == left.connection + 1
    assert scene.device is not None
    console = scene.device.text()
    now = re.search(r"now (\d+)", console)
    assert now is not None
    # Both clocks are the system's monotonic one; the device's counts milliseconds and wraps.
    assert (int(later.at * 1000) - int(now[1])) % (1 << 30) < 300
    assert "trying again" not in console, console  # no failure, no back-off
    scene.sim.push_text("/soon")
    scene.until(lambda: scene.texts()[2:] == ["later", "at once", "later"])


def test_what_is_said_while_the_network_is_away_waits_its_turn(scene: BotScene) -> None:
    scene.extra = {"bus": {"capacity": 4}}
    scene.start(UNASKED)
    scene.until(scene.answered("I am here."))
    scene.sim.push_text("/many")
    scene.until(scene.answered("I am here.", "begins"))
    scene.sim.refuse()
    scene.until(scene.said("trying again"))
    assert scene.device is not None
    assert "accepted" not in scene.device.text()
    scene.sim.accept()
    scene.until(scene.said("accepted", 40), 40)
    told = scene.texts()[2:]
    assert sorted(told) == sorted(f"number {number}" for number in range(40))


DURABLE = """\
import asyncio
from copepod.bot import bot
from copepod.handlers import on_command, on_start

@on_command("keep")
async def keep(msg):
    async def later(text):
        await bot.send(msg.chat_id, text, buttons=[["Seen"]], durable=True)
        print("accepted", text)
    for number in range(3):
        asyncio.create_task(later("kept %d " % number + "\\u00e9\\n" * int(msg.args or 1)))
    await asyncio.sleep_ms(100)
    print("kept")

@on_command("full")
async def full(msg):
    try:
        await bot.send(msg.chat_id, "x" * 4090, durable=True)
    except OSError as error:
        return "full: %d" % error.errno

@on_command("refused")
async def refused(msg):
    try:
        await bot.send(5, "to nobody", durable=True)
    except OSError as error:
        return "refused: %s" % error

@on_command("bad")
async def bad(msg):
    try:
        await bot.send(msg.chat_id, "bad", buttons=[["x" * 70]], durable=True)
    except ValueError as error:
        return str(error)
"""


def unsent(scene: BotScene) -> str:
    """What is kept of the bot's durable messages."""
    (path,) = scene.folder.glob("**/*.unsent.jsonl")
    return path.read_text()


def test_a_durable_message_is_sent_after_a_restart(scene: BotScene) -> None:
    scene.sim.push_text("/keep 5")
    scene.sim.fault("500", "sendMessage", count=None)
    scene.start(DURABLE)
    scene.until(scene.said("kept\n"))
    assert unsent(scene).count("\n") == 3
    scene.stop(kill=True)
    assert scene.texts() == []
    scene.sim.faults.clear()
    scene.start("from copepod.handlers import on_text\non_text(lambda msg: msg.text)\n")
    scene.until(lambda: len(set(scene.texts())) == 3)
    # At least once: a call may have been on its way when the first life ended.
    kept = list(dict.fromkeys(scene.texts()))
    assert kept == [f"kept {number} " + "é\n" * 4 + "é" for number in range(3)]
    assert keyboard(scene) == [["Seen"]]
    scene.until(lambda: not scene.sim.queue.pending())
    scene.until(lambda: unsent(scene) == "")
    scene.stop()
    before = len(scene.texts())
    scene.start(DURABLE)
    scene.sim.push_text("/bad")
    scene.until(lambda: "data of 70 B" in scene.texts()[-1])
    scene.sim.push_text("/full")
    scene.until(lambda: scene.texts()[-1] == "full: 28")
    scene.sim.push_text("/refused")
    scene.until(lambda: scene.texts()[-1].startswith("refused: 400"))
    assert unsent(scene) == ""
    assert len(scene.texts()) == before + 3


def test_a_damaged_line_of_what_is_kept_is_dropped(scene: BotScene) -> None:
    scene.start(DURABLE)
    scene.sim.push_text("/keep")
    scene.until(lambda: len(scene.texts()) == 3)
    scene.until(lambda: unsent(scene) == "")
    scene.stop()
    (path,) = scene.folder.glob("**/*.unsent.jsonl")
    good = f'[7, {USER}, "good", null]\n'
    path.write_text(f'noise\n[3, {USER}, "broken off\n[4]\n{good}')
    scene.start(DURABLE)
    scene.until(lambda: scene.texts()[3:] == ["good"])
    scene.until(lambda: unsent(scene) == "")
