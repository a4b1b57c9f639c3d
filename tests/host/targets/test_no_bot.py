"""A gateway that a test starts has the bot that the test gives it, never the one in firmware/bot.py."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from host_tools import targets
from host_tools.app.tree import app_tree
from host_tools.paths import ROOT
from host_tools.scenarios import engine
from host_tools.simulator import Simulator
from host_tools.targets import process
from host_tools.targets.target import Start


def test_a_bot_of_readme_in_the_tree_takes_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(app_tree(), tree)
    bot = re.search(
        r"^```python\n(# bot\.py.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S
    )
    assert bot
    (tree / "bot.py").write_text(bot[1])  # this computer has no Pin: it could not even be loaded
    monkeypatch.setattr(process, "app_tree", lambda: tree)
    with Simulator(tls=False) as sim:
        target = targets.get("unix")
        config = engine.gateway_config(sim, target, {})
        for given, answer in ((None, "hello"), ("# the test's\n", "hello"), (None, "hello")):
            device = target.start(Start(config, tmp_path / "run", bot=given))
            try:
                sim.push_text("hello")
                count = len(sim.sent)
                assert sim.wait(lambda count=count: len(sim.sent) > count), device.text()
            finally:
                device.stop()
            assert sim.sent[-1].text == answer
            assert "bot.py can't be used" not in device.text()
    assert (tmp_path / "run/bot.py").read_text() == "# the test's\n"  # kept from life to life
