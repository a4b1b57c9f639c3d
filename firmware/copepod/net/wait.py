"""Waiting for a kept socket without garbage, and with a deadline. Memory: about 300 B a socket, made once.

asyncio's IOQueue makes a list and a poll entry for each wait and drops both after it, and a time limit
there is wait_for(): a task, 660 B on 32 bits. KeepIOQueue is that queue with two differences for the
sockets of a Waiter: their entries stay when nobody waits, and each wait may have a deadline. All other
streams (a server's, a handler's) are served by asyncio's own code, unchanged.
"""

import asyncio.core as core
from errno import ETIMEDOUT
from micropython import const
from time import ticks_add, ticks_diff, ticks_ms

READ = const(1)  # select.POLLIN
WRITE = const(4)  # select.POLLOUT

_LOOK_MS = const(20)  # how often to look at the socket where asyncio's queue could not be replaced


class Waiter:
    """One kept stream, for one task at a time; close() it before the stream is closed."""

    def __init__(self, stream):
        self.stream = stream
        self.task = None
        self.deadline = 0
        self._events = 0
        self.queue = queue = core._io_queue
        if isinstance(queue, KeepIOQueue):
            queue.kept.append(self)
        else:
            self.queue = None

    def park(self, events, deadline):
        """Let the running task sleep until the stream is ready for `events` or `deadline` (ticks_ms) has come.

        To be called in the __next__ of an awaitable, which then returns None. The task may be woken early:
        the caller tries again, and looks at the clock itself.
        """
        queue = self.queue
        if queue is None:
            next(core.sleep_ms(_LOOK_MS))
            return
        self.deadline = deadline
        self.task = core.cur_task
        if events == WRITE:
            queue.queue_write(self.stream)
        else:
            queue.queue_read(self.stream)

    def until(self, events, deadline, look_ms=None):
        """Awaitable of one park(); OSError(ETIMEDOUT) when `deadline` has come. `look_ms`: wake up then at the latest."""
        left = ticks_diff(deadline, ticks_ms())
        if left <= 0:
            raise OSError(ETIMEDOUT)
        if look_ms is not None and look_ms < left:
            deadline = ticks_add(ticks_ms(), look_ms)
        self.deadline = deadline
        self._events = events
        return self

    def __iter__(self):
        return self

    __await__ = __iter__

    def __next__(self):
        if not self._events:
            raise StopIteration
        self.park(self._events, self.deadline)
        self._events = 0

    def close(self):
        """Leave the poller: the number of a closed socket may be the next socket's."""
        queue = self.queue
        if queue is not None and self in queue.kept:
            queue.kept.remove(self)
            if id(self.stream) in queue.map:
                queue._dequeue(self.stream)


class KeepIOQueue(getattr(core, "IOQueue", object)):
    """Takes the place of asyncio.core._io_queue: see install()."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def _dequeue(self, stream):
        # asyncio calls this for a stream whose last waiting task has been woken, and for an event that
        # nobody waited for. The second kind is a hang-up: poll() reports it whatever the mask is, and
        # would never sleep again, so that stream does leave the poller.
        for waiter in self.kept:
            if waiter.stream is stream and waiter.task:
                waiter.task = None
                self.poller.modify(stream, 0)
                return
        super()._dequeue(stream)

    def _release(self, waiter):
        # Take the task out of its entry, which asyncio made: [task, task, …, stream].
        entry = self.map.get(id(waiter.stream))
        if entry:
            for i in range(len(entry) - 1):
                entry[i] = None
            self.poller.modify(waiter.stream, 0)
        waiter.task = None

    def remove(self, task):
        for waiter in self.kept:
            if waiter.task is task:
                self._release(waiter)
                return
        super().remove(task)

    def wait_io_event(self, dt):
        tasks = core._task_queue
        while True:
            limit = dt
            for waiter in self.kept:
                task = waiter.task
                if task:
                    left = ticks_diff(waiter.deadline, ticks_ms())
                    if left <= 0:
                        self._release(waiter)
                        tasks.push(task)
                        limit = 0
                    elif limit < 0 or left < limit:
                        limit = left
            super().wait_io_event(limit)
            if dt >= 0 or tasks.peek():
                return  # with no time limit the loop relies on a task being ready


def install():
    """Put a KeepIOQueue in the place of asyncio's queue; return whether that could be done.

    To be called before anything waits. Where asyncio is not built as expected its own queue stays, and
    a Waiter looks at its socket every 20 ms instead.
    """
    old = getattr(core, "_io_queue", None)
    if isinstance(old, KeepIOQueue):
        return True
    for name in ("map", "poller", "_dequeue", "remove", "queue_read", "queue_write", "wait_io_event"):
        if not hasattr(old, name):
            return False
    if old.map or not hasattr(core, "_task_queue") or not hasattr(core, "cur_task"):
        return False
    core._io_queue = KeepIOQueue()
    return True
