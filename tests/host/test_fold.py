"""The folding of private names: nothing but names changes, and nothing public."""

from __future__ import annotations

import ast

import pytest

from host_tools import build
from host_tools.fold import STATIC_NAMES, FoldError, fold, is_private

SAMPLE = """
from micropython import const

_SIZE = const(4)
_table = {}


class Queue:
    def __init__(self, capacity, keep=False):
        self._ring = [None] * capacity
        self.count = capacity
        self.values = self._make(keep)

    def _make(self, keep):
        return [keep] * _SIZE

    def put(self, message):
        def inner(other):
            return message, other

        _table[message] = inner
        return inner
"""


def run(source: str) -> dict:
    found: dict = {}
    source = source.replace("from micropython import const", "const = int")
    exec(compile(source, "sample", "exec"), found)
    return found


def test_folded_code_does_the_same() -> None:
    folded, names = fold({"a/b.py": SAMPLE})
    found = run(folded["a/b.py"])
    queue = found["Queue"](3, keep=True)
    assert queue.values == [True] * 4
    assert queue.count == 3
    assert queue.put("m")("x") == ("m", "x")
    mapping = names["a/b.py"]
    assert set(mapping) == {"_ring", "_make", "_table"}
    assert not {"count", "values", "clear"} & set(mapping.values()) - set(STATIC_NAMES)
    assert "count" not in mapping.values(), "a public name of the file was taken"
    assert "values" not in mapping.values()


def test_consts_and_foreign_names_stay() -> None:
    folded, _ = fold({"a/b.py": SAMPLE + "\nfrom asyncio import core\nqueue = core._task_queue\n"})
    assert "_SIZE = const(4)" in folded["a/b.py"]
    assert "core._task_queue" in folded["a/b.py"]


def test_families_share_a_mapping() -> None:
    base = """
class Base:
    def _step(self):
        return 1

    def run(self):
        return self._step()
"""
    child = """
from a.base import Base


class Child(Base):
    def _step(self):
        return self._own() + 1

    def _own(self):
        return 5
"""
    folded, names = fold({"a/base.py": base, "a/child.py": child})
    assert names["a/base.py"] == names["a/child.py"]
    found = run(folded["a/base.py"] + folded["a/child.py"].replace("from a.base import Base", ""))
    assert found["Child"]().run() == 6


def test_a_private_name_of_another_room_is_an_error() -> None:
    with pytest.raises(FoldError, match="c/d.py:2: _ring is not its own"):
        fold({"a/b.py": SAMPLE, "c/d.py": "def look(queue):\n    return queue._ring\n"})


def test_the_firmware_keeps_no_private_name() -> None:
    sources = {str(path.relative_to(build.FIRMWARE)): path.read_text() for path in build.sources()}
    folded, names = fold(sources)
    left = set()
    for path, text in folded.items():
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and is_private(node.attr):
                left.add((path, node.attr))
        assert len(set(names[path].values())) == len(names[path])
    left = {name for name in left if name[0].split('/')[1] != 'text'}  # more names than there are
    assert not left, sorted(left)
