"""Supervision: which tasks run, and what happens when one ends, hangs or fails. Memory: made at start.

Three tasks: the supervisor (main(), once a second), the channel, which owns the one connection, and
the worker, which runs one handler at a time; for others beside it see parallel.py. What seldom happens
stands in failures.py.
"""

import asyncio
from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.once import forget
from copepod.platform import port

_TICK_MS = const(1000)
_BURST = const(10)  # messages that make a burst worth a frame of its own
_UNSEEN = const(5)  # looks at a failed task for which there was no memory
_STALLED_MS = const(180000)  # longest a healthy channel may go without a step
_WATCHDOG_MS = const(120000)


class Job:
    """A task that is started again when it ends. `run` makes its coroutine."""

    name: str
    run: "Any"
    task: "Any"
    error: "BaseException | None"  # why it has ended
    crashes: int  # in a row
    crashed_s: int  # when the last one was
    start_s: int  # not before

    def parked(self):
        """Whether the task waits for nothing at all, as after a bare `yield`: asyncio would forget it.

        What waits is in a queue, which `data` then names, or in the queue of times. That gives the loop
        the earliest first, so a task in it is not due before the one that runs. A cancel() alone does
        not bring it there.
        """
        task = self.task
        if task.data is not None and task.data is not asyncio.CancelledError:
            return False
        return ticks_diff(task.ph_key, core.cur_task.ph_key) < 0

    async def guarded(self, tick):
        """Run; a task that ends leaves its reason where the supervisor looks, so that it is printed once."""
        try:
            await self.run()
            self.error = RuntimeError("ended")
        except KeyboardInterrupt:
            raise
        except (
            BaseException
        ) as error:  # a CancelledError that nobody asked for is a failure like any other
            self.error = error
        tick.set()


class Gateway:
    """Everything that runs, made by assembly.py. A handler has it as msg.gateway."""

    config: "Any"
    stats: "Any"
    telemetry: "Any"
    wake_worker: "Any"  # three Signals
    wake_channel: "Any"
    tick: "Any"
    access: "Any"
    bus: "Any"
    worker: "Any"
    channel: "Any"
    jobs: tuple
    seconds: int  # since start; counted, because ticks wrap after twelve days
    tick_ms: "Any"  # when the last of them was full

    def send(self, chat_id, markdown, reply_to=None, thread_id=None):
        """Awaitable: send `markdown` (str, iterable or async iterable of str) to a chat; a Sent, or AnswerRefused.

        A long poll that is under way is left for it, which costs a new connection.
        """
        from copepod import answers

        return answers.send(self, chat_id, markdown, reply_to, thread_id)

    # Supervision ----------------------------------------------------------------------------

    async def main(self):
        """Run until the token is refused (raises Stop) or a task fails five times in a row."""
        if self.config.gateway_health:
            from copepod import health

            await health.start(self)
            health = None
        port.watchdog_start(_WATCHDOG_MS)
        while True:
            for job in self.jobs:
                if job.error is not None:
                    self._ended(job)
                elif job.task is None:
                    if self.seconds >= job.start_s:
                        job.task = asyncio.create_task(job.guarded(self.tick))
                elif job.parked():
                    from copepod import failures

                    failures.unpark(self.worker, job)
                    failures = None
                    forget("copepod.failures")
            await self.tick.limit(_TICK_MS)
            self._count_seconds()
            if self._alive():
                port.watchdog_feed()
            self._frames()
            if self.worker.handling:
                from copepod import handling

                handling.limit(self, self.jobs[1].task)
                handling = None

    def _alive(self):
        # Both tasks have given a sign of life. A link has remedies of its own.
        channel = self.channel
        if channel.state != "linking" and ticks_diff(ticks_ms(), channel.alive_ms) >= _STALLED_MS:
            return False
        return not self.worker.stuck

    def _ended(self, job):
        # The task has failed and will be started again, unless it should not, or has failed too often.
        error = job.error
        try:
            from copepod import failures

            final = failures.ended(self, job)
            forget("copepod.failures")
        except MemoryError:  # for looking at it: there may be some in a second, else all is given up
            job.crashes += 1
            final = job.crashes >= _UNSEEN
        if final:
            raise error

    def _count_seconds(self):
        now = ticks_ms()
        seconds = ticks_diff(now, self.tick_ms) // 1000
        self.seconds += seconds
        self.tick_ms = ticks_add(self.tick_ms, seconds * 1000)

    # Frames ---------------------------------------------------------------------------------

    frame_s: int  # when the last frame was written
    frame_count: int  # messages received by then
    second_count: int  # messages received a second ago

    def _frames(self):
        if not self.channel.steady:
            return
        count = self.stats.received
        quiet = count == self.second_count
        self.second_count = count
        if quiet and count - self.frame_count >= _BURST:
            self._frame("burst")
        elif self.seconds - self.frame_s >= self.config.telemetry_interval_s:
            self._frame("interval")

    def _frame(self, phase):
        self.frame_s = self.seconds
        self.frame_count = self.stats.received
        self.telemetry.frame(phase)
