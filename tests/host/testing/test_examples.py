"""The recipes in firmware/examples/, each as its reader would test it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from host_tools.app.tree import app_tree
from host_tools.paths import FIRMWARE, ROOT
from host_tools.simulator.updates import USER
from host_tools.testing.bot import Bot, BotFailed

EXAMPLES = FIRMWARE / "examples"
BOB = USER + 1


@pytest.fixture
def bot_file(request: pytest.FixtureRequest) -> Path:
    """The example that the test is called after."""
    return EXAMPLES / f"{request.node.name.removeprefix('test_')}.py"


def test_lamp(bot: Bot) -> None:
    reply = bot.say("/lamp")
    assert reply.text == "The lamp is off."
    assert reply.buttons == [["On", "Off"]]
    assert bot.press("On").html == "The lamp is <b>on</b>."
    assert bot.pin(2) == 1
    assert bot.press("On").notice == "It is on already."
    reply = bot.press("Off")
    assert (reply.text, reply.buttons, bot.pin(2)) == ("The lamp is off.", [["On", "Off"]], 0)


def test_thermometer(bot: Bot) -> None:
    bot.ds18x20(4, 19.5, 21.04)
    assert bot.say("/temperature").text == "It is 21.0 °C."
    assert bot.say("/limit 21").text == "I warn above 21 °C."
    bot.after(60)
    assert bot.next().text == "🔥 It is 21.0 °C, more than 21."
    bot.restart()
    bot.ds18x20(4, 22)
    bot.after(60)  # the limit was kept
    assert bot.next().text == "🔥 It is 22.0 °C, more than 21."


def test_doorbell(bot: Bot) -> None:
    bot.pin(4, 0)
    assert bot.next().text == "🔔 Somebody is at the door."
    bot.pin(4, 1)
    bot.say("hello")
    bot.pin(4, 0)
    with pytest.raises(BotFailed, match="until the bot sends a message"):
        bot.next(0.5)  # ten times as long as a press must last


def test_report(bot: Bot) -> None:
    bot.dht(15, 3.5)
    bot.after(300)
    bot.dht(15, 11, 80)
    bot.after(300)
    assert bot.say("/air").text == "11.0 °C, 80 % humidity."
    bot.at("07:30")
    assert bot.next().text == "Good morning. Since yesterday: 3.5 to 11.0 °C."


def test_plants(bot: Bot) -> None:
    bot.adc(34, 1300)
    assert bot.say("/soil").text == "The probe reads 1300: wet."
    bot.adc(34, 3000)
    seen: list[str] = []
    bot.around.on_change = seen.append
    bot.after(3600)
    assert bot.next().text == "🌱 The soil was dry: I have watered."
    assert seen == ["pin 5 = 1", "pin 5 = 0"]


def test_logbook(bot: Bot) -> None:
    assert bot.say("/log").text == "Nothing is written yet."
    assert bot.say("/logfile").text == "It is not there yet."
    for reading in (100, 200, 300):
        bot.adc(34, reading)
        bot.after(600)
    lines = bot.say("/log 2").text.splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["200", "300"]
    assert all(re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d,", line) for line in lines)
    reply = bot.say("/logfile")
    assert reply.html == "Time, <b>reading</b>"
    (file,) = reply.files
    assert file.name == "log.csv"
    assert file.data.decode().splitlines()[1:] == lines


def test_camera(bot: Bot) -> None:
    reply = bot.say("/photo")
    assert reply.html == "The <b>door</b>, now."
    (picture,) = reply.files
    assert picture.data.startswith(b"\xff\xd8\xff")
    assert reply.messages[0].kind == "photo"
    bot.pin(13, 0)
    bot.pin(13, 1)
    moved = bot.next()
    assert moved.text == "Something moves."
    assert moved.file is not None
    assert moved.file.data == picture.data


def test_inbox(bot: Bot) -> None:
    assert bot.send_file(b"1,2\n3,4\n", "table.csv").text == "I have kept table.csv, 8 bytes."
    assert bot.send_file(b"x" * 60000, "large.bin").text == (
        "I keep nothing: inbox/large.bin: 60000 bytes, at most 50000"
    )
    bot.send_file(b"\xff\xd8\xff", "door.jpg", kind="photo")
    assert bot.say("/files").text == "photo.jpg, table.csv"
    (file,) = bot.say("/get table.csv").files
    assert (file.name, file.data) == ("table.csv", b"1,2\n3,4\n")
    assert bot.say("/get ../bot.py").text == "I have no such file."
    assert bot.send_file(b"x", "y.txt", user=BOB).text == "Only my owner may do that."


def test_family(bot: Bot) -> None:
    assert bot.say("/tell hi").text == "/join first, and then /tell what?"
    assert bot.say("/join Ada").text == "Here are: Ada"
    assert bot.say("/join Bob", user=BOB).text == "Here are: Ada, Bob"
    bot.restart()
    reply = bot.say("/tell Dinner!")
    assert reply.text == "1 have heard it."
    assert [sent.html for sent in bot.sim.sent if sent.chat_id == BOB][-1] == "<b>Ada</b>: Dinner!"
    assert bot.say("/leave", user=BOB).text == "Goodbye."


def test_reboot(bot: Bot) -> None:
    assert bot.say("/reboot", user=BOB).text == "Only my owner may do that."
    assert bot.say("/reboot").buttons == [["Reboot", "No"]]
    assert bot.press("No").text == "I stay."
    bot.say("/reboot")
    assert bot.press("Reboot").text == "See you in a moment."
    bot.wait_for_reset()
    assert bot.next().text == "I am back."


def test_conversation(bot: Bot) -> None:
    assert bot.say("/egg").buttons == [["soft", "medium", "hard"]]
    assert bot.say("hello", user=BOB).text == "hello"  # served meanwhile
    assert bot.press("soft").text == "I call you in 4 minutes."
    bot.say("/egg")
    assert bot.say("raw").text == "I know soft, medium, hard."


def test_each_is_short_tested_and_listed_and_none_is_on_a_board() -> None:
    page = (ROOT / "docs/bot.md").read_text()
    recipes = page.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    listed = re.findall(r"\]\(\.\./firmware/examples/(\w+)\.py\)", recipes)
    names = [path.stem for path in EXAMPLES.glob("*.py")]
    assert sorted(listed) == sorted(names)
    assert {f"test_{name}" for name in names} <= globals().keys()
    assert all(len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 50 for name in names)
    on_board = {path.stem for path in app_tree().rglob("*")}
    assert not on_board & (set(names) - {"report"} | {"examples"})
