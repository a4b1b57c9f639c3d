"""Whether asyncio is built as our own queue expects. Memory: dropped after use, once at start.

Known to fit: MicroPython 1.25 to 1.29. The queue is asyncio's private affair, so nothing is taken
for granted.
"""

_KNOWN = ("queue_read", "queue_write", "queue_pri", "remove", "wait_io_event", "map", "poller")


def replace(core, ours):
    """Put an object of class `ours` in the place of core._io_queue, asyncio's IOQueue, if it fits."""
    old = getattr(core, "_io_queue", None)
    if old is None or isinstance(old, ours) or getattr(old, "map", True):
        return  # nothing to replace, done already, or somebody waits in it
    for name in ("queue_read", "queue_write", "remove", "wait_io_event"):
        if not hasattr(old, name):
            return
    for name in dir(old):  # nothing may be asked of it that our queue does not know
        if name[0] != "_" and name not in _KNOWN:
            return
    if hasattr(core, "_task_queue") and hasattr(core, "cur_task"):
        core._io_queue = ours()
