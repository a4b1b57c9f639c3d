"""Bytes per call of the study's recommendations, both sides. Memory: a few counters of its own.

    import audit
    audit.main("audit_patterns")

Each audit_*.py has ROWS, (label, function) pairs: garbage is the growth of gc.mem_alloc() per call
with the collector off. KEPT are pairs too: what stays in use while the function's result is held.
A function that ends in a RuntimeError is told as failing.
"""

import gc

from micropython import const

_WARM = const(4)  # calls that fill what is kept from call to call
_CALLS = const(32)


def garbage_b(function):
    """Bytes that one call leaves behind; the collector is off meanwhile."""
    for _ in range(_WARM):
        function()
    gc.collect()
    gc.disable()
    before_b = gc.mem_alloc()
    for _ in range(_CALLS):
        function()
    used_b = gc.mem_alloc() - before_b
    gc.enable()
    return used_b / _CALLS


def kept_b(function):
    """Bytes in use while the function's result is held, after a collection."""
    gc.collect()
    before_b = gc.mem_alloc()
    result = function()
    gc.collect()
    gc.collect()
    used_b = gc.mem_alloc() - before_b
    return used_b if result is not None else 0


def main(name):
    """Measure every row of module `name`, one line each: @row kind|label|bytes."""
    module = __import__(name)
    for kind, rows, measure in (("garbage", "ROWS", garbage_b), ("kept", "KEPT", kept_b)):
        for label, function in getattr(module, rows, ()):
            try:
                print("@row %s|%s|%.1f" % (kind, label, measure(function)))
            except RuntimeError as error:  # MicroPython's `re` recurses for each character it tries
                gc.enable()
                print("@row fails|%s: %s|0" % (label, error))
