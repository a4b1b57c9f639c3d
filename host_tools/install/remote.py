"""mpremote as a program: run code and move files on a board that runs MicroPython.

Entering the raw REPL interrupts the gateway (main.py hands the watchdog an hour then), so whoever
uses this ends with reset(). On an ESP32 a dead man's switch is set first: if this machine goes
away half-way, the board restarts its app by itself.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from host_tools.board.flash_plan import is_url
from host_tools.errors import UserError

TIMEOUT_S = 120.0
DEAD_MAN_MS = 120_000
MARK = "@copepod-answer "

# What mpremote says -> what to tell the user.
FAILURES = (
    ("failed to access", "cannot open {port}: it does not exist, or a monitor has it open"),
    ("no device found", "cannot open {port}: it does not exist"),
    ("could not enter raw repl", "MicroPython does not answer on {port}: press RESET, try again"),
    ("timeout waiting", "MicroPython does not answer on {port}: press RESET, try again"),
    ("No space left", "the board's file system is full"),
    ("ENOSPC", "the board's file system is full"),
    ("OSError: 28", "the board's file system is full"),
    ("MemoryError", "the board ran out of memory while files were moved: press RESET, try again"),
)

# Runs on the board: the hash of a file there, of so many `digits`. Memory: one 256-byte buffer.
HASH = """
import hashlib, os
def hash_of(path):
    try:
        f = open(path, "rb")
    except OSError:
        return None
    h = hashlib.sha256()
    b = bytearray(256)
    with f:
        while True:
            n = f.readinto(b)
            if not n:
                break
            h.update(memoryview(b)[:n])
    return "".join("%02x" % x for x in h.digest())[:digits]
"""

# The text of a file there, or None. Memory: the text.
TEXT = """
def text_of(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return None
"""

# The folders that a file will lie in.
FOLDERS = """
import os
def make_folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)
"""

# The folder `stage`, empty.
CLEAR = """
import os
def clear(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        os.remove(folder + "/" + name)
    os.rmdir(folder)
clear(stage)
os.mkdir(stage)
"""

_DEAD_MAN = """
import sys
if sys.platform == "esp32":
    import machine
    machine.WDT(timeout=%d).feed()
"""


def program() -> list[str]:
    """mpremote of this environment."""
    return [sys.executable, "-m", "mpremote"]


class Remote:
    """One board on one port."""

    def __init__(self, port: str) -> None:
        self.port = port
        # A soft reset frees the app's memory, but ends a Unix MicroPython behind a pty or socket.
        self._resume = is_url(port) or port.startswith("/dev/pts/")
        self._entered = False

    def arguments(self, commands: Sequence[str]) -> list[str]:
        """mpremote's arguments for some of its commands."""
        resume = self._resume or self._entered
        return ["connect", self.port, *(["resume"] if resume else []), *commands]

    def call(self, *commands: str, timeout_s: float = TIMEOUT_S) -> str:
        """Run mpremote; its output. UserError in one line when it fails."""
        try:
            run = subprocess.run(
                [*program(), *self.arguments(commands)],
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UserError(
                f"MicroPython on {self.port} did not answer within {timeout_s:.0f} s: press RESET"
            ) from None
        if run.returncode:
            raise UserError(explain(run.stdout + run.stderr, self.port))
        self._entered = True
        return run.stdout

    def execute(self, code: str, **values: object) -> Any:
        """Run code on the board with `values` as globals; what it puts into `answer`, or None."""
        lines = [f"{name} = {value!r}" for name, value in values.items()]
        lines += ["answer = None", code]
        lines += ["import json", f"print({MARK!r} + json.dumps(answer))"]
        output = self.call("exec", "\n".join(lines))
        at = output.rfind(MARK)
        if at < 0:
            raise UserError(f"the board on {self.port} gave no answer: {output.strip()[-120:]!r}")
        return json.loads(output[at + len(MARK) :].splitlines()[0])

    def guard(self) -> None:
        """Set the dead man's switch, or set it anew."""
        self.execute(_DEAD_MAN % DEAD_MAN_MS)

    def put(self, files: Sequence[Path], folder: str) -> None:
        """Copy local files into a folder of the board."""
        self.call("fs", "cp", "-f", *map(str, files), f":{folder}/")

    def reset(self) -> None:
        """Restart the board: its app runs again."""
        self.call("exec", "--no-follow", "import machine; machine.reset()")
        self._entered = False

    def reset_quietly(self) -> None:
        """Restart the board if it still can be reached."""
        with contextlib.suppress(UserError):
            self.reset()


def explain(output: str, port: str) -> str:
    """One line for a failed call."""
    for pattern, text in FAILURES:
        if pattern in output:
            return text.format(port=port)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"mpremote on {port}: {lines[-1] if lines else 'failed without a word'}"
