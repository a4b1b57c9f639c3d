"""Waiting for sockets without garbage, and with a deadline. Memory: 300 B a kept socket, once.

asyncio's IOQueue makes a list and a poll entry for each wait and drops both after it, and a time
limit there is wait_for(): a task, 660 B on 32 bits. KeepIOQueue takes its place. It serves asyncio's
streams (a server's, a handler's) as they are used to; the socket of a Waiter stays registered while
nobody waits for it, and each of its waits has a deadline.
"""

import asyncio.core as core  # pyright: ignore[reportMissingImports]
import select
from micropython import const
from time import ticks_diff, ticks_ms

from copepod.once import forget

READ = const(1)  # select.POLLIN
WRITE = const(4)  # select.POLLOUT

_READING = const(3)  # READ and POLLPRI, which newer asyncio has a queue for
_UNWANTED = const(8)  # the task that was woken may be behind others
_LOOK_MS = const(20)  # how often to look at the socket where asyncio's queue could not be replaced


class Waiter:
    """One stream that is kept, for one task at a time. close() it before the stream is closed. See waiter.py."""

    stream: "Any"
    read: "Any"  # the tasks that wait
    write: "Any"
    poll: int  # what the poller is asked for
    idle: int  # events since somebody last waited
    deadline: int
    kept: bool  # not so what a queue makes for asyncio's streams
    queue: "Any"  # None where asyncio's own could not be replaced

    def park(self, events, deadline):
        """Let the running task sleep until the stream is ready for `events`, or until `deadline`.

        To be called in the __next__ of an awaitable, which then returns None. `deadline` is in
        ticks_ms. The task may be woken early: it tries again, and looks at the clock itself.
        """
        queue = self.queue
        if queue is None:
            next(core.sleep_ms(_LOOK_MS))
            return
        self.deadline = deadline
        self.idle = 0
        task = core.cur_task
        if events == WRITE:
            self.write = task
        else:
            self.read = task
        if events & ~self.poll:
            self.poll |= events
            queue.poller.register(self.stream, self.poll)
        task.data = queue  # tells cancel() whom to call: remove()

    def close(self):
        """Leave the poller: the number of a closed socket may be the next socket's."""
        queue = self.queue
        if queue and self in queue.kept:
            queue.kept.remove(self)
            del queue.map[id(self.stream)]
            queue.poller.unregister(self.stream)


class KeepIOQueue:
    """What asyncio's loop and streams ask of their IOQueue, no more; see io_streams.py for what is seldom."""

    def __init__(self):
        self.poller = select.poll()
        self.map = {}  # id(stream) -> Waiter; the loop looks whether it is empty
        self.kept = []

    def __getattr__(self, name):
        # What only asyncio's streams and a cancel need.
        from copepod.net import io_streams

        forget("copepod.net.io_streams")
        io_streams.complete(KeepIOQueue, name)
        return getattr(self, name)

    def wait_io_event(self, dt):
        tasks = core._task_queue
        while True:
            limit = dt
            for entry in self.kept:
                task = entry.read or entry.write
                if task:
                    left = ticks_diff(entry.deadline, ticks_ms())
                    if left <= 0:
                        entry.read = entry.write = None
                        tasks.push(task)
                        limit = 0
                    elif limit < 0 or left < limit:
                        limit = left
            for stream, events in self.poller.ipoll(limit):
                # id() is a large int where the heap lies above 0x3FFFFFFF, as on an ESP32-C6.
                for entry in self.kept:
                    if entry.stream is stream:
                        break
                else:
                    entry = self.map[id(stream)]
                woken = False
                if events & ~WRITE and entry.read:
                    tasks.push(entry.read)
                    entry.read = None
                    woken = True
                if events & ~_READING and entry.write:
                    tasks.push(entry.write)
                    entry.write = None
                    woken = True
                # A kept socket stays as it is: it will be waited for again. But bytes or a hang-up
                # that nobody comes for would end every sleep at once.
                if entry.kept and (woken or entry.idle < _UNWANTED):
                    entry.idle += 1
                else:
                    self.settle(entry)
            if dt >= 0 or tasks.peek():
                return  # with no time limit the loop relies on a task being ready

    def settle(self, entry):
        """Ask the poller for no more than somebody waits for."""
        events = (entry.poll & ~WRITE if entry.read else 0) | (WRITE if entry.write else 0)
        entry.poll = events
        if events:
            self.poller.modify(entry.stream, events)
        else:
            self.poller.unregister(entry.stream)
            if not entry.kept:
                del self.map[id(entry.stream)]
