"""What tests of the config share: a terminal in which questions are answered, and no variable that answers."""

from __future__ import annotations

import os
import pty
import select
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
VARIABLES = (
    "WIFI_SSID", "WIFI_PASSWORD", "TELEGRAM_TOKEN", "ALLOW", "BASE_URL", "CONFIG", "PORT",
    "MODEL", "MODEL_NAME", "API_KEY",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def asked(path: Path, *arguments: str, answers: list[tuple[bytes, Any]]) -> bytes:
    """Run `copepod config` in a terminal; what was seen there after each expected text was.

    A text comes with the answer to it, a function to call, or None. The prompt turns the echo off just after it is
    written, so a secret is typed when it is off.
    """
    program = [str(Path(sys.executable).with_name("copepod")), "config", *arguments]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["CONFIG"] = str(path)
        os.execv(program[0], program)
    seen = b""
    deadline = time.monotonic() + 25
    at = 0
    try:
        while time.monotonic() < deadline:  # until it has ended and closed the terminal
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    seen += os.read(terminal, 4096)
                except OSError:
                    break
            prompt, answer = answers[0] if answers else (b"\0", None)
            found = seen.find(prompt, at)
            if found >= 0:
                at = found + len(prompt)
                answers.pop(0)
                if callable(answer):
                    answer()
                elif answer is not None:
                    secret = prompt in (b"Wi-Fi password", b"Bot token", b"Its key")
                    while secret and termios.tcgetattr(terminal)[3] & termios.ECHO:
                        assert time.monotonic() < deadline, seen
                    os.write(terminal, answer + b"\n")
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    assert not answers, seen
    assert status == 0
    return seen
