"""main.py on a terminal: Ctrl-C, and so mpremote, gets the REPL whatever the program is doing."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from host_tools.app.tree import app_tree

MICROPYTHON = Path(sys.executable).with_name("micropython")  # the wheel's
PROMPT = re.compile(rb">>> $")

# A gateway in the place of the real one: it prints without a pause, or fails.
GATEWAY = """
import time
def run(path):
    print("gateway", path)
    while {forever}:
        print("busy")
        time.sleep_ms(1)
    raise OSError(12)
"""


class Console:
    """A MicroPython on a pseudo-terminal, with main.py started as a board starts it.

    `seen` is what it has said since keys were last pressed: what is waited for comes after that.
    """

    def __init__(self, app: Path, config: Path):
        self.master, slave = pty.openpty()
        self.seen = b""
        self.process = subprocess.Popen(
            [
                str(MICROPYTHON),
                "-i",
                "-c",
                f"from copepod import boot; boot.main({str(config)!r})",
            ],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "MICROPYPATH": f"{app}:.frozen", "TERM": "dumb"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        os.close(slave)

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(5)
        os.close(self.master)

    def wait(self, pattern: bytes | re.Pattern[bytes], timeout: float = 8) -> None:
        """Read until `pattern` has been printed."""
        found = re.compile(re.escape(pattern)) if isinstance(pattern, bytes) else pattern
        end = time.monotonic() + timeout
        while not found.search(self.seen):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(f"{found.pattern!r} did not come: {self.seen[-1000:]!r}")
            try:
                self.seen += os.read(self.master, 4096)
            except OSError:  # there is no process any more
                raise AssertionError(f"it ended: {self.seen[-1000:]!r}") from None

    def type(self, keys: bytes) -> None:
        """Press keys."""
        self.seen = b""
        os.write(self.master, keys)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The app as built, with a gateway that a test can replace."""
    app = tmp_path / "mpy"
    shutil.copytree(app_tree(), app)
    (app / "copepod/startup.mpy").unlink()
    return app


def test_ctrl_c_within_two_seconds(app: Path, tmp_path: Path):
    (app / "copepod/startup.py").write_text(GATEWAY.format(forever=True))
    with Console(app, tmp_path / "config.json") as console:
        console.wait(b"press Ctrl-C within 2 s for the REPL")
        console.type(b"\x03")
        console.wait(b"stopped; Ctrl-D starts the gateway again")
        console.wait(PROMPT)
        console.type(b"print(6 * 7)\r")
        console.wait(b"\n42")
        assert b"busy" not in console.seen


def test_ctrl_c_while_it_prints(app: Path, tmp_path: Path):
    (app / "copepod/startup.py").write_text(GATEWAY.format(forever=True))
    with Console(app, tmp_path / "config.json") as console:
        console.wait(b"gateway " + str(tmp_path / "config.json").encode())
        console.wait(b"busy")
        console.type(b"\r\x03")  # what mpremote sends first
        console.wait(b"stopped; ")
        # The Unix port ends at a second SIGINT while main.py is still at its end: the prompt first.
        console.wait(PROMPT)
        console.type(b"\x03")
        console.wait(PROMPT)


def test_ctrl_c_while_a_crash_waits(app: Path, tmp_path: Path):
    (app / "copepod/startup.py").write_text(GATEWAY.format(forever=False))
    with Console(app, tmp_path / "config.json") as console:
        console.wait(b"crash 1 in a row; reset in 5 s")
        assert b"OSError" in console.seen
        console.type(b"\x03")
        console.wait(PROMPT)
