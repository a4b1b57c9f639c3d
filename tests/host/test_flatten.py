"""One class of a chain: the same answers, one type."""

from __future__ import annotations

import pytest

from host_tools.flatten import FlattenError, flatten

CHAIN = """
class _Ground:
    KIND = 'ground'
    LEVEL = 1

    def __init__(self, buf):
        '''Made first.'''
        self.buf = buf
        self.level = self.LEVEL

    def begin(self):
        self.level += 10
        return self.level

    def quiet(self):
        return 'ground'

class _Middle(_Ground):
    LEVEL = 2

    def __init__(self, data):
        super().__init__(data)
        self.more = [self.level]

    def begin(self):
        return [super().begin(), 'middle']

class Top(_Middle):
    def __init__(self, buffer=None):
        buffer = buffer or 'made'
        super().__init__(buffer)

    def quiet(self):
        return 'top'

class _Kept:
    pass

def kept():
    return _Kept()

class Other(_Kept):
    pass
"""


def scope(source: str) -> dict[str, type]:
    names: dict[str, type] = {}
    exec(compile(source, "chain", "exec"), names)
    return names


def facts(names: dict[str, type]) -> list[object]:
    top = names["Top"]()
    return [top.buf, top.level, top.more, top.KIND, top.begin(), top.quiet(), vars(top)]


def test_one_class_does_what_three_did() -> None:
    flat = flatten(CHAIN)
    names = scope(flat)
    assert facts(names) == facts(scope(CHAIN))
    assert names["Top"].__bases__ == (object,)
    assert "_Ground" not in names
    assert "_Middle" not in names
    assert "'ground'\n" not in flat.partition("def quiet")[2]  # nobody can call it


def test_a_class_that_others_name_stays() -> None:
    names = scope(flatten(CHAIN))
    assert names["Other"].__bases__ == (names["_Kept"],)


def test_the_statements_of_init_come_along() -> None:
    assert "super" not in flatten(CHAIN)
    assert "_ground_init" not in flatten(CHAIN)
    assert "_ground_begin" in flatten(CHAIN)


def test_a_parent_with_locals_of_the_same_name_is_called() -> None:
    source = (
        "class _A:\n    def __init__(self, x):\n        n = x + 1\n        self.a = n\n"
        "class B(_A):\n    def __init__(self, x):\n        n = 7\n        super().__init__(x)\n"
        "        self.b = n\n"
    )
    made = scope(flatten(source))["B"](4)
    assert (made.a, made.b) == (5, 7)


def test_a_super_call_of_another_method_is_refused() -> None:
    source = (
        "class _A:\n    def go(self):\n        return 1\n"
        "class B(_A):\n    def run(self):\n        return super().go()\n"
    )
    with pytest.raises(FlattenError, match="super"):
        flatten(source)
