"""`copepod run --bot`: a bot of one's own in the terminal, its pins, its mistakes, and an edit of it."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools.app import tree
from host_tools.chat import run_chat
from host_tools.console.bot_output import BotOutput, Said
from host_tools.paths import ROOT

COPEPOD = Path(sys.executable).parent / "copepod"
CLEAN = {
    k: v
    for k, v in os.environ.items()
    if k not in ("TELEGRAM_TOKEN", "ALLOW", "BASE_URL", "BOT", "ARGS", "MAKEFLAGS")
}
BOT = """\
from machine import Pin
from copepod.handlers import on_text

door = Pin(4, Pin.IN, Pin.PULL_UP)
light = Pin(2, Pin.OUT)

@on_text
def answer(msg):
    light.value(msg.text == "on")
    print("heard", msg.text)
    if msg.text == "divide":
        return 1 / 0
    return "one: " + "door %d" % door.value()
"""


class Running:
    """`copepod run`, whose input is typed line by line."""

    def __init__(self, bot: Path, **variables: str) -> None:
        self.process = subprocess.Popen(
            [COPEPOD, "run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**CLEAN, "BOT": str(bot), "PYTHONUNBUFFERED": "1", **variables},
        )
        self.seen = ""

    def type(self, line: str) -> None:
        """A line and Enter."""
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def until(self, pattern: str, seconds: float = 15) -> str:
        """What was shown since the last call, until it has the pattern."""
        assert self.process.stdout
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            assert time.monotonic() < deadline, f"{pattern!r} was not shown:\n{self.seen}"
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                data = os.read(self.process.stdout.fileno(), 65536)
                assert data, self.seen
                self.seen += data.decode()
        found, self.seen = self.seen, ""
        return found


def together(*patterns: str) -> str:
    """A pattern that is there when all of these are, in any order."""
    return "(?s)" + "".join(f"(?=.*{pattern})" for pattern in patterns)


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    (tmp_path / "lamp.py").write_text(BOT)
    return tmp_path / "lamp.py"


@pytest.fixture
def running(bot: Path) -> Iterator[Running]:
    made = Running(bot)
    yield made
    made.process.kill()
    made.process.wait()
    if made.process.stdout:
        made.process.stdout.close()


def test_a_bot_with_pins_from_edit_to_edit(running: Running, bot: Path) -> None:
    running.until("the gateway is polling")
    running.type("on")
    shown = running.until(together(r"copepod\s+one: door 1", "bot.py heard on", "pin 2 = 1"))
    assert shown.index("⚡ pin 2 = 1") < shown.index("one: door")  # what was done comes first
    running.type(":pin 4 0")
    running.type("off")
    running.until(together("one: door 0", "⚡ pin 2 = 0"))
    running.type("divide")
    shown = running.until(together("Sorry, something went wrong", "ZeroDivisionError"))
    assert f'File "{bot}", line 12, in answer\n    return 1 / 0\nZeroDivisionError' in shown
    assert "copepod: handler: failed" not in shown  # the log, which has a key
    running.type(":log")
    running.until("copepod: handler: failed")

    bot.write_text(BOT.replace("one: ", "two: ").replace("return 1 / 0", "retrun 0"))
    shown = running.until(together("the gateway is polling", "started again", "SyntaxError"))
    assert "lamp.py has been edited: started again" in shown
    assert f'File "{bot}", line 12\n    retrun 0\nSyntaxError' in shown
    bot.write_text(BOT.replace("one: ", "two: "))
    running.until("the gateway is polling")
    running.type("!reply and now")  # to the last message: the chat is the one of before
    running.until("two: door 0")  # what was put there is still there
    running.type(":moon")
    shown = running.until("pin 2=0 pin 4=0")
    assert ":adc PIN READING" in shown
    assert running.process.stdin
    running.process.stdin.close()
    running.until("live heap")
    assert running.process.wait(10) == 0


def test_files_go_both_ways(bot: Path, tmp_path: Path) -> None:
    bot.write_text((ROOT / "firmware/examples/inbox.py").read_text())
    (tmp_path / "notes.txt").write_bytes(b"x" * 1234)
    running = Running(bot)
    try:
        running.until("the gateway is polling")
        running.type(f"!file {tmp_path}/notes.txt")
        shown = running.until("I have kept notes.txt, 1234 bytes")
        assert "sent as a document of 1,234 bytes" in shown
        running.type("/get notes.txt")
        running.until(r"copepod\n  📎 notes.txt \(document, 1,234 bytes\) *\n")
    finally:
        running.process.kill()
        running.process.wait()


def test_a_bot_that_is_sent_is_tried(running: Running, bot: Path, tmp_path: Path) -> None:
    """Until the file that is being edited changes again."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "bot.py").write_text(BOT.replace("one: ", "sent: ").replace("1 / 0", "nothing"))
    running.until("the gateway is polling")
    running.type(f"!file {other}/bot.py")
    shown = running.until(together("I have your new bot.py", "is polling"))
    assert "the gateway has restarted itself: started again" in shown
    running.type("on")
    running.until("sent: door 1")
    running.type("divide")
    shown = running.until("NameError: .*")
    assert 'File "bot.py", line 12, in answer\n    return nothing\nNameError' in shown
    bot.write_text(BOT.replace("one: ", "two: "))
    running.until(together("lamp.py has been edited: started again", "is polling"))
    running.type("on")
    running.until("two: door 1")
    (other / "bot.py").write_text("x = y\n")
    running.type(f"!file {other}/bot.py")
    running.until(together("is given up, the old one is back", "line 1: NameError"))
    running.type("on")
    running.until("two: door 1")


def test_buttons_are_shown_and_pressed(bot: Path) -> None:
    bot.write_text((ROOT / "firmware/examples/lamp.py").read_text())
    running = Running(bot)
    try:
        running.type("/lamp")
        running.until(r"The lamp is off\.\s+\s+On\s+Off")
        running.type("!press Off")
        running.until(r"\(It is off already\.\)")
        running.type("!press On")
        running.until(r"⚡ pin 2 = 1\ncopepod edited\s+The lamp is on\.\s+\s+On\s+Off")
    finally:
        running.process.kill()
        running.process.communicate()


def test_a_script_presses_what_was_said_before() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "host_tools.cli", "run", "--bot", "firmware/examples/lamp.py"],
        input="/lamp\n!press On\n!press Off\n",
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=CLEAN,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    shown = [line.strip() for line in run.stdout.splitlines() if "lamp is" in line or "⚡" in line]
    assert [line.rstrip(".") for line in shown] == [
        "⚡ pin 2 = 0",
        "The lamp is off",
        "⚡ pin 2 = 1",
        "The lamp is on",
        "⚡ pin 2 = 0",
        "The lamp is off",
    ]


def test_the_bot_of_readme_runs_as_printed(tmp_path: Path) -> None:
    (text,) = re.findall(
        r"^```python\n(# bot\.py.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
    )
    (tmp_path / "bot.py").write_text(text)
    run = subprocess.run(
        ["make", "--no-print-directory", "-C", ROOT, "run", f"BOT={tmp_path / 'bot.py'}"],
        input="/led on\n",
        capture_output=True,
        text=True,
        env=CLEAN,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"⚡ pin 2 = 1\ncopepod\n  The light is on\.", run.stdout), run.stdout
    assert "Error" not in run.stdout


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (":pin 4 1", "pin"),
        (":log", "log"),
        (":", ""),
        (":joy: ha", None),
        (":D", None),
        ("a :pin", None),
    ],
)
def test_what_is_for_the_board_and_what_is_said(line: str, word: str | None) -> None:
    found = run_chat._COMMAND.match(line)
    assert (found and found[1]) == word


def test_what_a_bot_prints_is_told_from_the_rest() -> None:
    output = BotOutput("my/bot.py", "\n\nx = y\n")
    lines = [
        "@cp1 E 0 1 boot 0 *1",
        "[mem baseline            ] free= 1 B",
        "12 copepod: bot: bot.py can't be used: name 'y' isn't defined",
        "Traceback (most recent call last):",
        '  File "copepod.prepare", line 80, in _load_bot',
        '  File "bot.py", line 3, in <module>',
        "NameError: name 'y' isn't defined",
        "hello",
    ]
    said = [found for found in map(output.feed, lines) if found]
    assert said == [
        Said("log", lines[2]),
        Said(
            "traceback",
            'Traceback (most recent call last):\n  File "my/bot.py", line 3, in <module>\n    x = y\n'
            "NameError: name 'y' isn't defined",
            True,
        ),
        Said("print", "hello"),
    ]


def test_another_bot_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tree.app_tree()
    sources = tmp_path / "firmware"
    sources.mkdir()
    for name in ("main.py", "bot.py"):
        (sources / name).write_text(f"# another {name}\n")
    monkeypatch.setattr(tree.build, "write", lambda folder: pytest.fail("compiled"))
    monkeypatch.setattr(tree, "FIRMWARE", sources)
    second = tree.app_tree()
    assert second != first
    try:
        assert (second / "bot.py").read_text() == "# another bot.py\n"
        paths = {path.relative_to(first): path.read_bytes() for path in first.rglob("*.mpy")}
        assert paths == {p.relative_to(second): p.read_bytes() for p in second.rglob("*.mpy")}
        assert (tree.benches(second) / "membench.mpy").is_file()
    finally:
        tree.shutil.rmtree(second)
