"""A whole ESP32 without one: main.py, Wi-Fi, NTP, TLS, the gateway, a watchdog's reset, Ctrl-C.

The device is the Unix MicroPython with the fake board modules (tests/device/fakes/board.py); the
server is the simulator, so sockets and TLS are real. Both ends are asserted.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from host_tools.app.tree import app_tree
from host_tools.paths import ROOT
from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER

BOARD = ROOT / "tests/device/fakes/board.py"
MICROPYTHON = Path(sys.executable).with_name("micropython")  # the wheel's
HARD_RESET = 2
WDT_RESET = 3

# The handler hangs once, since the message comes again; the test takes the board down as its watchdog would.
BOT = """
from copepod.handlers import on_command

@on_command("hang")
async def hang(msg):
    try:
        open({marker!r}).close()
    except OSError:
        open({marker!r}, "w").close()
        while True:
            pass
    await msg.answer("not this time")
"""


class Board:
    """One start of the board."""

    def __init__(self, folder: Path, cause: int) -> None:
        path = f"{folder}:{app_tree()}:{ROOT / 'tests/device'}:.frozen"
        arguments = [str(folder / "config.json"), str(folder / "rtc"), str(cause)]
        self.process = subprocess.Popen(
            [str(MICROPYTHON), "-X", "heapsize=2m", str(BOARD), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "MICROPYPATH": path},
            cwd=folder,
        )
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._queue.put(line.decode().rstrip())

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(5)

    def wait(self, pattern: str, timeout: float = 12) -> str:
        """The first line from here on that matches."""
        end = time.monotonic() + timeout
        while True:
            try:
                line = self._queue.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                text = "\n".join(self.lines)
                raise AssertionError(f"{pattern!r} did not come:\n{text}") from None
            self.lines.append(line)
            if re.search(pattern, line):
                return line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The board's files: its bot."""
    (tmp_path / "bot.py").write_text(BOT.format(marker=str(tmp_path / "hung")))
    return tmp_path


def configure(folder: Path, sim: Simulator) -> None:
    """Write the board's config for this server."""
    (folder / "ca.der").write_bytes(sim.ca_der)
    config = {
        "channels": {
            "telegram": {
                "token": sim.token,
                "allow_from": [str(USER)],
                "base_url": sim.base_url,
                "poll_timeout_s": 2,
            }
        },
        "wifi": {"ssid": "crab", "password": "shell secret"},
        "tls": {"ca": str(folder / "ca.der")},
    }
    (folder / "config.json").write_text(json.dumps(config))


def texts(sim: Simulator) -> list[str]:
    """What the bot has sent so far."""
    return [sent.text for sent in sim.sent]


def test_from_power_on_over_a_watchdog_reset_to_ctrl_c(folder: Path):
    with Simulator() as sim:
        configure(folder, sim)
        with Board(folder, 1) as board:
            board.wait("boot: power on or brown-out; press Ctrl-C within 2 s")
            board.wait("wifi: connected to crab, address 192.168.4.7")
            board.wait("clock: set by time.cloudflare.com")
            frame = board.wait(r"@cp1 F \d+ \d+ steady ")
            # The fake IDF heap: 54,752 B free in six regions, 35,512 in one piece.
            assert " idf_free=54752 idf_big=35512 idf_min=51048 " in frame
            fields = dict(pair.split("=") for pair in frame.split() if "=" in pair)
            assert int(fields["gc_free"]) == int(fields["mem_free"]) - 35512
            sim.push_text("hello")
            assert sim.wait(lambda: texts(sim) == ["hello"])
            hang = sim.push_text("/hang")
            assert sim.wait((folder / "hung").exists)
            board.process.kill()
            assert sim.confirmed < hang
        with Board(folder, WDT_RESET) as board:
            board.wait("boot: watchdog")
            board.wait(r"@cp1 F \d+ \d+ steady ")
            assert sim.wait(lambda: sim.confirmed >= hang)
            assert sim.wait(
                lambda: len(sim.sent) >= 3
            )  # the answer and the owner's notice, in either order
            answers = [text for text in texts(sim)[1:] if "restarted" not in text]
            (told,) = (text for text in texts(sim)[1:] if "restarted" in text)
            assert "watchdog" in told
            assert answers == ["not this time"], "the first message is not answered again"
            sent_before = len(sim.sent)
            board.process.send_signal(signal.SIGINT)
            line = board.wait("board: REPL")
            assert line == "board: REPL, watchdog 3600000"
            assert board.process.wait(5) == 0
        for line in board.lines:
            assert "shell secret" not in line
            assert sim.token.partition(":")[2] not in line
        assert len(sim.sent) == sent_before
        assert not sim.rejected
        assert not sim.protocol_errors


def test_a_refused_token_ends_in_the_repl_not_in_resets(folder: Path):
    with Simulator() as sim:
        configure(folder, sim)
        config = json.loads((folder / "config.json").read_text())
        config["channels"]["telegram"]["token"] = "123456:" + "A" * 35
        (folder / "config.json").write_text(json.dumps(config))
        with Board(folder, 1) as board:
            board.wait("the token is refused")
            board.wait("the gateway has ended; Ctrl-D starts it again")
            board.wait("board: REPL")
            assert board.process.wait(5) == 0
        assert len(sim.calls) == 1


OLD = """
from copepod.handlers import on_text

@on_text
def text(msg):
    return "old: " + msg.text
"""
HANGS = """
import machine

print("import begins, watchdog", machine.watchdog_ms())
while True:
    pass
"""
CRASHES = """
import asyncio
from copepod.handlers import on_start

@on_start
def end():
    asyncio.core._task_queue = None
"""


@pytest.mark.timeout(
    60
)  # three starts, two of them with a moment for Ctrl-C, and the pause after a crash
@pytest.mark.parametrize(
    ("bot", "reason"),
    [
        (HANGS, "watchdog: nothing moved"),
        (CRASHES, "AttributeError: 'NoneType' object has no attribute 'peek'"),
    ],
    ids=["hangs", "crashes"],
)
def test_a_bot_that_takes_the_board_down_is_given_up(folder: Path, bot: str, reason: str) -> None:
    (folder / "bot.py").write_text(OLD)
    with Simulator() as sim:
        configure(folder, sim)
        with Board(folder, 1) as board:
            board.wait(r"@cp1 F \d+ \d+ steady ")
            update = sim.push_file(bot.encode(), "bot.py")
            board.wait("board: reset")
        with Board(folder, HARD_RESET) as board:
            board.wait("boot: .*panic|boot: reset")
            board.wait("bot: a bot.py that was sent is tried, start 1 of 3")
            if bot == HANGS:
                board.wait("import begins, watchdog 120000")
            else:
                board.wait("boot: crash 1 in a row; reset in 5 s")
                board.wait("board: reset")
            board.process.kill()
        with Board(folder, WDT_RESET if bot == HANGS else HARD_RESET) as board:
            board.wait("bot: the bot.py that was sent is given up: " + re.escape(reason))
            board.wait(r"@cp1 F \d+ \d+ steady ")
            assert sim.wait(lambda: len(sim.sent) == 2)
            sim.push_text("hello")
            assert sim.wait(lambda: texts(sim)[-1] == "old: hello")
            assert sim.confirmed >= update
        assert texts(sim)[1:] == [
            f"Your new bot.py is given up, the old one is back:\n{reason}",
            "old: hello",
        ], "and it is not told a second time as what the gateway was restarted for"
        assert not sim.rejected
