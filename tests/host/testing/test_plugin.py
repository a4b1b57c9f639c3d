"""The plugin for tests of one's own bot, as pytest runs it in a folder of somebody else's."""

from __future__ import annotations

import re

import pytest

from host_tools.paths import ROOT

README_BOT = re.findall(
    r"^```python\n(# bot\.py.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
)


HANDLER = "from copepod.handlers import on_text\n\n@on_text\ndef f(msg):\n    return {}\n"

pytest_plugins = ["pytester"]


def run(folder: pytest.Pytester, *arguments: str) -> tuple[int, str]:
    """Run pytest in that folder, in this process."""
    done = folder.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments
    )
    return int(done.ret), "\n".join(done.outlines + done.errlines)


def test_the_bot_of_readme_as_printed(pytester: pytest.Pytester) -> None:
    assert len(README_BOT) == 1
    (pytester.path / "bot.py").write_text(README_BOT[0])
    (pytester.path / "tests").mkdir()
    (pytester.path / "tests/test_lamp.py").write_text(
        """\
def test_the_lamp(bot):
    reply = bot.say("/led on")
    assert reply.text == "The light is on."
    assert reply.html == "The light is <b>on</b>."
    assert bot.pin(2) == 1
    assert bot.say("/led off").text == "The light is off."
    assert bot.pin(2) == 0

def test_each_has_a_bot_of_its_own(bot):
    assert bot.pin(2) == 0
    assert bot.say("hello").text == "hello"
    bot.restart()
    assert bot.say("there").text == "there"
"""
    )
    status, told = run(pytester, "tests")
    assert "2 passed" in told, told
    assert status == 0


@pytest.mark.parametrize(
    ("bot", "line"),
    [
        ("import nothing_of_this_name\n", 'File "{path}", line 1'),
        (HANDLER.format("1 / 0"), 'File "{path}", line 5, in f'),
    ],
)
def test_a_mistake_of_the_bots_fails_with_its_line(
    pytester: pytest.Pytester, bot: str, line: str
) -> None:
    (pytester.path / "bot.py").write_text(bot)
    (pytester.path / "test_it.py").write_text("def test_it(bot):\n    bot.say('x')\n")
    status, told = run(pytester)
    assert status == 1
    assert line.format(path=pytester.path / "bot.py") in told, told


def test_where_the_bot_is(pytester: pytest.Pytester) -> None:
    test = pytester.path / "a/b/test_it.py"
    test.parent.mkdir(parents=True)
    test.write_text("def test_it(bot):\n    assert bot.say('x').text == 'mine'\n")
    status, told = run(pytester, "a")
    assert status == 1
    assert "no bot.py beside test_it.py or above it; --bot names one" in told
    (pytester.path / "other.py").write_text(HANDLER.format("'mine'"))
    assert run(pytester, "a", "--bot", "other.py")[0] == 0
    (pytester.path / "pytest.ini").write_text("[pytest]\ncopepod_bot = other.py\n")
    assert run(pytester, "a")[0] == 0


def test_what_comes_unasked_waits_until_the_test_asks(pytester: pytest.Pytester) -> None:
    (pytester.path / "bot.py").write_text(
        """\
from copepod.handlers import on_command

@on_command("tell")
async def tell(msg):
    await msg.gateway.send(int(msg.args), "told")
    return "done"
"""
    )
    (pytester.path / "test_it.py").write_text(
        """\
def test_it(bot):
    bot.sim.know(77)
    assert bot.say("/tell 77").text == "done"
    assert bot.say("hello").text == "hello"
    assert (bot.next().text, len(bot.sim.sent)) == ("told", 3)
"""
    )
    status, told = run(pytester)
    assert status == 0, told


def test_a_bot_that_is_sent_another(pytester: pytest.Pytester) -> None:
    (pytester.path / "bot.py").write_text(HANDLER.format("'one'"))
    (pytester.path / "test_it.py").write_text(
        f"""\
NEW = {HANDLER.format("'two' if msg.text else 1 / 0")!r}

def test_it(bot):
    assert bot.say("hello").text == "one"
    assert bot.send_file(NEW.encode(), "bot.py").text.startswith("I have your new bot.py, ")
    assert bot.say("hello").text == "two"
    bot.restart()
    assert bot.say("hello").text == "two"

def test_the_next_one_has_the_first(bot):
    assert bot.say("hello").text == "one"
"""
    )
    status, told = run(pytester)
    assert status == 0, told
