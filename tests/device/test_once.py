"""Modules that serve once: what is left of them when they are dropped, also of one that could not be loaded."""

import gc
import sys

from fakes.scratch import scratch

from copepod.once import forget

_SOURCE = """
taken = bytearray(20000)
if %r:
    raise MemoryError("no memory")
"""


def _import(folder, fails):
    with open(folder + "/large.py", "w") as file:
        file.write(_SOURCE % fails)
    sys.path.insert(0, folder)
    try:
        import large  # noqa: F401  # pyright: ignore[reportMissingImports]
    except MemoryError:
        assert fails
    else:
        assert not fails
    finally:
        sys.path.remove(folder)


def _in_use_b():
    gc.collect()
    return gc.mem_alloc()


@scratch
def test_nothing_stays_of_a_module_loaded_or_not(folder):
    _import(folder, False)
    forget("large")
    for fails in (False, True):
        before_b = _in_use_b()
        _import(folder, fails)
        forget("large")
        assert "large" not in sys.modules
        assert _in_use_b() - before_b < 4000, (fails, _in_use_b() - before_b)
