"""Every counter that /status and telemetry show is moved by what it counts, and by nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_gateway import GROUP, OTHER, Scene

from host_tools.paths import FIRMWARE
from host_tools.simulator.params import Refused
from host_tools.simulator.updates import USER

BOT = """\
from copepod.handlers import on_text

@on_text
def text(msg):
    if msg.text == "fail":
        raise ValueError("as told")
    return msg.text
"""
# What each of them stands for on the line of /status that shows it.
SHOWN = {
    "received": r"updates\W+(\d+)",
    "answered": r"answered (\d+)",
    "ignored": r"without a handler (\d+)",
    "errors": r"errors\W+(\d+)",
    "backoffs": r"back-offs (\d+)",
    "flood_waits": r"flood waits (\d+)",
    "repeated": r"sent once more\W+(\d+)",
    "fallbacks": r"as plain text (\d+)",
    "dropped": r"refused (\d+)",
    "strangers": r"strangers turned away\W+(\d+)",
}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    with made.sim:
        made.sim.know(USER)
        made.sim.know(OTHER)
        yield made
        made.stop()


def counted(scene: Scene) -> dict[str, int]:
    """What /status says now."""
    before = len(scene.texts())
    scene.sim.push_text("/status")
    scene.until(lambda: len(scene.texts()) > before)
    scene.until(lambda: not scene.sim.queue.pending())
    text = scene.texts()[-1]
    found = {name: re.search(pattern, text) for name, pattern in SHOWN.items()}
    assert all(found.values()), text
    return {name: int(match[1]) for name, match in found.items() if match}


def refuse(scene: Scene, words: str, times: int) -> None:
    """Let sendMessage be refused so often."""
    table = scene.sim.methods._table
    real, left = table["sendmessage"], [times]

    async def refusing(params: dict) -> object:
        if left[0] and not params["text"].startswith("<b>up"):
            left[0] -= 1
            raise Refused(400, words)
        table["sendmessage"] = real
        return await real(params)

    table["sendmessage"] = refusing


def provoke(scene: Scene, name: str) -> dict[str, int]:
    """Let happen what this counter counts; returns what else has to move by how much."""
    sim = scene.sim
    if name in ("received", "answered"):
        sim.push_text("hello")
        return {"received": 1, "answered": 1}
    if name == "ignored":
        sim.push_text("among themselves", chat=GROUP)
        return {"received": 1}
    if name == "errors":
        sim.push_text("fail")
        return {"received": 1, "answered": 1}
    if name == "backoffs":
        sim.fault("reset", "getUpdates", at="before")
        sim.push_text("hello")
        return {"received": 1, "answered": 1, "errors": 1}
    if name == "flood_waits":
        sim.fault("429", "sendMessage", retry_after=1)
        sim.push_text("hello")
        return {"received": 1, "answered": 1}
    if name == "repeated":
        sim.fault("close", "sendMessage", at="lost")
        sim.push_text("hello")
        return {"received": 1, "answered": 1, "errors": 1, "backoffs": 1}
    if name == "fallbacks":
        refuse(scene, "Bad Request: can't parse entities: unsupported start tag", 1)
        sim.push_text("hello")
        return {"received": 1, "answered": 1}
    if name == "dropped":
        refuse(scene, "Bad Request: chat not found", 1)
        sim.push_text("hello")
        return {"received": 1, "errors": 1}
    sim.push_text("hello", user=OTHER)
    return {"received": 1}


@pytest.mark.parametrize("name", list(SHOWN))
def test_what_happens_is_counted_once(scene: Scene, name: str) -> None:
    scene.start(BOT, allow_from=[str(USER)])
    before = counted(scene)
    others = provoke(scene, name)
    scene.until(lambda: not scene.sim.queue.pending())
    after = counted(scene)
    moved = {key: after[key] - before[key] for key in SHOWN if after[key] != before[key]}
    # /status itself is one update and one answer
    wanted = {name: 1} | others
    wanted["received"] = wanted.get("received", 0) + 1
    wanted["answered"] = wanted.get("answered", 0) + 1
    assert moved == wanted


def test_every_counter_is_among_them() -> None:
    """But for the errors of handlers, which /metrics alone shows: tests/device/test_worker.py."""
    source = (FIRMWARE / "copepod/stats.py").read_text()
    names = set(re.findall(r"self\.(\w+) = 0", source))
    assert names - {"handler_errors"} == set(SHOWN)
