"""One wait for a socket, for code that is a coroutine anyway. Memory: 32 B for each wait."""

from errno import ETIMEDOUT
from time import ticks_add, ticks_diff, ticks_ms


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
