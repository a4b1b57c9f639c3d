"""What a bot.py may rely on (firmware/api.txt): there on the shipped tree, and told in the docs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from host_tools import targets
from host_tools.app.tree import app_tree
from host_tools.paths import ROOT
from host_tools.scenarios import engine
from host_tools.simulator import Simulator
from host_tools.targets.target import Start

API = (ROOT / "firmware/api.txt").read_text()
NAMES = [line for line in API.splitlines() if line and not line.startswith("#")]
IMPORTED = [name for name in NAMES if name.startswith("copepod.")]
IMPORTS = "\n".join("from {0} import {2}".format(*name.rpartition(".")) for name in IMPORTED)

# Imports as a bot.py writes them, and a handler that looks for the rest.
BOT = f"""\
from copepod.handlers import on_text
{IMPORTS}

@on_text
async def look(msg):
    missing = []
    sent = await msg.answer("one")
    for name in {NAMES!r}:
        if not name.startswith("copepod."):
            thing = {{"msg": msg, "bot": bot, "sent": sent}}[name.split(".")[0]]
            for part in name.split(".")[1:]:
                if not hasattr(thing, part):
                    missing.append(name)
                    break
                thing = getattr(thing, part)
    await msg.gateway.send(msg.chat_id, "missing: " + " ".join(missing))
"""


def test_each_name_is_there_on_the_tree_that_a_board_gets(tmp_path: Path) -> None:
    target = targets.get("unix")
    with Simulator(tls=False) as sim:
        config = engine.gateway_config(sim, target, {})
        device = target.start(Start(config, workdir=tmp_path, heap="512k", bot=BOT))
        try:
            assert device.wait(lambda: device.event("poll"), 15), device.text()
            sim.push_file(b"a file has all of it", "what is there?")
            assert sim.wait(lambda: len(sim.sent) == 2, 10), device.text()
        finally:
            device.stop()
    assert sim.sent[1].text == "missing:"


def test_the_docs_name_the_same() -> None:
    page = (ROOT / "docs/on-the-board.md").read_text()
    section = page.partition("## What a bot.py may rely on\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    told = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    assert told == set(NAMES)


def test_the_bot_that_is_shipped_names_what_there_is() -> None:
    text = (ROOT / "firmware/bot.py").read_text()
    for module, names in re.findall(r"^from (copepod\.\w+) import (.+)$", text, re.MULTILINE):
        assert {f"{module}.{name}" for name in names.split(", ")} <= set(NAMES)
    assert set(re.findall(r"msg\.\w+", text)) <= set(NAMES)


def test_a_bot_can_be_tried_at_the_repl_without_the_gateway(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(BOT)
    python = Path(sys.executable).with_name("micropython")
    run = subprocess.run(
        [python, "-c", f"{IMPORTS}\nimport bot\nprint('fine')"],
        env={"MICROPYPATH": f"{tmp_path}:{app_tree()}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.strip() == "fine", run.stdout + run.stderr
