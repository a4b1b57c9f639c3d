"""handlers.parallel: chats that are served side by side, and the messages of one chat in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bot_scene import OTHER, BotScene
from scene import played, wanted

from host_tools.simulator.updates import USER

THIRD = 7000000003
FOURTH = 7000000004
PEOPLE = (USER, OTHER, THIRD, FOURTH)
SORRY = "Sorry, something went wrong while I was working on that."
LATE = "Sorry, that took too long and I gave it up."
SERVING = """\
import asyncio, gc, os
from copepod.handlers import on_button, on_command, on_text

EVENTS = {"a": asyncio.Event()}

async def let_go(name):
    print("begun", name)
    while True:
        try:
            os.stat("FOLDER/let-go-" + name)
            return
        except OSError:
            await asyncio.sleep_ms(20)

@on_command("event")
async def event(msg):
    print("begun event")
    await EVENTS["a"].wait()
    return "it came"

@on_command("set")
def set_(msg):
    EVENTS["a"].set()
    return "set"

@on_command("wait")
async def wait(msg):
    await let_go(msg.args)
    return "waited for " + msg.args

@on_command("fail")
async def fail(msg):
    await let_go(msg.args)
    raise ValueError("on purpose")

@on_command("crash")
async def crash(msg):
    await let_go(msg.args)
    raise KeyboardInterrupt  # as good as a reset: nothing after it runs

@on_command("deaf")
async def deaf(msg):
    print("begun deaf")
    while True:
        try:
            await asyncio.sleep_ms(100)
        except BaseException:
            print("it does not hear")

@on_command("parts")
async def parts(msg):
    await let_go(msg.args)
    yield "one, "
    await msg.answer("in between")
    yield "two"

@on_command("asks")
async def asks(msg):
    await let_go(msg.args)
    reply = await msg.ask("what?")
    print("heard", reply.text)
    await let_go("the end")
    return "it is " + reply.text

@on_command("live")
async def live(msg):
    await asyncio.sleep_ms(0)
    gc.collect()
    return str(gc.mem_alloc())

@on_button("press")
async def press(msg):
    await let_go("press")
    await msg.edit("pressed")

@on_text
async def text(msg):
    if len(msg.text) > 3000:
        return False
    print("heard", msg.text)
    return "heard " + msg.text

@on_text
async def long_text(msg):
    return msg.text[-3:]
"""
UNREAD = """\
import asyncio, os
from copepod.handlers import on_text

@on_text
async def unread(msg):
    if msg.sender_id == SENDER:
        print("begun unread")
        while True:
            try:
                os.stat("FOLDER/let-go-unread")
                break
            except OSError:
                await asyncio.sleep_ms(20)
    return "%d %s" % (len(msg.text), msg.text[-3:])
"""


class Side(BotScene):
    """A bot that serves several people, and handlers of it that wait until they are let go."""

    def begin(
        self, parallel: int | None = 2, bot: str = SERVING, limit: int = 1, timeout_s: int = 300
    ) -> None:
        """Start the gateway; None leaves it to the default."""
        self.extra = {} if parallel is None else {"handlers": {"parallel": parallel}}
        self.extra["gateway"] = {"handler_timeout_s": timeout_s}
        people = [str(person) for person in PEOPLE]
        self.start(bot.replace("FOLDER", str(self.folder)), allow_from=people, limit=limit)

    def wait_in(self, name: str, user: int = USER, command: str = "wait") -> None:
        """Have a handler wait."""
        self.sim.push_text(f"/{command} {name}", user=user)
        self.until(self.said(f"begun {name}"))

    def let_go(self, name: str) -> None:
        """What waits for this goes on."""
        (self.folder / f"let-go-{name}").touch()

    def settled(self) -> None:
        """All is answered and acknowledged."""
        self.until(lambda: not self.sim.queue.pending())

    def beside(self, text: str = "hello", user: int = OTHER) -> None:
        """Somebody is served while a handler waits for another."""
        before = self.texts(user)
        self.sim.push_text(text, user=user)
        self.until(self.answered(*before, f"heard {text}", chat=user))

    def live(self) -> int:
        """Bytes of the live heap."""
        count = len(self.texts(FOURTH))
        self.sim.push_text("/live", user=FOURTH)
        self.until(lambda: len(self.texts(FOURTH)) > count)
        return int(self.texts(FOURTH)[-1])

    def order(self) -> list[tuple[int, str]]:
        """Who was told what."""
        return [(sent.chat_id, sent.text) for sent in self.sim.sent]


@pytest.fixture(params=wanted())
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Side]:
    with played(Side(tmp_path, request.param), *PEOPLE[1:]) as made:
        yield made


@pytest.mark.parametrize("limit", [1, 10])
def test_others_are_served_beside_a_handler_that_waits(scene: Side, limit: int) -> None:
    scene.begin(None, limit=limit)
    scene.sim.push_text("/event")
    scene.until(scene.said("begun event"))
    scene.beside("one")
    scene.sim.push_text("two")  # has to wait for its turn
    scene.beside("three")
    assert scene.texts() == []
    scene.sim.push_text("/set", user=OTHER)
    scene.until(scene.answered("it came", "heard two"))
    scene.until(scene.answered("heard one", "heard three", "set", chat=OTHER))
    scene.settled()


def test_one_after_the_other_if_the_config_says_so(scene: Side) -> None:
    scene.begin(1, timeout_s=4)
    scene.wait_in("a")
    scene.sim.push_text("hello", user=OTHER)
    scene.until(lambda: len(scene.order()) == 2)
    assert scene.order() == [(USER, LATE), (OTHER, "heard hello")]
    scene.settled()


def test_the_messages_of_a_chat_stay_in_order(scene: Side) -> None:
    scene.begin()
    scene.wait_in("a")
    words = [str(number) for number in range(9)]
    for word in words[:3]:
        scene.sim.push_text(word)
    scene.beside()
    scene.sim.push_text("x" * 3900 + "end")  # too long to lie about: now nobody is served
    for word in words[3:]:
        scene.sim.push_text(word)
    scene.sim.push_text("later", user=OTHER)
    scene.let_go("a")
    heard = [f"heard {word}" for word in words]
    scene.until(scene.answered("waited for a", *heard[:3], "end", *heard[3:]))
    scene.until(scene.answered("heard hello", "heard later", chat=OTHER))
    scene.settled()


def test_more_messages_of_a_chat_than_may_lie_about(scene: Side) -> None:
    scene.begin()
    scene.wait_in("a")
    for number in range(12):
        scene.sim.push_text(str(number))
    scene.let_go("a")
    scene.until(scene.answered("waited for a", *[f"heard {number}" for number in range(12)]))
    scene.settled()


def test_a_third_chat_waits_for_one_of_two(scene: Side) -> None:
    scene.begin(2)
    scene.wait_in("a")
    scene.wait_in("b", OTHER)
    scene.sim.push_text("hello", user=THIRD)
    scene.let_go("a")  # the handler of b makes room once this one has ended
    scene.until(lambda: len(scene.order()) == 2)
    assert scene.order() == [(USER, "waited for a"), (THIRD, "heard hello")]
    scene.let_go("b")
    scene.until(scene.answered("waited for b", chat=OTHER))
    scene.settled()


def test_three_side_by_side_end_in_any_order(scene: Side) -> None:
    scene.begin(3)
    scene.wait_in("a")
    scene.wait_in("b", OTHER)
    scene.wait_in("c", THIRD)
    scene.sim.push_text("hello", user=FOURTH)
    scene.let_go("b")
    scene.until(lambda: len(scene.order()) == 2)
    assert scene.order() == [(OTHER, "waited for b"), (FOURTH, "heard hello")]
    scene.let_go("c")
    scene.until(scene.answered("waited for c", chat=THIRD))
    assert scene.sim.queue.pending()  # the first of them is open
    scene.let_go("a")
    scene.until(scene.answered("waited for a"))
    scene.settled()


def test_a_handler_beside_another_that_takes_too_long(scene: Side) -> None:
    scene.begin(timeout_s=3)
    scene.wait_in("a")
    scene.beside()
    scene.until(scene.answered(LATE))
    scene.sim.push_text("/deaf")
    scene.until(scene.said("begun deaf"))
    scene.beside("again")
    scene.until(scene.said("it does not hear"))
    scene.until(scene.answered(LATE, LATE))
    scene.beside("and again")
    scene.settled()


def test_a_handler_beside_another_that_fails(scene: Side) -> None:
    scene.begin()
    for _ in range(2):  # and its place is free again
        said = scene.texts()
        (scene.folder / "let-go-a").unlink(missing_ok=True)
        scene.sim.push_text("/fail a")
        scene.until(scene.said("begun a", len(said) + 1))
        scene.beside()
        scene.let_go("a")
        scene.until(scene.answered(*said, SORRY))
    scene.until(scene.said("ValueError: on purpose", 2))
    scene.settled()


def test_what_is_yielded_and_asked_beside_others(scene: Side) -> None:
    scene.begin()
    scene.wait_in("a", command="parts")
    scene.beside()
    scene.let_go("a")
    scene.until(scene.answered("one,", "in between", "two"))
    scene.wait_in("b", command="asks")
    scene.beside()
    scene.let_go("b")
    scene.until(lambda: scene.texts()[3:] == ["what?"])
    scene.settled()
    scene.wait_in("c", THIRD)  # it has the lane now
    scene.sim.push_text("this")
    scene.until(scene.said("heard this"))
    scene.let_go("c")
    scene.until(scene.answered("waited for c", chat=THIRD))
    scene.beside()
    scene.let_go("the end")
    scene.until(lambda: scene.texts()[4:] == ["it is this"])
    scene.settled()


def test_a_press_is_answered_and_its_message_edited_beside_others(scene: Side) -> None:
    scene.begin()
    scene.sim.push_callback("press")
    scene.until(scene.said("begun press"))
    scene.until(lambda: len(scene.sim.methods.notices) == 1)
    scene.beside()
    edits = len(scene.sim.calls_of("editMessageText"))
    scene.let_go("press")
    scene.until(lambda: len(scene.sim.calls_of("editMessageText")) == edits + 1)
    scene.settled()
    assert len(scene.sim.methods.notices) == 1


def test_a_long_text_that_was_not_read_is_not_lost(scene: Side) -> None:
    scene.begin(bot=UNREAD.replace("SENDER", str(USER)))
    scene.sim.push_text("я" * 3900 + "end")
    scene.until(scene.said("begun unread"))
    for number in range(2):
        scene.sim.push_text("x" * 4000 + f"{number:03}", user=OTHER)
    scene.until(scene.answered("4003 000", "4003 001", chat=OTHER))
    scene.let_go("unread")
    scene.until(scene.answered("3903 end"))
    scene.settled()


def test_a_kill_repeats_what_was_being_worked_on_and_nothing_else(scene: Side) -> None:
    scene.begin()
    scene.wait_in("a")
    for number in range(3):
        scene.beside(str(number))
    scene.sim.push_text("mine")
    scene.wait_in("b", OTHER)
    scene.stop(kill=True)
    scene.begin(limit=10, timeout_s=3)
    scene.until(scene.answered(LATE, "heard mine"))
    scene.until(scene.said("begun b"))
    device = scene.device
    assert device is not None
    lives = device.text()
    assert lives.index("gave up") < lives.index("begun b")  # one at a time, as it may be its fault
    scene.let_go("b")
    told = ["heard 0", "heard 1", "heard 2", "waited for b"]
    scene.until(scene.answered(*told, chat=OTHER))
    scene.beside("again", THIRD)
    scene.settled()
    assert scene.texts() == [LATE, "heard mine"]
    assert scene.texts(OTHER) == told


def test_who_brings_it_down_is_found_out_beside_others(scene: Side) -> None:
    scene.begin()
    scene.sim.push_text("before")
    scene.until(scene.answered("heard before"))
    scene.wait_in("a", command="crash")
    scene.beside("one")
    scene.wait_in("b", OTHER)
    for _ in range(2):
        scene.let_go("a")
        device = scene.device
        assert device is not None
        scene.until(lambda device=device: device.ended)
        scene.stop()
        scene.begin()
    scene.until(lambda: "brought me down twice" in scene.texts()[-1])
    scene.until(scene.said("begun b"))  # for which it is only the second time
    scene.let_go("b")
    scene.until(scene.answered("heard one", "waited for b", chat=OTHER))
    scene.settled()
    assert len(scene.texts()) == 2


def test_what_it_costs(scene: Side) -> None:
    """The figures of docs/bot.md, shown by `-rP`: of the last time, when all names are there."""
    scene.begin(3)
    figures = []
    for turn in range(4):
        idle = scene.live()
        names = ((f"a{turn}", USER), (f"b{turn}", OTHER))
        found = []
        for name, user in names:
            scene.wait_in(name, user)
            found.append(scene.live() - idle)
        for name, user in names:
            scene.let_go(name)
            scene.until(lambda name=name, user=user: f"waited for {name}" in scene.texts(user))
        scene.settled()
        figures.append([*found, scene.live() - idle])
    print("side by side", figures)
    first, second, left = figures[-1]
    words = 2 if scene.target.name == "unix" else 1
    assert first <= 2500 * words, figures
    assert second - first <= 1700 * words, figures
    assert left <= 64 * words, figures
