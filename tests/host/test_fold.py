"""The folding of private names: nothing but names changes, and nothing public."""

from __future__ import annotations

import ast

import pytest

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
    assert set(mapping) == {"Queue._ring", "Queue._make", "_table"}
    assert set(mapping.values()) <= set(STATIC_NAMES)
    attributes = {mapping["Queue._ring"], mapping["Queue._make"]}
    assert not attributes & {"count", "values", "put"}, "a public name of the class was taken"
    assert "_ring" not in folded["a/b.py"]


def test_consts_and_foreign_names_stay() -> None:
    folded, _ = fold({"a/b.py": SAMPLE + "\nfrom asyncio import core\nqueue = core._task_queue\n"})
    assert "_SIZE = const(4)" in folded["a/b.py"]
    assert "core._task_queue" in folded["a/b.py"]


FAMILY = """
class Base:
    def _step(self):
        return 1

    def run(self):
        return self._step()


class Child(Base):
    def _step(self):
        return super()._step() + self._own() + 1

    def _own(self):
        return 5


class Other:
    def __init__(self):
        self._step = 7

    def run(self):
        return self._step
"""


def test_families_share_a_mapping_and_others_do_not() -> None:
    folded, names = fold({"a/b.py": FAMILY})
    found = run(folded["a/b.py"])
    assert found["Child"]().run() == 7
    assert found["Base"]().run() == 1
    assert found["Other"]().run() == 7
    assert "Base._own" in names["a/b.py"]
    assert "Other._step" in names["a/b.py"]


def test_a_private_name_of_another_file_is_an_error() -> None:
    with pytest.raises(FoldError, match="c/d.py:2: _ring is of no class"):
        fold({"a/b.py": SAMPLE, "c/d.py": "def look(queue):\n    return queue._ring\n"})


def test_a_private_name_of_two_classes_is_an_error_from_outside() -> None:
    with pytest.raises(FoldError, match="_step is of more than one class"):
        fold({"a/b.py": FAMILY + "\n\ndef look(thing):\n    return thing._step\n"})


def test_an_import_that_may_fail_binds_the_folded_name() -> None:
    source = "try:\n    from nowhere import _day\nexcept ImportError:\n    _day = 5\n\n"
    folded, _ = fold({"a/b.py": source + "def day():\n    return _day\n"})
    assert run(folded["a/b.py"])["day"]() == 5
    tree = ast.parse(folded["a/b.py"])
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Name) and is_private(n.id)]
