"""Waiting for sockets without garbage, and with a deadline. Memory: about 300 B a kept socket, made once.

asyncio's IOQueue makes a list and a poll entry for each wait and drops both after it, and a time limit
there is wait_for(): a task, 660 B on 32 bits. KeepIOQueue takes its place. It serves asyncio's streams
(a server's, a handler's) as they are used to; the socket of a Waiter stays registered while nobody
waits for it, and each of its waits has a deadline.
"""

import asyncio.core as core  # pyright: ignore[reportMissingImports]
import select
from errno import ETIMEDOUT
from micropython import const
from time import ticks_add, ticks_diff, ticks_ms

READ = const(1)  # select.POLLIN
WRITE = const(4)  # select.POLLOUT

_URGENT = const(2)  # POLLPRI, which newer asyncio has a queue for
_UNWANTED = const(8)  # the task that was woken may be behind others
_LOOK_MS = const(20)  # how often to look at the socket where asyncio's queue could not be replaced


class _Entry:
    # A stream that is registered with the poller, and the tasks that wait for it.
    def __init__(self, stream):
        self.stream = stream
        self.reader = None
        self.writer = None
        self.events = 0  # what the poller is asked for
        self.unwanted = 0  # events since somebody last waited
        self.kept = False


class Waiter(_Entry):
    """One stream that is kept; one task waits for it at a time. close() it before the stream is closed."""

    def __init__(self, stream):
        super().__init__(stream)
        self.kept = True
        self.deadline = 0
        self._todo = 0
        queue = core._io_queue
        self.queue = queue if isinstance(queue, KeepIOQueue) else None
        if self.queue:
            queue.map[id(stream)] = self
            queue.kept.append(self)

    def park(self, events, deadline):
        """Let the running task sleep until the stream is ready for `events` or `deadline` (ticks_ms) has come.

        To be called in the __next__ of an awaitable, which then returns None. The task may be woken early:
        the caller tries again, and looks at the clock itself.
        """
        if self.queue is None:
            next(core.sleep_ms(_LOOK_MS))
            return
        self.deadline = deadline
        self.queue.wait(self, events)

    def until(self, events, deadline, look_ms=None):
        """Awaitable of one park(); OSError(ETIMEDOUT) when `deadline` has come. `look_ms`: wake up after it."""
        left = ticks_diff(deadline, ticks_ms())
        if left <= 0:
            raise OSError(ETIMEDOUT)
        if look_ms is not None and look_ms < left:
            deadline = ticks_add(ticks_ms(), look_ms)
        self.deadline = deadline
        self._todo = events
        return self

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        if not self._todo:
            raise StopIteration
        self.park(self._todo, self.deadline)
        self._todo = 0

    def close(self):
        """Leave the poller: the number of a closed socket may be the next socket's."""
        queue = self.queue
        if queue and self in queue.kept:
            queue.kept.remove(self)
            del queue.map[id(self.stream)]
            queue.poller.unregister(self.stream)


class KeepIOQueue:
    """What asyncio's loop and streams ask of their IOQueue: map, queue_read(), queue_write(), remove(), wait_io_event()."""

    def __init__(self):
        self.poller = select.poll()
        self.map = {}  # id(stream) -> _Entry
        self.kept = []

    def wait(self, entry, events):
        """Note that the running task waits for `events` of the entry's stream."""
        task = core.cur_task
        entry.unwanted = 0
        if events == WRITE:
            entry.writer = task
        else:
            entry.reader = task
        if events & ~entry.events:
            entry.events |= events
            self.poller.register(entry.stream, entry.events)
        task.data = self  # tells cancel() whom to call: remove()

    def _stream(self, stream, events):
        entry = self.map.get(id(stream))
        if entry is None:
            entry = self.map[id(stream)] = _Entry(stream)
        self.wait(entry, events)

    def queue_read(self, stream):
        self._stream(stream, READ)

    def queue_write(self, stream):
        self._stream(stream, WRITE)

    def queue_pri(self, stream):
        self._stream(stream, _URGENT)

    def remove(self, task):
        """Forget a task that is being cancelled."""
        for key in self.map:
            entry = self.map[key]
            if entry.reader is task or entry.writer is task:
                if entry.reader is task:
                    entry.reader = None
                else:
                    entry.writer = None
                if not entry.kept:
                    self._settle(entry)
                return

    def _settle(self, entry):
        # Ask the poller for no more than somebody waits for.
        entry.events = (entry.events & ~WRITE if entry.reader else 0) | (
            WRITE if entry.writer else 0
        )
        if entry.events:
            self.poller.modify(entry.stream, entry.events)
        else:
            self.poller.unregister(entry.stream)
            if not entry.kept:
                del self.map[id(entry.stream)]

    def wait_io_event(self, dt):
        tasks = core._task_queue
        while True:
            limit = dt
            for waiter in self.kept:
                task = waiter.reader or waiter.writer
                if task:
                    left = ticks_diff(waiter.deadline, ticks_ms())
                    if left <= 0:
                        waiter.reader = waiter.writer = None
                        tasks.push(task)
                        limit = 0
                    elif limit < 0 or left < limit:
                        limit = left
            for stream, events in self.poller.ipoll(limit):
                for entry in (
                    self.kept
                ):  # id() is a large int where the heap lies above 0x3FFFFFFF (ESP32-C6)
                    if entry.stream is stream:
                        break
                else:
                    entry = self.map[id(stream)]
                woken = False
                if events & ~WRITE and entry.reader:
                    tasks.push(entry.reader)
                    entry.reader = None
                    woken = True
                if events & ~(READ | _URGENT) and entry.writer:
                    tasks.push(entry.writer)
                    entry.writer = None
                    woken = True
                # A kept socket stays as it is: it will be waited for again. But bytes or a hang-up
                # that nobody comes for would end every sleep at once.
                if entry.kept and (woken or entry.unwanted < _UNWANTED):
                    entry.unwanted += 1
                else:
                    self._settle(entry)
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
    for name in ("map", "queue_read", "queue_write", "remove", "wait_io_event"):
        if not hasattr(old, name):
            return False
    for name in dir(old):  # nothing may be asked of it that this queue does not know
        if name[0] != "_" and not hasattr(KeepIOQueue, name) and name not in ("map", "poller"):
            return False
    if old.map or not hasattr(core, "_task_queue") or not hasattr(core, "cur_task"):
        return False
    core._io_queue = KeepIOQueue()
    return True
