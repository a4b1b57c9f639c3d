"""Several chats side by side: a handler that waits goes on in a lane of its own. Memory: loaded for one, dropped after it.

A handler may wait in anything that asyncio has, so it is not moved to another task: its task, with the Worker that it
knows, becomes the lane, and a new Worker takes its place. The lane is over when that message needs nothing more, or
is put aside (postponed.py, asking.py). Messages of its chat wait for it, in order.
"""

import asyncio

from micropython import const

from copepod import handling
from copepod.messages import OutboundMessage
from copepod.once import forget
from copepod.platform import port
from copepod.postponed import renew
from copepod.supervisor import Job
from copepod.worker import Worker

forget("copepod.postponed")

_LANE_B = const(1500)  # of Python's heap
_TURNS = const(4)  # messages that wait for their chat's lane while others are served
_TURN_B = const(1024)  # bytes of text of each, at most


def move(gateway):
    """Make the handler that runs a lane. MemoryError: nothing has changed."""
    port.need(_LANE_B)
    worker = gateway.worker
    jobs = gateway.jobs
    if not worker.msg.acknowledged:
        from copepod.telegram import kept_offsets

        if not kept_offsets.beside(gateway.channel, worker.msg.update_id):
            worker.steps.alone = True
            return
    fresh: "Any" = Worker()
    fresh.gateway = gateway
    fresh.msg = fresh.steps = None
    fresh.since_ms = worker.since_ms
    fresh.handling = fresh.stuck = False
    fresh.asides = worker.asides
    renew(fresh)
    job = Job()
    job.name = jobs[1].name
    job.run = fresh.run
    job.error = None
    job.crashes = jobs[1].crashes
    job.crashed_s = jobs[1].crashed_s
    job.start_s = 0
    lane = Lane(worker, jobs[1])
    jobs = (jobs[0], job) + jobs[2:] + (lane,)
    fresh.asides.append((worker.msg, None, lane))
    try:
        job.task = asyncio.create_task(job.guarded(gateway.tick))
    except MemoryError:
        fresh.asides.pop()
        raise
    handling.unseat(worker, worker.steps)
    gateway.jobs = jobs
    gateway.worker = fresh
    gateway.wake_channel.set()


class Lane(Job):
    """A Job that the supervisor looks at as at the others; it ends with its message."""

    state = 0  # in worker.asides: it has not been answered

    def __init__(self, worker, job):
        self.worker = worker
        self.chat_id = worker.msg.chat_id
        self.error = None
        self.task = job.task
        self._job = job  # whose coroutine runs in the task, and says there how it ends

    def parked(self):
        """What is to be done for it once a second; False: nothing is left to do."""
        worker = self.worker
        try:
            if self._job.error is not None:
                self._end(worker, self._job.error)
                return False
            if worker.handling:
                handling.spent(worker, self.task)
                if worker.stuck:
                    worker.gateway.worker.stuck = True
            if super().parked():
                from copepod import failures

                failures.unpark(worker, self)
                forget("copepod.failures")
        except MemoryError:  # there may be some in a second
            pass
        return False

    def _end(self, worker, error):
        gateway = worker.gateway
        gateway.jobs = tuple([job for job in gateway.jobs if job is not self])
        if len(gateway.jobs) == 2:
            forget("copepod.parallel")
        for entry in worker.asides:
            if entry[2] is self:
                worker.asides.remove(entry)
                break
        gateway.wake_worker.set()
        gateway.wake_channel.set()
        if worker.msg is not None:  # it has failed outside of the handler
            from copepod import failures

            failures.note(gateway, self._job.name, error)
            asyncio.create_task(failures.after_crash(worker))
            forget("copepod.failures")


async def turn(worker, msg):
    """A lane serves the chat of `msg`: returns what lets the worker put it aside until its turn has come.

    That waits until the lane has ended where `msg` is too long to lie about, or enough do.
    """
    gateway = worker.gateway
    waiting = Turn(gateway, msg.chat_id)
    while waiting.state == 0 and not _fits(worker, msg):
        await gateway.wake_worker
    return waiting


def _fits(worker, msg):
    count = 0
    for entry in worker.asides:
        if isinstance(entry[2], Turn):
            count += 1
    if count >= _TURNS or msg.size_b() > _TURN_B:
        return False
    try:
        msg.text  # out of the buffer  # noqa: B018
    except MemoryError:
        return False
    return True


class Turn(OutboundMessage):
    """To the worker an answer that takes its time: `state` is 0 while a lane serves the chat."""

    def __init__(self, gateway, chat_id):
        self.chat_id = chat_id
        self._gateway = gateway

    @property
    def state(self):
        for lane in self._gateway.jobs[2:]:
            if lane.chat_id == self.chat_id:
                return 0
        return 1

    def leave(self, worker):
        """Its handler has not begun: the worker may take another message."""
        worker.asides.append((worker.msg, handling.Steps(), self))
        worker.msg = None
        worker.gateway.wake_channel.set()
