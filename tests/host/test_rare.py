"""What few texts need is loaded when a text needs it, and gives the same answer as ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import build
from host_tools.fold import fold
from host_tools.rare import HOME, Room, RoomError, read_rooms, room_path, split

ROOT = build.ROOT
MICROPYTHON = Path(sys.executable).with_name("micropython")
SCRIPT = """
import builtins, os
real = builtins.__import__
rooms = set()

def spy(name, *rest):
    if name == "_room":
        rooms.add(os.getcwd().rsplit("/", 1)[-1])
    return real(name, *rest)

builtins.__import__ = spy
from copepod.text.markdown import Formatter

def html(text):
    out = []
    formatter = Formatter()
    data = text.encode()
    taken = 0
    while not formatter.done():
        taken += formatter.feed(data, taken)
        if taken == len(data):
            formatter.finish()
        while formatter.ready():
            formatter.write(lambda b, s, e: out.append(bytes(b[s:e])))
            formatter.drop()
    return b"".join(out).decode()

import sys
print(repr(html(%r)))
print(sorted(rooms))
assert not [name for name in sys.modules if "_room" in name]
"""
TEXTS = {
    "tide **drifts** over `read()` & ~~back~~ to the _reef_": [],
    "a [link](https://example.org/x(y)) and <https://example.org>\n": ["links"],
    "# Head\n\n- one\n  1. two\n\n> quote\n\n```py\ncode\n```\n": ["blocks"],
    "| a | b |\n|---|---|\n| 1 | 2 |\n": ["tables"],
}


def run(tree: Path, text: str) -> tuple[str, str]:
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=1M", "-c", SCRIPT % text],
        env=os.environ | {"MICROPYPATH": f"{tree}:.frozen"},
        capture_output=True,
        text=True,
        check=True,
    )
    html, modules = done.stdout.strip().splitlines()
    return html, modules


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build.build(tmp_path_factory.mktemp("rare") / "mpy")


@pytest.mark.parametrize(("text", "groups"), TEXTS.items())
def test_the_same_html_from_what_is_loaded(tree: Path, text: str, groups: list[str]) -> None:
    html, modules = run(tree, text)
    assert html == run(ROOT / "firmware", text)[0]
    numbers = {room.name: number for number, room in enumerate(read_rooms(build.FIRMWARE), 1)}
    for group in groups:
        assert repr(str(numbers[group])) in modules
    if not groups:
        assert modules == "[]"


def test_a_method_that_nobody_has_is_an_error_as_ever(tree: Path) -> None:
    code = "from copepod.text.markdown import Formatter\nFormatter().nothing"
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=1M", "-c", code],
        env=os.environ | {"MICROPYPATH": f"{tree}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "AttributeError: nothing" in done.stdout + done.stderr


def sources() -> tuple[dict[str, str], dict[str, dict[str, str]], list[Room]]:
    text = (
        "from micropython import const\n_STEP = const(2)\nsea = ['plaice']\n"
        "class Boat:\n    def sail(self):\n        return self._mend()\n"
        "    def _mend(self):\n        return sea[0], _STEP\n"
    )
    folded, names = fold({HOME: text})
    return folded, names, [Room("harbour", "Boat", ["_mend"], "rooms.toml")]


def test_a_room_takes_its_consts_and_names_along() -> None:
    made = split(*sources())
    assert "_mend" not in made[HOME]
    room = made[room_path(1)]
    assert "from copepod.text_bundle import sea" in room
    assert "_STEP = const(2)" in room


def test_a_room_that_names_nothing_is_refused() -> None:
    folded, names, rooms = sources()
    rooms[0].methods.append("_scuttle")
    with pytest.raises(RoomError, match=r"\[harbour\] Boat has no method _scuttle"):
        split(folded, names, rooms)
    rooms[0].cls = "Raft"
    with pytest.raises(RoomError, match="no class Raft"):
        split(folded, names, rooms)


def test_what_binds_a_global_cannot_move() -> None:
    folded, names, rooms = sources()
    folded[HOME] = folded[HOME].replace("return (sea[0]", "global sea; sea = []; return (sea")
    with pytest.raises(RoomError, match="binds globals"):
        split(folded, names, rooms)


def test_what_only_a_room_names_goes_with_it() -> None:
    text = (
        "_TIDES = (b'ebb', b'flood')\n_SHARED = b'both'\n_count = [0]\n"
        "def _turn(n):\n    return _TIDES[n]\n"
        "class Boat:\n    def sail(self):\n        return _SHARED, self._mend()\n"
        "    def _mend(self):\n        _count[0] += 1\n        return _turn(1), _SHARED, _count[0]\n"
    )
    folded, names = fold({HOME: text})
    made = split(folded, names, [Room("harbour", "Boat", ["_mend"], "rooms.toml")])
    room = made[room_path(1)]
    assert "ebb" in room
    assert "ebb" not in made[HOME]
    assert room.count("def ") == 2
    assert "both" not in room  # the class itself uses it
    assert "[0]" in made[HOME]  # what can change stays
