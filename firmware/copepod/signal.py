"""A flag that one task waits for, with a time limit. Memory: one object at start, nothing per wait.

asyncio.Event makes a generator for each wait and wait_for a task (660 B on 32 bits); this parks the
waiting task on asyncio's own time queue (MicroPython extmod/asyncio/core.py, sleep_ms does the same)
and brings it forward when the flag is set.
"""

from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]

_FOREVER_MS = 3600000


class Signal:
    """Set from any task, awaited by one: `signal.limit(ms)` then `await signal`.

    After the await `signal.fired` tells whether the flag was set (True) or the time was up.
    """

    def __init__(self):
        self.fired = False
        self._flag = False
        self._task = None
        self._limit_ms = _FOREVER_MS
        self._stop = StopIteration()  # raised again and again, to keep the loop from allocating

    def set(self):
        """Raise the flag and wake the task that waits for it."""
        self._flag = True
        task = self._task
        if task is not None:
            self._task = None
            queue = core._task_queue
            queue.remove(task)
            queue.push(task)

    def clear(self):
        """Lower the flag."""
        self._flag = False

    def limit(self, limit_ms):
        """Set the time limit of the next await in ms and return self: `await signal.limit(100)`."""
        self._limit_ms = limit_ms
        return self

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        limit_ms = self._limit_ms
        if self._flag or limit_ms < 0:
            self.fired = self._flag
            self._flag = False
            self._task = None
            self._limit_ms = _FOREVER_MS
            self._stop.__traceback__ = None
            raise self._stop
        self._task = task = core.cur_task
        core._task_queue.push(task, core.ticks_add(core.ticks(), limit_ms))
        self._limit_ms = -1  # the next call comes when the time is up or the flag is set

    def throw(self, error):
        """The waiting task is cancelled: it is nobody's to wake, and the next wait begins anew."""
        self._task = None
        self._limit_ms = _FOREVER_MS
        raise error
