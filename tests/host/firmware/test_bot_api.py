"""What a bot.py can say and do, one feature after the other: the real gateway against the simulator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scene as scene_module
from scene import HEAPS, played, wanted

from host_tools.paths import ROOT
from host_tools.simulator import markup
from host_tools.simulator.updates import USER
from host_tools.targets.target import Device

OTHER = 7000000002


class Scene(scene_module.Scene):
    """With a bot.py, and two people who may talk to it."""

    extra: dict[str, Any] = {}  # noqa: RUF012  of the config

    def start(self, bot: str, **telegram: Any) -> Device:
        """Start the gateway with this bot.py."""
        channel = {"allow_from": [str(USER), str(OTHER)]} | telegram
        extra = {"channels": {"telegram": channel}} | self.extra
        return self.launch(extra, bot=bot, heap=HEAPS[self.target.name])


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with played(Scene(tmp_path, request.param), OTHER) as made:
        yield made


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


# --- answers

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


def test_what_a_handler_returns_is_sent_as_it_comes(scene: Scene) -> None:
    scene.start(ANSWERS)
    for command in ("list", "generator", "tuple", "async", "nothing"):
        scene.sim.push_text(f"/{command}")
    scene.sim.push_text("hello")
    scene.until(scene.answered("one, two", "three four", "five, six", "seven, eight", "told"))
    scene.until(lambda: not scene.sim.queue.pending())


def test_what_is_said_between_two_yields_is_a_message_of_its_own(scene: Scene) -> None:
    scene.start(ANSWERS)
    scene.sim.push_text("/between")
    scene.until(scene.answered("a", "B", "c,", "d"))
    calls = [call.method for call in scene.sim.calls if call.params.get("text")]
    assert calls == ["sendMessage", "sendMessage", "sendMessage", "editMessageText", "sendMessage"]
    scene.sim.push_text("/given")
    scene.until(scene.answered("a", "B", "c,", "d", "e,", "f", "g"))
    scene.until(lambda: not scene.sim.queue.pending())


# --- buttons and edits

LAMP = """\
from copepod.handlers import on_button, on_command, on_text

SWITCH = [["On", "Off"], [("Dim", "dim:50"), ("Docs", "https://lamp.example/docs")]]

@on_command("lamp")
async def lamp(msg):
    sent = await msg.answer("The lamp is **off**.", buttons=SWITCH)
    print("sent", sent.message_id, sent.chat_id)

@on_button("On")
async def on(msg):
    print("notice", msg.notice("done"), msg.notice("twice"))
    await msg.edit("The lamp is **on**.", buttons=SWITCH)
    await msg.edit("The lamp is **on**.", buttons=SWITCH)  # which is no failure

@on_button("dim:")
def dim(msg):
    return "%s of %s, %r" % (msg.args, msg.data, msg.kind)

@on_button("dim:full:")
def full(msg):
    return "full " + msg.args

@on_button("bad")
async def bad(msg):
    raise ValueError("no lamp")

@on_command("long")
async def long(msg):
    words = "word " * 1500
    await msg.answer(words + "end", buttons=[["More"]])

@on_command("tail")
async def tail(msg):
    # What comes behind the text shows nothing, and is more than the formatter holds at a time.
    links = ["[%d]: https://e.example/%s\\n" % (number, "x" * 900) for number in range(14)]
    await msg.answer("word " * 818 + "\\n\\n" + "".join(links), buttons=[["Tail"]])

@on_command("wrong")
async def wrong(msg):
    told = []
    for buttons in ([["x" * 65]], [[("a", "")]], ["ab"], "ab", [[("a", "b", "c")]], [[5]], [[" "]], [[("", "b")]]):
        try:
            await msg.answer("never", buttons=buttons)
        except (TypeError, ValueError) as error:
            told.append(type(error).__name__)
    await msg.answer(", ".join(told))

@on_command("url")
async def url(msg):
    from copepod.messages import AnswerRefused
    try:
        await msg.answer("never", [[("a", "https://nowhere")]])
    except AnswerRefused as error:
        await msg.answer("refused: %s" % error)

@on_command("rewrite")
async def rewrite(msg):
    try:
        await msg.edit("nothing yet")
    except RuntimeError as error:
        await msg.answer(str(error))
    sent = await msg.answer("draft", buttons=[["Keep"]])
    await msg.edit("**better**")
    last = await sent.edit("word " * 1000 + "end", buttons=[["Long"]])
    await last.edit("the rest")
    scene.append(sent)

@on_command("lost")
async def lost(msg):
    from copepod.messages import AnswerRefused
    try:
        await scene[0].edit("too late")
    except AnswerRefused as error:
        await msg.answer("refused: %s" % error)

scene = []

@on_text
def text(msg):
    return "%s: %s" % (msg.kind, msg.text)
"""


def keyboard(scene: Scene, at: int = -1) -> list[list[str]]:
    """What stands on the buttons below one of the bot's messages."""
    return markup.labels(scene.sim.sent[at].markup)


def test_buttons_are_pressed_answered_and_edited(scene: Scene) -> None:
    scene.start(LAMP)
    scene.sim.push_text("/lamp")
    scene.until(scene.answered("The lamp is off."))
    (sent,) = scene.sim.sent
    assert keyboard(scene) == [["On", "Off"], ["Dim", "Docs"]]
    assert markup.buttons(sent.markup)[3] == {"text": "Docs", "url": "https://lamp.example/docs"}
    scene.until(scene.said(f"sent {sent.message_id} {USER}"))
    scene.sim.press("On")
    scene.until(lambda: len(scene.sim.calls_of("editMessageText")) == 2)
    scene.until(lambda: scene.sim.methods.notices)
    assert [text for _, text in scene.sim.methods.notices] == ["done"]
    scene.until(scene.said("notice True False"))
    assert scene.texts() == ["The lamp is on."]
    assert keyboard(scene) == [["On", "Off"], ["Dim", "Docs"]]
    scene.sim.press("Dim")
    scene.until(lambda: scene.texts()[-1] == "50 of dim:50, 'callback'")
    scene.sim.push_callback("dim:full:now")
    scene.until(lambda: scene.texts()[-1] == "full now")
    scene.sim.press("Off")  # there is no handler for it
    scene.until(lambda: scene.texts()[-1] == "callback: Off")
    scene.sim.push_callback("bad")
    scene.until(lambda: "something went wrong" in scene.texts()[-1])
    scene.until(lambda: len(scene.sim.methods.notices) == 5)
    assert [text for _, text in scene.sim.methods.notices] == ["done", "", "", "", ""]
    scene.until(lambda: not scene.sim.queue.pending())


def test_the_buttons_of_a_long_answer_are_below_its_last_piece(scene: Scene) -> None:
    scene.start(LAMP)
    scene.sim.push_text("/long")
    scene.until(lambda: scene.texts() and scene.texts()[-1].endswith("end"))
    assert len(scene.sim.sent) == 2
    assert [keyboard(scene, at) for at in (0, 1)] == [[], [["More"]]]
    scene.sim.push_text("/tail")
    scene.until(lambda: scene.sim.calls_of("editMessageReplyMarkup"))
    scene.until(lambda: keyboard(scene) == [["Tail"]])
    assert len(scene.sim.sent) == 3
    scene.until(lambda: not scene.sim.queue.pending())


def test_buttons_that_are_none_are_refused_by_name(scene: Scene) -> None:
    scene.start(LAMP)
    scene.sim.push_text("/wrong")
    value, kind = "ValueError", "TypeError"
    told = ", ".join([value, value, kind, kind, kind, kind, value, value])
    scene.until(scene.answered(told))
    scene.sim.push_text("/url")
    scene.until(
        lambda: scene.texts()[-1].startswith("refused: 400 Bad Request: BUTTON_URL_INVALID")
    )


def test_an_answer_is_edited_and_goes_on_where_it_is_too_long(scene: Scene) -> None:
    scene.start(LAMP)
    scene.sim.push_text("/rewrite")
    scene.until(lambda: len(scene.texts()) == 3 and scene.texts()[-1] == "the rest")
    assert scene.texts()[0] == "nothing was answered that could be edited"
    first, second, last = scene.sim.sent
    assert second.text.startswith("word word")
    assert len(second.text) > 4000
    assert (keyboard(scene, 1), keyboard(scene, 2)) == ([], [])  # the last edit left none
    edited = [call.params["message_id"] for call in scene.sim.calls_of("editMessageText")]
    assert edited == [second.message_id, second.message_id, last.message_id]
    long = [call for call in scene.sim.calls_of("sendMessage") if "reply_markup" in call.params]
    assert [markup.labels(call.params["reply_markup"]) for call in long] == [
        [["Keep"]],
        [["Long"]],
    ]
    scene.sim.chats.from_bot.pop((USER, second.message_id))
    scene.sim.push_text("/lost")
    scene.until(lambda: "message can't be edited" in scene.texts()[-1])
    assert first.text == scene.texts()[0]


SLOW_PRESS = """\
import asyncio
from copepod.handlers import on_button

@on_button("slow")
async def slow(msg):
    await asyncio.sleep(3)
    return "after all: %s" % msg.notice("late")

@on_button("quick")
async def quick(msg):
    msg.notice("quick")
    await asyncio.sleep(3)
    return "done"
"""


def told_after(scene: Scene, update: int, at: int) -> float:
    """Seconds from a press' delivery to its answer."""
    polls = [call for call in scene.sim.calls_of("getUpdates") if b"%d" % update in call.response]
    assert polls[0].done_at is not None
    return scene.sim.calls_of("answerCallbackQuery")[at].at - polls[0].done_at


def test_a_press_is_answered_within_a_second_whatever_its_handler_does(scene: Scene) -> None:
    scene.start(SLOW_PRESS)
    scene.until(scene.said("steady"))
    slow = scene.sim.push_callback("slow")
    scene.until(lambda: scene.sim.calls_of("answerCallbackQuery"))
    assert 0.9 < told_after(scene, slow, 0) < 1.6
    scene.until(scene.answered("after all: False"))
    quick = scene.sim.push_callback("quick")
    scene.until(lambda: len(scene.sim.methods.notices) == 2)
    assert told_after(scene, quick, 1) < 0.5
    assert [text for _, text in scene.sim.methods.notices] == ["", "quick"]
    scene.until(scene.answered("after all: False", "done"))


def test_a_press_by_a_stranger_is_nothing(scene: Scene) -> None:
    scene.start(LAMP)
    stranger = scene.sim.push_callback("On", user=7000000999)
    scene.until(lambda: stranger not in scene.sim.queue.pending())
    scene.sim.push_callback("dim:1")
    scene.until(scene.answered("1 of dim:1, 'callback'"))
    scene.until(lambda: scene.sim.methods.notices)
    assert len(scene.sim.calls_of("answerCallbackQuery")) == 1
    assert len(scene.sim.sent) == 1


def test_a_bot_of_rich_messages_has_buttons_and_edits(scene: Scene) -> None:
    scene.sim.methods.rich = True
    scene.start(LAMP, rich_messages=True)
    scene.sim.push_text("/lamp")
    scene.until(scene.answered("The lamp is **off**."))
    assert keyboard(scene) == [["On", "Off"], ["Dim", "Docs"]]
    scene.sim.press("On")
    scene.until(lambda: len(scene.sim.calls_of("editMessageText")) == 2)
    scene.until(scene.answered("The lamp is on."))
    assert [c.method for c in scene.sim.calls if c.method.startswith("send")] == [
        "sendRichMessage"
    ]


def test_an_edit_that_is_limited_or_cut_off_is_made_once_more(scene: Scene) -> None:
    scene.sim.fault("429", "editMessageText", retry_after=1)
    scene.sim.fault("close", "editMessageText", after=1, at="lost")
    scene.start(LAMP)
    scene.sim.push_text("/lamp")
    scene.until(scene.answered("The lamp is off."))
    scene.sim.press("On")
    scene.until(lambda: len(scene.sim.calls_of("editMessageText")) == 4)
    scene.until(lambda: not scene.sim.queue.pending())
    assert scene.texts() == ["The lamp is on."]


BROKEN = """\
from copepod.handlers import on_command

@on_command("fine")
async def fine(msg):
    await msg.answer("fine", buttons=[["On"]])

raise ValueError("half way")
"""


def test_a_mistake_in_bot_py_leaves_what_was_registered_before_it(scene: Scene) -> None:
    scene.start(BROKEN)
    scene.until(scene.said("bot.py can't be used: half way"))
    scene.sim.push_text("/fine")
    scene.until(scene.answered("fine"))


TYPING = """\
import asyncio
from copepod.handlers import on_text

@on_text
async def text(msg):
    await asyncio.sleep_ms(int(msg.text))
    return msg.text
"""


def test_who_waits_for_a_handler_sees_that_it_is_at_work(scene: Scene) -> None:
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


# --- questions

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
    scene: Scene, limit: int
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


def test_a_press_is_an_answer(scene: Scene) -> None:
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


def test_waiting_is_not_the_handlers_time(scene: Scene) -> None:
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


def test_questions_from_generators_and_tasks(scene: Scene) -> None:
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


def test_eight_people_are_asked_at_a_time(scene: Scene) -> None:
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


def test_a_restart_forgets_a_question(scene: Scene) -> None:
    scene.start(asking(120))
    scene.sim.push_text("/set")
    scene.until(scene.answered("How warm?"))
    scene.until(lambda: not scene.sim.queue.pending())
    scene.stop(kill=True)
    scene.start(asking(120))
    scene.sim.push_text("21")
    scene.until(scene.answered("How warm?", "1 says 21"))


# --- unasked

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


def test_a_bot_says_something_at_start_to_its_owner(scene: Scene) -> None:
    scene.start(UNASKED)
    scene.until(scene.answered("I am here."))
    assert scene.sim.sent[0].reply_to is None
    scene.sim.press("Stop")
    scene.until(scene.answered("I am here.", "stopped"))
    scene.sim.push_text("/wrong")
    scene.until(lambda: scene.texts()[-1] == "chat_id: an int, not None")


def test_a_long_poll_is_left_for_what_is_said_unasked(scene: Scene) -> None:
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


def test_what_is_said_while_the_network_is_away_waits_its_turn(scene: Scene) -> None:
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


def unsent(scene: Scene) -> str:
    """What is kept of the bot's durable messages."""
    (path,) = scene.folder.glob("**/*.unsent.jsonl")
    return path.read_text()


def test_a_durable_message_is_sent_after_a_restart(scene: Scene) -> None:
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


def test_a_damaged_line_of_what_is_kept_is_dropped(scene: Scene) -> None:
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


# --- the page


def example(section: str) -> str:
    """The program in a section of docs/bot.md."""
    page = (ROOT / "docs/bot.md").read_text()
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return text.partition("```python\n")[2].partition("```")[0]


def test_the_examples_on_the_page_do_what_they_say(scene: Scene) -> None:
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


def test_the_bot_that_is_shipped_does_what_its_comments_show(scene: Scene) -> None:
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


def live(scene: Scene) -> int:
    """The live heap when nothing goes on."""
    device = scene.device
    assert device is not None
    seen = len(device.frames.frames)
    assert device.wait(lambda: len(device.frames.frames) >= seen + 2, 20)
    found = device.frames.frames[-1]["gc_live"]
    assert found is not None
    return int(found)


def test_the_live_heap_does_not_grow(scene: Scene) -> None:
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
