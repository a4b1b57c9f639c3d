"""Whether asyncio is built as our own queue expects. Memory: dropped after use, once at start.

Known to fit: MicroPython 1.25 to 1.29. The queue is asyncio's private affair, so nothing is taken
for granted.
"""


def fits(core, ours):
    """Whether an object of class `ours` can take the place of core._io_queue, asyncio's IOQueue."""
    old = getattr(core, "_io_queue", None)
    if old is None or isinstance(old, ours) or getattr(old, "map", True):
        return False  # nothing to replace, done already, or somebody waits in it
    for name in ("queue_read", "queue_write", "remove", "wait_io_event"):
        if not hasattr(old, name):
            return False
    for name in dir(old):  # nothing may be asked of it that our queue does not know
        if name[0] != "_" and name != "map" and name != "poller" and not hasattr(ours, name):
            return False
    return hasattr(core, "_task_queue") and hasattr(core, "cur_task")
