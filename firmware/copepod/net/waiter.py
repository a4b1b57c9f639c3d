"""Makes Waiters (wait.py), and waits for them in coroutines. Memory: dropped after use; 32 B for each wait."""

from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]
from errno import ETIMEDOUT
from time import ticks_add, ticks_diff, ticks_ms

from copepod.net.wait import KeepIOQueue, Waiter


def new_waiter(stream, queue=None):
    """A Waiter for `stream`; the `queue` that makes it for asyncio's streams is given."""
    made = Waiter()
    made.stream = stream
    made.read = made.write = None
    made.poll = made.idle = 0
    made.kept = queue is None
    if made.kept and isinstance(core._io_queue, KeepIOQueue):
        queue = core._io_queue
        queue.map[id(stream)] = made
        queue.kept.append(made)
    made.queue = queue
    return made


class Until:
    """Awaitable of one park() of `waiter`, of `look_ms` at most; OSError(ETIMEDOUT) after `deadline`."""

    def __init__(self, waiter, events, deadline, look_ms=3600000):
        left = ticks_diff(deadline, ticks_ms())
        if left <= 0:
            raise OSError(ETIMEDOUT)
        self.waiter = waiter
        self.events = events
        self.deadline = ticks_add(ticks_ms(), min(left, look_ms))

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        if not self.events:
            raise StopIteration
        self.waiter.park(self.events, self.deadline)
        self.events = 0
