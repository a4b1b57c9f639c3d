"""The pytest plugin: `def test_lamp(bot): assert bot.say("/led on").text == …`; see bot.py beside this file.

The bot.py that is tested lies beside the test file or in a folder above it; `--bot PATH`, or `copepod_bot`
in pytest's ini file, names another. Each test has a gateway of its own that has just started.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from host_tools.testing.bot import Bot

FOLDERS = 3  # beside the test file, and above it


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and the ini setting that name the bot."""
    group = parser.getgroup("copepod")
    group.addoption("--bot", metavar="PATH", help="The bot.py for the fixture `bot`.")
    parser.addini("copepod_bot", "The bot.py for the fixture `bot`, from the folder of this file.")


@pytest.fixture
def bot_file(request: pytest.FixtureRequest) -> Path:
    """The bot.py that is tested. A test file of several bots gives a fixture of this name of its own."""
    named = request.config.getoption("--bot")
    if named:
        return Path(named).resolve()
    ini = request.config.getini("copepod_bot")
    if ini:
        return request.config.rootpath / ini
    here = request.path.parent
    for folder in [here, *here.parents][:FOLDERS]:
        if (folder / "bot.py").is_file():
            return folder / "bot.py"
    pytest.fail(
        f"no bot.py beside {request.path.name} or above it; --bot names one", pytrace=False
    )


@pytest.fixture
def bot(bot_file: Path, tmp_path: Path) -> Iterator[Bot]:
    """The bot: the real gateway under MicroPython, against the Bot API simulator. See Bot."""
    from host_tools.testing.bot import Bot, BotFailed

    made = Bot(bot_file, tmp_path / "gateway")
    try:
        made.start()
    except BotFailed as failed:
        made.stop()
        pytest.fail(str(failed), pytrace=False)
    yield made
    made.stop()
