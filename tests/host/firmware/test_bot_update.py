"""A bot.py that the owner sends to the bot: tried, kept or given up; the real gateway against the simulator."""

from __future__ import annotations

import pytest
from update_scene import GIVEN_UP, KEPT, NEW, OLD, OTHER, RUNS_ON, Updated, received, scene  # noqa: F401

from host_tools.simulator.server import BOT_USERNAME
from host_tools.simulator.updates import USER

# --- what becomes of it


@pytest.mark.parametrize("old", ["", OLD, "from copepod.files import on_file\n" + OLD])
def test_one_that_works_is_kept(scene: Updated, old: str) -> None:
    scene.start(old)
    update = scene.send(NEW)
    scene.restarted()
    assert scene.bot == old
    scene.until(lambda: scene.texts()[-1:] == [KEPT])
    assert scene.texts() == [received(NEW), KEPT]
    assert scene.sim.sent[0].reply_to is not None
    assert scene.bot == NEW
    assert not scene.trial.exists()
    scene.until(lambda: scene.sim.confirmed >= update)
    scene.says("a", "new: a")
    scene.stop()
    scene.start()
    scene.says("b", "new: b")
    assert scene.texts()[2:] == ["new: a", "new: b"]


WRONG = {
    "no Python": ("def a(:\n  pass\n", "bot.py, line 1: SyntaxError: invalid syntax"),
    "at the end": (OLD + "\n(\n", "bot.py, line 8: SyntaxError: invalid syntax"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_python_is_not_tried(scene: Updated, case: str) -> None:
    bot, reason = WRONG[case]
    scene.start(OLD)
    scene.send(bot)
    scene.until(lambda: scene.texts())
    assert scene.texts() == [RUNS_ON + reason]
    scene.says("a", "old: a")
    assert scene.bot == OLD
    assert [path.name for path in scene.trial.parent.iterdir()] == []
    scene.send(NEW)  # and the next one is
    scene.restarted()
    scene.until(lambda: scene.texts()[-1:] == [KEPT])


HIDDEN = "raise ValueError('a\\x1b[2J\\n```\\u202e @cp1 123456:' + 'A' * 35)"
FAILS = {
    "name": ("x = 1\n\nx = y\n", "bot.py, line 3: NameError: name 'y' isn't defined"),
    "deeper": (
        "def a():\n    return b()\n\ndef b():\n    1 / 0\n\na()\n",
        "bot.py, line 5: ZeroDivisionError: divide by zero",
    ),
    "import": (
        "import nothing_here\n",
        "bot.py, line 1: ImportError: no module named 'nothing_here'",
    ),
    "timer": (
        "from copepod.timers import cron\n\n@cron('61 * * * *')\ndef a():\n    pass\n",
        "bot.py, line 3: ValueError: cron('61 * * * *'): minute: '61' is not 0 to 59",
    ),
    "exit": ("import sys\nsys.exit(3)\n", "bot.py, line 2: SystemExit: 3"),
    "memory": ("x = bytearray(100000000)\n", "bot.py, line 1: MemoryError: "),
    "hidden": (HIDDEN, "bot.py, line 1: ValueError: a\\x1b[2J\\n```\\u202e \\x40cp1 123456:***"),
}


@pytest.mark.parametrize("case", FAILS)
def test_one_that_can_not_be_loaded_is_given_up_at_once(scene: Updated, case: str) -> None:
    bot, reason = FAILS[case]
    scene.start(OLD)
    update = scene.send(bot)
    scene.restarted()  # to try it
    scene.restarted()  # to have the old one back
    scene.until(lambda: len(scene.texts()) == 2)
    assert scene.texts()[0] == received(bot)
    assert scene.texts()[1].startswith(GIVEN_UP + reason), scene.texts()[1]
    assert "\n" not in scene.texts()[1].removeprefix(GIVEN_UP)
    scene.says("a", "old: a")
    scene.until(lambda: scene.sim.confirmed >= update)
    assert scene.bot == OLD
    assert not scene.trial.exists()
    assert len(scene.texts()) == 3


LOOPS = {
    "at import": ("print('it loops')\nwhile True:\n    pass\n", None),
    "in a timer": (
        "from copepod.timers import every\n\n@every(1)\ndef a():\n"
        "    print('it loops')\n    while True:\n        pass\n",
        None,
    ),
    "at the first message": (
        "from copepod.handlers import on_text\n\n@on_text\ndef a(msg):\n"
        "    print('it loops')\n    while True:\n        pass\n",
        "go",
    ),
}


@pytest.mark.parametrize("case", LOOPS)
def test_one_that_hangs_is_given_up_after_three_starts(scene: Updated, case: str) -> None:
    """A process has no watchdog: somebody ends it. What a board's does is in tests/host/targets/test_whole_board.py."""
    scene.trial_s = 60
    bot, says = LOOPS[case]
    scene.start(OLD)
    scene.send(bot)
    scene.restarted()
    for _ in range(3):
        if says:
            scene.until(scene.said(" steady "))
            scene.sim.push_text(says)  # the one before may be left alone, after two starts
        scene.until(scene.said("it loops"))
        scene.stop(kill=True)
        scene.start()
    told = GIVEN_UP + "it was started 3 times, and ended before it was kept"
    scene.until(lambda: told in scene.texts())
    assert scene.texts().count(told) == 1
    assert scene.bot == OLD
    scene.says("a", "old: a")
    assert ("old: go" in scene.texts()) == bool(says)


def test_one_whose_handler_fails_is_kept(scene: Updated) -> None:
    """That is between the bot and who talks to it: the gateway is steady."""
    bot = "from copepod.handlers import on_text\n\n@on_text\ndef a(msg):\n    return b\n"
    scene.start(OLD)
    scene.send(bot)
    scene.restarted()
    scene.says("a", "Sorry, something went wrong while I was working on that.")
    scene.until(lambda: KEPT in scene.texts())
    assert scene.bot == bot


def test_one_that_brings_the_gateway_down_is_given_up(scene: Updated) -> None:
    scene.trial_s = 60
    bot = "from copepod.handlers import on_start\n\n@on_start\ndef a():\n    raise KeyboardInterrupt\n"
    scene.start(OLD)
    scene.send(bot)
    scene.restarted()
    for _ in range(3):
        device = scene.device
        assert device is not None
        scene.until(lambda device=device: device.ended)
        scene.stop()
        scene.start()
    scene.until(lambda: len(scene.texts()) == 2)
    assert scene.texts()[1].startswith(GIVEN_UP + "it was started 3 times")
    scene.says("a", "old: a")


def test_one_that_is_never_steady_is_given_up(scene: Updated) -> None:
    scene.start(OLD)
    scene.send(NEW)
    fault = scene.sim.fault("500", "getUpdates", count=None, after=1)
    scene.restarted()
    device = scene.device
    assert device is not None
    scene.until(lambda: device.ended, 40)  # ten times trial_s
    fault.count = 0
    scene.restarted()
    told = GIVEN_UP + "it was never steady for 1 s"
    scene.until(lambda: scene.texts() == [received(NEW), told])
    scene.says("a", "old: a")


def test_a_second_one_waits_until_the_first_is_kept(scene: Updated) -> None:
    scene.trial_s = 3
    scene.start(OLD)
    scene.send(NEW)
    scene.restarted()
    scene.send(OLD)
    scene.until(lambda: KEPT in scene.texts())
    waits = "A bot.py is being tried. Send this one when you know how it went."
    assert scene.texts() == [received(NEW), waits, KEPT]
    assert scene.bot == NEW


# --- from whom, and what


@pytest.mark.parametrize("old", ["", OLD])
@pytest.mark.parametrize(
    "case", ["another's", "a group", "another name", "upper case", "no owner", "off"]
)
def test_anything_else_is_an_ordinary_document(scene: Updated, old: str, case: str) -> None:
    name, who, allow = "bot.py", {}, [str(USER), str(OTHER)]
    chat = USER
    if case == "another's":
        who, chat = {"user": OTHER}, OTHER
    elif case == "a group":
        chat = -100500
        who = {
            "chat": {"id": chat, "type": "group", "title": "all"},
            "caption": f"@{BOT_USERNAME}",
        }
    elif case == "another name":
        name = "my_bot.py"
    elif case == "upper case":
        name = "Bot.py"
    elif case == "no owner":
        allow = ["*", "ann"]
    elif case == "off":
        scene.config = {"updates": False}
    device = scene.start(old, allow_from=allow)
    scene.send(NEW, name, **who)
    scene.until(lambda: scene.texts(chat))
    scene.until(lambda: not scene.sim.queue.pending())
    (said,) = scene.texts(chat)
    assert said.endswith("[file]") or said.startswith("old: "), said
    assert not device.ended
    assert not scene.trial.parent.exists()
    assert scene.sim.calls_of("getFile") == []
    assert scene.bot == old


def test_a_caption_that_is_a_command_has_that_commands_handler(scene: Updated) -> None:
    scene.start(OLD)
    scene.send(NEW, caption="/ping")
    scene.until(lambda: scene.texts() == ["pong"])
    scene.send(NEW, caption="the new one")
    scene.restarted()
    scene.until(lambda: KEPT in scene.texts())


ASKS = """\
from copepod.handlers import on_text

@on_text
async def text(msg):
    while True:
        msg = await msg.ask("And?")
        print("heard", msg.text, msg.command)
"""


def test_it_is_no_answer_to_a_question(scene: Updated) -> None:
    scene.start(ASKS)
    scene.says("a", "And?", OTHER)
    scene.send(NEW, user=OTHER)  # of another it is
    scene.until(scene.said("heard [file] None"))
    scene.says("a", "And?")
    scene.send(NEW)
    scene.restarted()
    scene.until(lambda: KEPT in scene.texts())


def test_with_on_file_it_is_an_update_all_the_same(scene: Updated) -> None:
    bot = OLD + (
        "\nfrom copepod.files import on_file\n\n@on_file\nasync def a(msg):\n"
        "    return '%s %s' % (msg.file.name, msg.command)\n"
    )
    scene.start(bot)
    scene.send(NEW, user=OTHER)
    scene.until(lambda: scene.texts(OTHER) == ["bot.py None"])
    scene.send(NEW, "a.py")
    scene.until(lambda: scene.texts() == ["a.py None"])
    scene.send(NEW)
    scene.restarted()
    scene.until(lambda: KEPT in scene.texts())


def test_one_that_is_too_large(scene: Updated) -> None:
    scene.start(OLD)
    scene.send("#" * 65537)
    scene.until(lambda: scene.texts() == ["Your bot.py is not taken: 65537 bytes, at most 65536"])
    assert [path.name for path in scene.trial.parent.iterdir()] == []
    whole = NEW + "#" * (65536 - len(NEW))
    scene.send(whole)
    scene.restarted()
    scene.until(lambda: KEPT in scene.texts(), 40)
    assert scene.bot == whole


FULL = """
import os
import sys

class Full:  # `os` of a board whose flash has six blocks left
    def __getattr__(self, name):
        return getattr(os, name)
    def statvfs(self, path):
        return (4096, 4096, 512, 6, 6)

sys.modules["os"] = Full()
"""


def test_flash_that_is_full(scene: Updated) -> None:
    scene.start(OLD + FULL)
    scene.send(NEW + "#" * 9000)
    told = f"Your bot.py is not taken: {len(NEW) + 9000} bytes, there is room for 8192"
    scene.until(lambda: scene.texts() == [told])
    assert [path.name for path in scene.trial.parent.iterdir()] == []
    scene.says("a", "old: a")


def test_what_can_not_be_noted_is_not_tried(scene: Updated) -> None:
    (scene.trial.parent / "marker.new").mkdir(parents=True)
    scene.start(OLD)
    scene.send(NEW)
    scene.until(lambda: scene.texts())
    assert scene.texts()[0].startswith("Your bot.py is not taken: [Errno 21]"), scene.texts()
    scene.says("a", "old: a")
    assert not scene.trial.exists()


def test_telegram_does_not_give_it(scene: Updated) -> None:
    scene.start(OLD)
    scene.sim.fault("400", "getFile", description="Bad Request: wrong file_id")
    scene.send(NEW)
    scene.until(lambda: scene.texts())
    assert scene.texts()[0].startswith(
        "Your bot.py is not taken: Telegram does not give the file: 400"
    )
    scene.says("a", "old: a")


def test_a_folder_that_can_not_be_written(scene: Updated) -> None:
    scene.start(OLD)
    (scene.folder / ".trial").write_text("")  # no folder
    scene.send(NEW)
    scene.until(lambda: scene.texts())
    assert scene.texts()[0].startswith("Your bot.py is not taken: "), scene.texts()
    scene.says("a", "old: a")
    assert scene.bot == OLD
