"""What the assistant costs in Python's heap on 32 bits: a gateway without a model, one that has a model and is idle."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_scene import Scene, asked
from scene import wanted

from host_tools.app import build
from host_tools.simulator.model import Reply
from host_tools.targets import process

pytestmark = [
    pytest.mark.skipif("unix32" not in wanted(), reason="32-bit figures"),
    pytest.mark.timeout(120),
]

WITHOUT_MODEL_B = 300
# More than a bot has that answers with a handler of its own: between turns, and while an answer streams in.
MORE_B = {"mpy": (3600, 17200), "frozen": (1760, 9500)}

HANDLER = """\
from copepod.handlers import on_text

@on_text
async def said(msg):
    await msg.answer(msg.text)
"""

# All that the gateway has to do with the assistant: patterns of what goes, by file.
HOOKS = {
    "copepod/config.py": (
        r'    model: "Any" = None .*\n',
        r"    if found\.get\(_ASSISTANTS\[0\]\):\n.*\n",
        r"def _model\((.*\n)+?    return made\n",
    ),
    "copepod/prepare.py": (
        r" if config\.model is None else _ROOM_B \+ _TURN_B",
        r"    if config\.model is not None:\n.*\n",
    ),
    "copepod/telegram/connect.py": (
        r"    model = channel.gateway.config.model\n    while model (.*\n){3}",
    ),
    "copepod/telegram/optional.py": (
        r"        \(methods\.SEND_DRAFT, .*\n",
        r"    if _draft\(channel\) is not None:\n.*\n",
        r"def _draft\((.*\n)+?(?=def _menu_due)",
        r"    elif method == methods\.SEND_DRAFT and .*\n.*\n",
        r"    elif method == methods\.SEND_DRAFT:\n.*\n",
        r"    if method == methods\.SEND_DRAFT:\n(        .*\n)+",
        r"    elif method == methods\.SEND_DRAFT:\n.*\n",
    ),
}


def live(scene: Scene, count: int = 2) -> int:
    """Live bytes at the end of so many frames from now on."""
    device = scene.device
    assert device is not None
    frames = device.frames.frames
    seen = len(frames)
    assert device.wait(lambda: len(frames) >= seen + count, 20), device.text()
    return frames[seen + count - 1]["gc_live"] or 0


def after_answers(scene: Scene, **how: Any) -> int:
    """Live bytes of a gateway without a model that has answered three times."""
    scene.start(model_list=[], telemetry={"interval_s": 1}, **how)
    for _ in range(3):
        scene.ask("hello")
    return live(scene)


@pytest.fixture
def lives(tmp_path: Path) -> Callable[..., Any]:
    """Call a function with a scene of its own."""
    count = 0

    def call(function: Callable[..., Any], **how: Any) -> Any:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        with asked(Scene(folder, "unix32")) as scene:
            return function(scene, **how)

    return call


def without_assistant(folder: str = "copepod") -> dict[str, str]:
    """The sources as they would be if there were no assistant."""
    found = REAL_SOURCES(folder)
    for path in [*found]:
        if path.startswith("copepod/assistant/") or path == "copepod/tools.py":
            del found[path]
    for path, patterns in HOOKS.items():
        if path in found:
            for pattern in patterns:
                found[path], count = re.subn(pattern, "", found[path], count=1)
                assert count == 1, (path, pattern)
    return found


REAL_SOURCES = build.sources


def test_what_its_files_cost_a_gateway_without_a_model(
    lives: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lives(after_answers, heap="152k")
    real = build.generated
    with monkeypatch.context() as patch:
        patch.setattr(build, "sources", without_assistant)
        patch.setattr(build, "PUBLIC", tuple(n for n in build.PUBLIC if n != "copepod.tools"))
        patch.setattr(build, "ASSISTANT", ())
        patch.setattr(
            build, "generated", lambda: {n: t for n, t in real().items() if "assistant" not in n}
        )
        patch.setattr(build, "words", functools.cache(build.words.__wrapped__))
        build.write(tmp_path / "made")
    (tmp_path / "made/mpy/bot.py").write_text((build.FIRMWARE / "bot.py").read_text())
    assert not (tmp_path / "made/mpy/copepod/assistant").exists()
    monkeypatch.setattr(process, "app_tree", lambda: tmp_path / "made/mpy")
    without = lives(after_answers, heap="152k")
    print(f"with the assistant's files {found} B, without {without} B: {found - without} B")
    assert found - without < WITHOUT_MODEL_B


def turns(scene: Scene, app: str, heap: str) -> tuple[int, int]:
    """Live bytes between turns of two rounds, and while the answer streams in."""
    pause = 0.0

    def answer(body: dict[str, Any]) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return Reply("The answer is **this**. " * 250, piece=5, pause=pause)
        return Reply(calls=[("get_time", {}), ("note", {"text": "x"})])

    scene.model.answer = answer
    scene.sim.methods.knows_drafts = False
    scene.start(heap=heap, app=app, telemetry={"interval_s": 1})
    for slow in (0.0, 0.002):
        pause = slow
        scene.ask("warm up")
    idle = live(scene)
    pause = 0.004
    update_id = scene.sim.push_text("slowly")
    scene.until(lambda: len(scene.model.requests) == 6 and scene.model.requests[-1].chunks > 10)
    during = live(scene, 1)
    assert not scene.model.requests[-1].complete
    scene.until(lambda: scene.sim.confirmed >= update_id)
    assert live(scene) <= idle + 64
    return idle, during


@pytest.mark.parametrize(("app", "heap"), [("mpy", "152k"), ("frozen", "64k")])
def test_what_a_model_costs_an_idle_gateway_and_an_answer(
    lives: Callable[..., Any], app: str, heap: str
) -> None:
    """Beside a bot whose handler answers, which has what is loaded for any handler."""
    bot = lives(after_answers, heap=heap, app=app, bot=HANDLER)
    idle, during = lives(turns, heap=heap, app=app)
    print(
        f"{app}: a bot {bot} B, idle {idle - bot} B more, while it streams {during - bot} B more"
    )
    assert (idle - bot, during - bot) <= MORE_B[app]
    assert during - bot <= MORE_B[app][1]
