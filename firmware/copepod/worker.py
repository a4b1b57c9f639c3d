"""Runs one handler at a time, and survives whatever it does. Memory: made at start; a message costs what it is.

A handler that fails, is given up or waits for nothing ends here: its sender is told, its message is
finished, the next one is taken. What seldom happens stands in failures.py.
"""

from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]
from time import ticks_ms

from copepod import handlers
from copepod.bus import ROOM_MS
from copepod.messages import AnswerRefused, OutboundMessage
from copepod.once import forget
from copepod.platform import record
from copepod.signal import Signal

_ECHO = (handlers.echo,)
NO_MEMORY = "Sorry, I have no memory left for that."


class Worker:
    """The task of the handlers. `msg` is the message being worked on since `since_ms`."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.msg: "Any" = None
        self.since_ms = 0
        self.handling = False  # code of a handler runs, and may be given up
        self.timed_out = False  # it is being given up: the CancelledError is ours
        self.parked = False  # it was found to wait for nothing
        self.stuck = False  # it goes on whatever is done: the watchdog's turn
        self.task: "Any" = None
        self.steps = Steps()
        self.asides: list = []  # (message, its handler's steps or None, the answer that was put aside)
        self.own: "Any" = None  # the answer that a handler returns

    async def run(self):
        """Take messages from the bus for ever."""
        gateway = self.gateway
        inbound = gateway.bus.inbound
        self.task = core.cur_task
        if self.msg is not None:
            await self._after_crash()
        self.renew()
        while True:
            steps = None
            msg = self._back() if self.asides else None
            if msg is not None:
                steps = self.steps.going_on()
            else:
                msg = inbound.get()
            if msg is None:
                await gateway.wake_worker
                continue
            self.since_ms = ticks_ms()
            self.msg = msg
            msg.gateway = gateway
            failure = None
            result: "Any" = None
            try:
                if steps is not None:
                    self.handling = True
                    result = await steps
                for handler in self._handlers(msg) if steps is None else ():
                    if (
                        not self.handling
                        and handler is not handlers.echo
                        and handler is not _built_in
                    ):
                        self.handling = True
                        # It may take the whole process with it: that is counted, so that it ends.
                        if record.work_begin(msg.update_id):
                            handler = _left_alone
                    result = handler(msg)
                    if hasattr(result, "send"):  # a coroutine or generator
                        result = await self.steps.of(result)
                        if result is self.steps:  # it yields its answer
                            result = await self._stream(msg)
                    if result is not False:
                        break
            except KeyboardInterrupt:  # Ctrl-C is for the gateway, whatever runs
                raise
            except BaseException as error:  # a user's handler may raise anything
                failure = error
            self.handling = False
            if failure is not None:
                result = self._failed(failure)
            if isinstance(result, OutboundMessage):
                self._leave(self.steps, result)
                continue
            own = self.own
            if (result is msg or isinstance(result, str)) and own.reply(msg, result):
                while not gateway.bus.outbound.put(own):
                    await own.signal.limit(ROOM_MS)
                while own.state == 0 and not own.aside:
                    await own.signal
                if own.state == 0:
                    self._leave(None, own)
                    continue
            self.finish()

    def renew(self):
        """Have an answer and steps that nobody else refers to."""
        self.steps = Steps()
        self.own = OutboundMessage(0, None)
        self.own.signal = Signal()

    def _leave(self, steps, answer):
        # The answer waits for a flood limit to end: go on with others meanwhile.
        answer.signal = self.gateway.wake_worker
        self.asides.append((self.msg, steps, answer))
        self.msg = None
        self.timed_out = self.parked = False
        self.renew()

    def _back(self):
        # A message whose handler may go on, because its answer was sent. What needs no more is finished.
        for entry in self.asides[:]:
            msg, steps, answer = entry
            if answer.state:
                self.asides.remove(entry)
                if steps is not None:
                    self.steps = steps
                    return msg
                self.msg = msg
                self.finish()
        return None

    def _handlers(self, msg):
        # Those that are asked, one after the other.
        if msg.kind == "notice":
            return _ECHO
        if msg.kind == "edited":
            return handlers.edits
        command = msg.command
        if command is None:
            return handlers.texts
        if command in handlers.commands:
            return handlers.commands[command][:1]
        return [_built_in] + handlers.texts

    async def _stream(self, msg):
        # The handler is a generator of parts: the first one is in `steps`.
        from copepod import answers

        await answers.send_parts(self.gateway, msg, self.steps)
        return None

    def _failed(self, error):
        # What to say to the sender.
        if isinstance(error, AnswerRefused) and not self.timed_out:
            return None  # nobody is there to be told
        try:
            from copepod import failures

            said = failures.apology(self, error)
            forget("copepod.failures")
        except MemoryError:
            said = NO_MEMORY
        return said

    async def _after_crash(self):
        from copepod import failures

        await failures.after_crash(self)
        forget("copepod.failures")

    def finish(self):
        """The message needs nothing more."""
        msg = self.msg
        self.msg = None
        self.timed_out = self.parked = self.stuck = False
        msg.discard()
        self.gateway.channel.finished(msg.update_id)


def _built_in(msg):
    from copepod import builtin

    try:
        return builtin.answer(msg)
    finally:
        forget("copepod.builtin")


def _left_alone(msg):
    from copepod import failures

    try:
        return failures.left_alone(msg)
    finally:
        forget("copepod.failures")


class Steps:
    """Awaitable over a handler's coroutine or generator: each step it takes goes through here.

    An await ends when it does, with what it returns, or when it yields a str, with this object, or with
    an answer of its that was put aside. What it awaits is the loop's. `lost` ends it although it goes on
    catching its CancelledError.
    """

    def __init__(self):
        self.part: "str | None" = None  # that it has yielded
        self.lost = False  # what it does is not asked for any more
        self._steps: "Any" = None

    def of(self, steps):
        """Watch the coroutine `steps`; returns this object, to be awaited."""
        self._steps = steps
        self.part = None
        self.lost = False
        return self

    def going_on(self):
        """Watch the same one again; returns this object, to be awaited, or None if there is none."""
        return None if self._steps is None else self

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        return self._taken(self._steps.send(None))

    def throw(self, error):
        """The loop's way to cancel."""
        if self.lost:
            raise error
        return self._taken(self._steps.throw(error))

    def _taken(self, item):
        if item is None:
            return None  # it awaits something
        if isinstance(item, OutboundMessage):
            raise StopIteration(item)
        if not isinstance(item, str):
            raise TypeError("a handler yields str")
        self.part = item
        raise StopIteration(self)
