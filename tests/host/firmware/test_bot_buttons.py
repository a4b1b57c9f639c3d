"""Buttons below an answer, what a press does, and edits of what was said: the real gateway against the simulator."""

from __future__ import annotations

from bot_scene import BotScene, keyboard, scene  # noqa: F401

from host_tools.simulator import markup
from host_tools.simulator.updates import USER

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


def test_buttons_are_pressed_answered_and_edited(scene: BotScene) -> None:
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


def test_the_buttons_of_a_long_answer_are_below_its_last_piece(scene: BotScene) -> None:
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


def test_buttons_that_are_none_are_refused_by_name(scene: BotScene) -> None:
    scene.start(LAMP)
    scene.sim.push_text("/wrong")
    value, kind = "ValueError", "TypeError"
    told = ", ".join([value, value, kind, kind, kind, kind, value, value])
    scene.until(scene.answered(told))
    scene.sim.push_text("/url")
    scene.until(
        lambda: scene.texts()[-1].startswith("refused: 400 Bad Request: BUTTON_URL_INVALID")
    )


def test_an_answer_is_edited_and_goes_on_where_it_is_too_long(scene: BotScene) -> None:
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


def told_after(scene: BotScene, update: int, at: int) -> float:
    """Seconds from a press' delivery to its answer."""
    polls = [call for call in scene.sim.calls_of("getUpdates") if b"%d" % update in call.response]
    assert polls[0].done_at is not None
    return scene.sim.calls_of("answerCallbackQuery")[at].at - polls[0].done_at


def test_a_press_is_answered_within_a_second_whatever_its_handler_does(scene: BotScene) -> None:
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


def test_a_press_by_a_stranger_is_nothing(scene: BotScene) -> None:
    scene.start(LAMP)
    stranger = scene.sim.push_callback("On", user=7000000999)
    scene.until(lambda: stranger not in scene.sim.queue.pending())
    scene.sim.push_callback("dim:1")
    scene.until(scene.answered("1 of dim:1, 'callback'"))
    scene.until(lambda: scene.sim.methods.notices)
    assert len(scene.sim.calls_of("answerCallbackQuery")) == 1
    assert len(scene.sim.sent) == 1


def test_a_bot_of_rich_messages_has_buttons_and_edits(scene: BotScene) -> None:
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


def test_an_edit_that_is_limited_or_cut_off_is_made_once_more(scene: BotScene) -> None:
    scene.sim.fault("429", "editMessageText", retry_after=1)
    scene.sim.fault("close", "editMessageText", after=1, at="lost")
    scene.start(LAMP)
    scene.sim.push_text("/lamp")
    scene.until(scene.answered("The lamp is off."))
    scene.sim.press("On")
    scene.until(lambda: len(scene.sim.calls_of("editMessageText")) == 4)
    scene.until(lambda: not scene.sim.queue.pending())
    assert scene.texts() == ["The lamp is on."]
