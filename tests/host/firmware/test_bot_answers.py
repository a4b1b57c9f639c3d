"""What a bot.py says: at its start, as it answers, while it works, and when a mistake is in it."""

from __future__ import annotations

from bot_scene import BotScene, scene  # noqa: F401

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


def test_what_begins_with_the_bot_is_called_once(scene: BotScene) -> None:
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


ANSWERS = """\
from copepod.handlers import on_command, on_text

@on_command("list")
async def listed(msg):
    return ["one, ", "two"]

@on_command("generator")
async def generator(msg):
    return (word + " " for word in ("three", "four"))

@on_command("tuple")
def tupled(msg):
    return "five, ", "six"

async def parts():
    import asyncio
    yield "seven, "
    await asyncio.sleep_ms(1)
    yield "eight"

@on_command("async")
async def later(msg):
    return parts()

@on_command("between")
async def between(msg):
    yield "a"
    sent = await msg.answer("b")
    yield "c, "
    await msg.edit("B" if sent.message_id else "no id")
    yield "d"

@on_command("given")
async def given(msg):
    async def words():
        yield "e, "
        await msg.answer("f")
        yield "g"
    await msg.answer(words())

@on_command("nothing")
async def nothing(msg):
    return []

@on_text
async def other(msg):
    return await msg.answer("told")
"""


def test_what_a_handler_returns_is_sent_as_it_comes(scene: BotScene) -> None:
    scene.start(ANSWERS)
    for command in ("list", "generator", "tuple", "async", "nothing"):
        scene.sim.push_text(f"/{command}")
    scene.sim.push_text("hello")
    scene.until(scene.answered("one, two", "three four", "five, six", "seven, eight", "told"))
    scene.until(lambda: not scene.sim.queue.pending())


def test_what_is_said_between_two_yields_is_a_message_of_its_own(scene: BotScene) -> None:
    scene.start(ANSWERS)
    scene.sim.push_text("/between")
    scene.until(scene.answered("a", "B", "c,", "d"))
    calls = [call.method for call in scene.sim.calls if call.params.get("text")]
    assert calls == ["sendMessage", "sendMessage", "sendMessage", "editMessageText", "sendMessage"]
    scene.sim.push_text("/given")
    scene.until(scene.answered("a", "B", "c,", "d", "e,", "f", "g"))
    scene.until(lambda: not scene.sim.queue.pending())


BROKEN = """\
from copepod.handlers import on_command

@on_command("fine")
async def fine(msg):
    await msg.answer("fine", buttons=[["On"]])

raise ValueError("half way")
"""


def test_a_mistake_in_bot_py_leaves_what_was_registered_before_it(scene: BotScene) -> None:
    scene.start(BROKEN)
    scene.until(scene.said("bot.py can't be used: half way"))
    scene.sim.push_text("/fine")
    scene.until(scene.answered("fine"))


MISSPELT = """\
from copepod.bot import bot
from copepod.handlers import on_command

@on_command("message")
async def message(msg):
    await msg.anwser("fine")

@on_command("answer")
async def answer(msg):
    return (await msg.answer("fine")).mesage_id

@on_command("state")
def state(msg):
    return bot.state.cuont
"""


def test_a_traceback_names_what_a_bot_has_in_hand(scene: BotScene) -> None:
    """On a board, too, where other names are words of the firmware."""
    scene.start(MISSPELT)
    for command, name, attribute in (
        ("/message", "Received", "anwser"),
        ("/answer", "Sent", "mesage_id"),
        ("/state", "State", "cuont"),
    ):
        scene.sim.push_text(command)
        scene.until(scene.said(f"AttributeError: '{name}' object has no attribute '{attribute}'"))


TYPING = """\
import asyncio
from copepod.handlers import on_text

@on_text
async def text(msg):
    await asyncio.sleep_ms(int(msg.text))
    return msg.text
"""


def test_who_waits_for_a_handler_sees_that_it_is_at_work(scene: BotScene) -> None:
    scene.start(TYPING)
    scene.until(lambda: scene.sim.calls_of("setMyCommands"))
    scene.sim.push_text("100")
    scene.until(scene.answered("100"))
    assert scene.sim.calls_of("sendChatAction") == []
    for count in (1, 2):
        scene.sim.push_text("1800")
        scene.until(lambda count=count: len(scene.texts()) == 1 + count)
        assert len(scene.sim.calls_of("sendChatAction")) == count
    scene.sim.push_text("100")
    scene.until(lambda: len(scene.texts()) == 4)
    assert len(scene.sim.calls_of("sendChatAction")) == 2
