"""Supervision: which tasks run, and what happens when one ends, hangs or fails. Memory: made at start.

Three tasks: the supervisor (main(), once a second), the channel, which owns the one connection, and
the worker, which runs one handler at a time. What seldom happens stands in failures.py.
"""

import asyncio
from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.access import Access
from copepod.bus import Bus
from copepod.messages import OutboundMessage
from copepod.net import wait
from copepod.once import forget
from copepod.platform import port
from copepod.signal import Signal
from copepod.telegram.api import Stop
from copepod.telegram.channel import Channel
from copepod.worker import Worker

_TICK_MS = const(1000)
_BURST = const(10)  # messages that make a burst worth a frame of its own
_STALLED_MS = const(180000)  # longest a healthy channel may go without a step
_WATCHDOG_MS = const(120000)
_CRASHES = const(5)  # of a task in a row, before the machine is given up to main.py
_HEALTHY_S = const(600)
_PAUSE_MAX_S = const(30)  # before a task is started again


class Job:
    """A task that is started again when it ends. `run` makes its coroutine."""

    def __init__(self, name, run):
        self.name = name
        self.run = run
        self.task: "Any" = None
        self.error: "BaseException | None" = None  # why it has ended
        self.crashes = 0  # in a row
        self.crashed_s = 0  # when the last one was
        self.start_s = 0  # not before

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
    """Everything that runs, built from a Config. A handler has it as msg.gateway."""

    def __init__(self, config, telemetry):
        self.config = config
        self.stats = telemetry.stats
        self.telemetry = telemetry
        self.wake_worker = Signal()
        self.wake_channel = Signal()
        self.tick = Signal()
        self.access = Access(config.allow_from)
        self.bus: "Any" = None
        self.channel: "Any" = None
        self.worker: "Any" = None
        self.seconds = 0  # since start; counted, because ticks wrap after twelve days
        self._tick_ms = ticks_ms()

    # What a handler may call ----------------------------------------------------------------

    async def answer(self, msg, markdown):
        """Send `markdown` to the chat of `msg`, as a reply to it; see InboundMessage.answer."""
        await self.send(msg.chat_id, markdown, msg.message_id, msg.thread_id)

    async def send(self, chat_id, markdown, reply_to=None, thread_id=None):
        """Send `markdown` (str, iterable or async iterable of str) to a chat; or AnswerRefused.

        A long poll that is under way is left for it, which costs a new connection.
        """
        from copepod import answers

        if isinstance(markdown, str):
            await answers.send(self, OutboundMessage(chat_id, markdown, reply_to, thread_id))
        else:
            await answers.send(self, OutboundMessage(chat_id, None, reply_to, thread_id), markdown)

    # Supervision ----------------------------------------------------------------------------

    async def main(self):
        """Run until the token is refused (raises Stop) or a task fails five times in a row."""
        wait.install()
        config = self.config
        self.bus = Bus(config.bus_capacity, config.bus_bytes, self.wake_worker, self.wake_channel)
        self.worker = Worker(self)
        self.channel = Channel(self)
        self.telemetry.frame("bus-created", True)
        if config.gateway_health:
            from copepod import health

            await health.start(self)
        port.watchdog_start(_WATCHDOG_MS)
        jobs = (Job("channel", self.channel.run), Job("worker", self.worker.run))
        while True:
            for job in jobs:
                if job.error is not None:
                    self._ended(job)
                elif job.task is None:
                    if self.seconds >= job.start_s:
                        job.task = asyncio.create_task(job.guarded(self.tick))
                elif job.parked():
                    self._unpark(job)
            await self.tick.limit(_TICK_MS)
            self._count_seconds()
            if self._alive():
                port.watchdog_feed()
            self._frames()
            if self.worker.handling:
                self._limit_handler(jobs[1].task)

    def _alive(self):
        # Both tasks have given a sign of life. A link has remedies of its own.
        channel = self.channel
        if channel.state != "linking" and ticks_diff(ticks_ms(), channel.alive_ms) >= _STALLED_MS:
            return False
        return not self.worker.stuck

    def _limit_handler(self, task):
        # An answer that waits for the network is not the handler's fault, and must not be lost.
        if task is None or self.channel.outbox.busy() or len(self.bus.outbound):
            return
        limit_ms = self.config.gateway_handler_timeout_s * 1000
        if ticks_diff(ticks_ms(), self.worker.since_ms) > limit_ms:
            from copepod import failures

            failures.give_up(self.worker, task, limit_ms)
            forget("copepod.failures")

    def _unpark(self, job):
        from copepod import failures

        failures.unpark(self.worker, job)
        forget("copepod.failures")

    def _ended(self, job):
        # The task has failed and will be started again, unless it should not, or has failed too often.
        error = job.error
        job.error = job.task = None
        if isinstance(error, Stop):
            raise error
        try:
            from copepod import failures

            failures.note(self, job.name, error)
            forget("copepod.failures")
        except MemoryError:  # for saying so: then without a word
            pass
        if self.seconds - job.crashed_s > _HEALTHY_S:
            job.crashes = 0
        job.crashed_s = self.seconds
        job.crashes += 1
        if job.crashes >= _CRASHES:
            raise error
        job.start_s = self.seconds + min(1 << job.crashes, _PAUSE_MAX_S)

    def _count_seconds(self):
        now = ticks_ms()
        seconds = ticks_diff(now, self._tick_ms) // 1000
        self.seconds += seconds
        self._tick_ms = ticks_add(self._tick_ms, seconds * 1000)

    # Frames ---------------------------------------------------------------------------------

    _frame_s = 0  # when the last frame was written
    _frame_count = 0  # messages received by then
    _second_count = 0  # messages received a second ago

    def _frames(self):
        if not self.channel.steady:
            return
        count = self.stats.received
        quiet = count == self._second_count
        self._second_count = count
        if quiet and count - self._frame_count >= _BURST:
            self._frame("burst")
        elif self.seconds - self._frame_s >= self.config.telemetry_interval_s:
            self._frame("interval")

    def _frame(self, phase):
        self._frame_s = self.seconds
        self._frame_count = self.stats.received
        self.telemetry.frame(phase)
