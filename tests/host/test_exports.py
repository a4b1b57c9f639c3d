"""Names between our files fold everywhere alike, and mean what they meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from host_tools import build
from host_tools.exports import fold_exports
from host_tools.fold import STATIC_NAMES

SOURCES = {
    "copepod/__init__.py": "",
    "copepod/tide.py": (
        "class HarbourMaster:\n    watch = 3\n\n\ndef turn_tide(by):\n    return by + 1\n\n\n"
        "def watch():\n    return 'watched'\n\n\ndef called_by_name():\n    return 'name'\n\n\n"
        "def kept_for_bots():\n    return turn_tide(7)\n"
    ),
    "copepod/reef.py": (
        "from copepod import tide\n"
        "from copepod.tide import HarbourMaster, turn_tide as turn\n\n\n"
        "def go():\n    turn_tide = 5\n"
        "    return [turn(turn_tide), tide.turn_tide(2), tide.watch(), HarbourMaster.watch,\n"
        "            getattr(tide, 'called_by_name')(), tide.kept_for_bots()]\n"
    ),
    "copepod/old.py": "from copepod.tide import turn_tide, HarbourMaster\n",
}
BOT = "from copepod.reef import go\nfrom copepod.tide import kept_for_bots\n"


def run(sources: dict[str, str], code: str, tmp_path: Path) -> str:
    for path, text in sources.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_folded_program_does_the_same(tmp_path: Path) -> None:
    folded, names = fold_exports(SOURCES, (BOT,))
    code = "from copepod.reef import go; print(go())"
    assert run(folded, code, tmp_path / "b") == run(SOURCES, code, tmp_path / "a")
    assert set(names["copepod/tide.py"]) == {"HarbourMaster", "turn_tide"}
    assert set(names["copepod/tide.py"].values()) <= set(STATIC_NAMES)
    assert "HarbourMaster" not in folded["copepod/reef.py"]


def test_a_stub_gives_the_old_names(tmp_path: Path) -> None:
    folded, _ = fold_exports(SOURCES, (BOT,))
    code = "from copepod.old import turn_tide, HarbourMaster; print(turn_tide(1), HarbourMaster.watch)"
    assert run(folded, code, tmp_path) == "2 3\n"


def test_the_names_of_the_firmware_are_used_once() -> None:
    """One new name never stands for two old ones."""
    linked = build.application(build.measuring())
    _, names = fold_exports(linked, build.users()[:1])
    pairs = {(old, new) for mapping in names.values() for old, new in mapping.items()}
    assert len(pairs) > 30
    assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
