"""Wiring and supervision: which tasks run, and what happens when one fails. Memory: made at start.

Three tasks: the supervisor (this file's main loop, once a second), the channel, which owns the one
connection, and the worker, which runs one handler at a time.
"""

import asyncio
import gc
import sys
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod import handlers
from copepod.access import Access
from copepod.bus import Bus
from copepod.log import log
from copepod.messages import AnswerRefused, OutboundMessage
from copepod.net import wait
from copepod.platform import port
from copepod.signal import Signal
from copepod.telegram.api import Stop
from copepod.telegram.channel import Channel

_TICK_MS = const(1000)
_BURST = const(10)  # messages that make a burst worth a frame of its own
_STALLED_MS = const(180000)  # longest a healthy channel may go without a step
_WATCHDOG_MS = const(120000)
_ROOM_MS = const(100)  # how often to ask again for room in a full queue
_CRASHES = const(5)  # in a row, before the machine is given up to main.py
_HEALTHY_S = const(600)


class Gateway:
    """Everything that runs, built from a Config.

    What happens once, seldom, or only where there are handlers, stands in methods of their own,
    which a board loads when they are called (copepod/rooms.toml).
    """

    def __init__(self, config, telemetry):
        self._set_up(config, telemetry)

    def _set_up(self, config, telemetry):
        self.config = config
        self.stats = telemetry.stats
        self.telemetry = telemetry
        self.wake_worker = Signal()
        self.wake_channel = Signal()
        self.tick = Signal()
        self.access = Access(config.allow_from)
        self.bus = None
        self.channel = None
        self.working_on = None  # the message whose handler runs
        self.working_since_ms = 0
        self.seconds = 0  # since start; counted, because ticks wrap after twelve days
        self._crashes = self._crashed_s = 0
        self._tick_ms = ticks_ms()
        self._answer_signal = Signal()
        self._handling = False  # a handler runs, and may be given up
        self._timed_out = False
        self._worker = None
        self._ends: list = [None, None]  # why the channel and the worker ended

    # Answers --------------------------------------------------------------------------------

    async def answer(self, msg, markdown):
        """Send `markdown` to the chat of `msg`, as a reply to it; see InboundMessage.answer."""
        await self.send(msg.chat_id, markdown, msg.message_id, msg.thread_id)

    async def send(self, chat_id, markdown, reply_to=None, thread_id=None):
        """Send `markdown` (str, iterable or async iterable of str) to a chat; or AnswerRefused."""
        if isinstance(markdown, str):
            await self._send(OutboundMessage(chat_id, markdown, reply_to, thread_id), None)
        else:
            await self._send(OutboundMessage(chat_id, None, reply_to, thread_id), markdown)

    async def _send(self, message, parts):
        # `parts`: an iterable or async iterable of str that is still being written, or None.
        message.complete = parts is None
        signal = self._answer_signal or Signal()
        self._answer_signal = None
        signal.clear()
        message.signal = signal
        try:
            while not self.bus.outbound.put(message):
                await signal.limit(_ROOM_MS)
            if parts is not None:
                try:
                    if hasattr(parts, "__aiter__"):
                        async for part in parts:
                            if await self._hand_over(message, part):
                                break
                    else:
                        for part in parts:
                            if await self._hand_over(message, part):
                                break
                finally:
                    message.complete = True
                    self.wake_channel.set()
            while message.state == 0:
                await signal
        finally:
            if message.state == 0:
                message.state = 2  # cancelled: the channel drops it
                message.reason = "cancelled"
            self._answer_signal = signal
        if message.state == 2:
            raise AnswerRefused(message.reason)

    async def _hand_over(self, message, part):
        # True when Telegram has refused the message, so that nobody goes on writing it.
        if not isinstance(part, str):
            raise TypeError("an answer is made of str")
        if part:
            message.part = part
            self.wake_channel.set()
            while message.part is not None and message.state == 0:
                await message.signal
        return message.state != 0

    # The worker -----------------------------------------------------------------------------

    async def _work(self):
        # One message at a time. The echo is part of this loop: a coroutine would be garbage.
        inbound = self.bus.inbound
        outbound = self.bus.outbound
        own = Signal()
        echo = OutboundMessage(0, None)
        while True:
            msg = inbound.get()
            if msg is None:
                await self.wake_worker
                continue
            if msg.kind is not None:
                self.working_since_ms = ticks_ms()
                self.working_on = msg
                msg.gateway = self
                if msg.command is not None or handlers.texts:
                    self._handling = True
                    try:
                        taken = await self._handle(msg)
                    except MemoryError:  # for the handler's own code: the others still get their answers
                        taken = True
                        log("handler", "no memory to answer")
                    self._handling = False
                else:
                    taken = False
                if not taken and echo.take(msg):
                    own.clear()
                    echo.signal = own
                    while not outbound.put(echo):
                        await own.limit(_ROOM_MS)
                    while echo.state == 0:
                        await own
                self.working_on = None
            self.channel.finished(msg.update_id)

    async def _handle(self, msg):
        apology = trouble = None
        try:
            return await handlers.dispatch(msg)
        except asyncio.CancelledError:
            if not self._timed_out:
                raise
            self._timed_out = False
            apology = "Sorry, that took too long and I gave it up."
            log("handler", "gave up after ", self.config.gateway_handler_timeout_s, " s")
        except AnswerRefused:
            return True  # nobody is there to be told
        except Exception as error:  # a user's handler may raise anything
            apology = "Sorry, something went wrong while I was working on that."
            trouble = error
        if trouble is not None:
            self.stats.handler_errors += 1
            self._failed("handler", trouble)
        try:
            await self.answer(msg, apology)
        except AnswerRefused:
            pass
        return True

    def _failed(self, area, error):
        self.stats.errors += 1
        if isinstance(error, MemoryError):
            gc.collect()
        log(area, "failed: ", type(error).__name__, ": ", error)
        sys.print_exception(error)
        self.telemetry.event("error", 0)

    # Supervision ----------------------------------------------------------------------------

    async def main(self):
        """Run until the token is refused (raises Stop) or tasks crash five times in a row."""
        await self._start()
        tasks: list = [None, None]
        while True:
            if tasks[0] is None:
                tasks[0] = asyncio.create_task(self._guarded(0, self.channel.run()))
            if tasks[1] is None:
                tasks[1] = self._worker = asyncio.create_task(self._guarded(1, self._work()))
            await self.tick.limit(_TICK_MS)
            self._count_seconds()
            channel = self.channel
            if channel.linking or ticks_diff(ticks_ms(), channel.alive_ms) < _STALLED_MS:
                port.watchdog_feed()
            self._frames()
            if self._handling:
                self._limit_handler()
            for index in (0, 1):
                error = self._ends[index]
                if error is not None:
                    self._ends[index] = tasks[index] = None
                    try:
                        given_up = self._ended(index, error)
                    except MemoryError:  # for saying so: then without a word
                        self._crashes += 1
                        given_up = self._crashes >= _CRASHES
                    if given_up:
                        raise error

    async def _start(self):
        wait.install()
        config = self.config
        self.bus = Bus(config.bus_capacity, config.bus_bytes, self.wake_worker, self.wake_channel)
        self.channel = Channel(self)
        self.telemetry.frame("bus-created", True)
        if config.gateway_health:
            from copepod import health

            await health.start(self)
        port.watchdog_start(_WATCHDOG_MS)

    def _ended(self, index, error):
        # A task has failed and will be started again; True when it should not, or has failed too often.
        if isinstance(error, Stop):
            return True
        self._failed("worker" if index else "channel", error)
        if self.seconds - self._crashed_s > _HEALTHY_S:
            self._crashes = 0
        self._crashed_s = self.seconds
        self._crashes += 1
        return self._crashes >= _CRASHES

    async def _guarded(self, index, work):
        # A task that ends leaves its reason where the supervisor looks, so that it is printed once.
        try:
            await work
        except Exception as error:
            self._ends[index] = error
        self.tick.set()

    def _count_seconds(self):
        now = ticks_ms()
        seconds = ticks_diff(now, self._tick_ms) // 1000
        self.seconds += seconds
        self._tick_ms = ticks_add(self._tick_ms, seconds * 1000)

    def _limit_handler(self):
        # An answer that waits for the network is not the handler's fault, and must not be lost.
        if not self.channel.outbox.busy() and not len(self.bus.outbound):
            limit_ms = self.config.gateway_handler_timeout_s * 1000
            if ticks_diff(ticks_ms(), self.working_since_ms) > limit_ms:
                self.working_since_ms = ticks_ms()
                self._timed_out = True
                self._worker.cancel()

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


def run(config, telemetry):
    """Run with these settings; returns an exit status when there is nothing to retry: see startup.run."""
    gateway = Gateway(config, telemetry)
    try:
        asyncio.run(gateway.main())
    except Stop as error:
        log("telegram", error)
        return 1
    except KeyboardInterrupt:
        telemetry.event("stop", 0)
        telemetry.frame("stop")
        return 0
