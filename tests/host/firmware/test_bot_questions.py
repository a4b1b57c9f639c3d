"""msg.ask: questions of a handler, and whose next message is the answer."""

from __future__ import annotations

import pytest
from bot_scene import OTHER, BotScene, keyboard, scene  # noqa: F401

ASKING = """\
import asyncio
from copepod.handlers import on_button, on_command, on_text

@on_command("set")
async def set_(msg):
    reply = await msg.ask("How warm?", buttons=[["20", ("cold", "18")]], timeout_s=TIMEOUT)
    if reply is None:
        return "Never mind."
    if reply.data:
        reply.notice("thanks")
        await reply.edit("It was %s." % reply.data)
    second = await msg.ask("Sure about %d?" % len(reply.text))
    await second.answer("%s: %s" % (second.text, reply.text[-20:]))

@on_command("both")
async def both(msg):
    yield "Well, "
    reply = await msg.ask("what?")
    yield reply.text + ", "
    yield "then"

@on_command("task")
async def task(msg):
    async def work():
        reply = await msg.ask("From a task?", timeout_s=TIMEOUT)
        await msg.answer("task: %s" % (reply and reply.text))
    asyncio.create_task(work())

@on_command("wrong")
async def wrong(msg):
    try:
        await msg.ask("never", timeout_s=100000)
    except ValueError as error:
        return str(error)

@on_command("fail")
async def fail(msg):
    try:
        await msg.ask("How warm?")
    except RuntimeError as error:
        return str(error)

@on_button("stop")
async def stop(msg):
    return "stopped"

@on_text
async def text(msg):
    return "%s says %s" % (msg.sender_id % 1000, msg.text)
"""


def asking(timeout_s: float) -> str:
    """The bot, whose questions have this limit."""
    return ASKING.replace("TIMEOUT", str(timeout_s))


@pytest.mark.parametrize("limit", [1, 10])
def test_the_next_message_is_the_answer_and_others_are_served_meanwhile(
    scene: BotScene, limit: int
) -> None:
    scene.start(asking(120), limit=limit)
    scene.sim.push_text("/set")
    scene.until(scene.answered("How warm?"))
    scene.until(lambda: not scene.sim.queue.pending())  # acknowledged: nothing comes again
    polls = len(scene.sim.calls_of("getUpdates"))
    for word in ("one", "two"):
        scene.sim.push_text(word, user=OTHER)
    scene.until(scene.answered("2 says one", "2 says two", chat=OTHER))
    scene.until(lambda: not scene.sim.queue.pending())
    waits = [call.params["timeout"] for call in scene.sim.calls_of("getUpdates")[polls:]]
    assert waits[-1] == 10, waits  # long polls, although somebody is asked
    scene.sim.push_text("x" * 4000 + " warm enough for me")
    scene.until(scene.answered("How warm?", "Sure about 4019?"))
    scene.sim.push_text("/both")  # a command is an answer, too
    scene.until(lambda: scene.texts()[2:] == ["/both: x warm enough for me"])
    scene.sim.push_text("now")
    scene.until(lambda: scene.texts()[3:] == ["1 says now"])
    scene.until(lambda: not scene.sim.queue.pending())


def test_a_press_is_an_answer(scene: BotScene) -> None:
    scene.start(asking(120))
    scene.sim.push_text("/set")
    scene.until(scene.answered("How warm?"))
    scene.sim.press("cold")
    scene.until(scene.answered("It was 18.", "Sure about 2?"))
    scene.until(lambda: [text for _, text in scene.sim.methods.notices] == ["thanks"])
    assert keyboard(scene, 0) == []
    scene.sim.push_callback("stop")  # its own handler does not get it
    scene.until(scene.answered("It was 18.", "Sure about 2?", "stop: 18"))
    scene.until(lambda: len(scene.sim.methods.notices) == 2)
    scene.sim.push_callback("stop")
    scene.until(lambda: scene.texts()[-1] == "stopped")


def test_waiting_is_not_the_handlers_time(scene: BotScene) -> None:
    scene.extra = {"gateway": {"handler_timeout_s": 1}}
    scene.start(asking(3))
    scene.sim.push_text("/set")
    scene.until(scene.answered("How warm?"))
    asked = scene.sim.sent[0].at
    scene.until(scene.answered("How warm?", "Never mind."))
    assert 2.9 < scene.sim.sent[1].at - asked < 6
    scene.sim.push_text("/set")
    scene.until(lambda: len(scene.texts()) == 3)
    scene.sim.push_text("19")
    scene.until(lambda: len(scene.texts()) == 4)
    scene.sim.push_text("yes")
    scene.until(lambda: scene.texts()[4:] == ["yes: 19"])
    scene.until(lambda: not scene.sim.queue.pending())


def test_questions_from_generators_and_tasks(scene: BotScene) -> None:
    scene.start(asking(1))
    scene.sim.push_text("/both")
    scene.until(scene.answered("Well,", "what?"))
    scene.sim.push_text("this")
    scene.until(scene.answered("Well,", "what?", "this, then"))
    scene.sim.push_text("/task")
    scene.until(lambda: scene.texts()[-1] == "task: None")
    scene.sim.push_text("/task")
    scene.until(lambda: scene.texts()[-1] == "From a task?")
    scene.sim.push_text("yes")
    scene.until(lambda: scene.texts()[-1] == "task: yes")
    scene.sim.push_text("/wrong")
    scene.until(lambda: "timeout_s is 100000" in scene.texts()[-1])
    scene.until(lambda: not scene.sim.queue.pending())


def test_eight_people_are_asked_at_a_time(scene: BotScene) -> None:
    scene.start(asking(120), allow_from=["*"], limit=4)
    people = [7000000100 + number for number in range(9)]
    for person in people[:8]:
        scene.sim.push_text("/fail", user=person)
    scene.until(lambda: all(scene.texts(person) == ["How warm?"] for person in people[:8]))
    scene.sim.push_text("/fail", user=people[8])
    scene.until(scene.answered("8 questions are open already", chat=people[8]))
    scene.sim.push_text("warm", user=people[3])
    scene.until(lambda: not scene.sim.queue.pending())
    scene.sim.push_text("/fail", user=people[8])
    scene.until(lambda: scene.texts(people[8])[1:] == ["How warm?"])
    for person in (*people[:3], *people[4:]):
        scene.sim.push_text("cold", user=person)
    scene.sim.push_text("after", user=people[0])
    scene.until(lambda: scene.texts(people[0])[-1] == "100 says after")
    scene.until(lambda: not scene.sim.queue.pending())


def test_a_restart_forgets_a_question(scene: BotScene) -> None:
    scene.start(asking(120))
    scene.sim.push_text("/set")
    scene.until(scene.answered("How warm?"))
    scene.until(lambda: not scene.sim.queue.pending())
    scene.stop(kill=True)
    scene.start(asking(120))
    scene.sim.push_text("21")
    scene.until(scene.answered("How warm?", "1 says 21"))
