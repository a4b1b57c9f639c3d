"""Whether asyncio is built as our own queue expects. Memory: dropped after use, once at start.

Known to fit: MicroPython 1.25 to 1.29. The queue is asyncio's private affair, so nothing is taken
for granted.
"""

import asyncio.core as core  # pyright: ignore[reportMissingImports]

from copepod.net.wait import KeepIOQueue

_KNOWN = ("queue_read", "queue_write", "queue_pri", "remove", "wait_io_event", "map", "poller")


def install():
    """Put a KeepIOQueue in the place of asyncio's queue; return whether that could be done.

    To be called before anything waits. Where asyncio is not built as expected its own queue stays,
    and a Waiter looks at its socket every 20 ms instead.
    """
    old = getattr(core, "_io_queue", None)
    if old is not None and not isinstance(old, KeepIOQueue) and _fits(old):
        core._io_queue = KeepIOQueue()
    return isinstance(getattr(core, "_io_queue", None), KeepIOQueue)


def _fits(old):
    if getattr(old, "map", True):  # somebody waits in it
        return False
    for name in ("queue_read", "queue_write", "remove", "wait_io_event"):
        if not hasattr(old, name):
            return False
    for name in dir(old):  # nothing may be asked of it that our queue does not know
        if name[0] != "_" and name not in _KNOWN:
            return False
    return hasattr(core, "_task_queue") and hasattr(core, "cur_task")
