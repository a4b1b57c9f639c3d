"""What a message goes through that has handlers. Memory: loaded by the first one, then kept."""

import sys
from time import ticks_diff, ticks_ms

from micropython import const

from copepod import registry
from copepod.messages import OutboundMessage
from copepod.once import forget
from copepod.platform import port, record

_BUILT_IN_B = const(4200)  # of Python's heap, for builtin.py and commands.py: see text/state.py
_MOMENT_MS = const(100)  # a handler that is at work for longer may have others served beside it
_SEATS = const(4)  # messages that are fetched meanwhile

questions: list = []  # that handlers have asked and nobody has answered, see asking.py


async def answer(worker, msg, again):
    """Ask the handlers of `msg`, one after the other; `again`: the last one asked goes on.

    Returns the answer, a str or `msg` itself for the echo; an OutboundMessage that a flood limit holds, or a
    question, after which the handler goes on; anything else: no more is to be sent.
    """
    steps = worker.steps
    if steps is None:
        worker.steps = steps = Steps()
    steps.timed_out = steps.parked = False
    result: "Any" = None
    begun = again and steps.begun()
    if not begun:
        steps.alone = False
        if not again:
            for lane in worker.gateway.jobs[2:]:
                if lane.chat_id == msg.chat_id:
                    from copepod import parallel

                    return await parallel.turn(worker, msg)
    try:
        if begun:
            worker.handling = True
            result = await steps
        else:
            for question in questions:
                if question.hears(worker, msg):
                    return None
            for handler in _handlers(msg):
                if not worker.handling and handler is not _echo and handler is not _built_in:
                    worker.handling = True
                    # It may take the whole process with it: that is counted, so that it ends.
                    if _counts(worker.gateway).work_begin(msg.update_id):
                        handler = _left_alone
                result = handler(msg)
                if hasattr(result, "send"):  # a coroutine or generator
                    result = await steps.of(result)
                if result is not False:
                    break
        if not (result is None or result is msg or isinstance(result, (str, OutboundMessage))):
            from copepod import streams

            result = await streams.results(worker, msg, steps, result)
        if begun and isinstance(result, str):
            from copepod import answers

            answers.leave_poll(worker.gateway)  # which is a long one, while somebody is asked
        if not isinstance(result, OutboundMessage):
            steps.of(None)  # a coroutine that has ended keeps all that it knew
        return result
    finally:
        if steps.seats:
            unseat(worker, steps)
        if msg.callback_id is not None and not msg.handled:
            msg.handled = True
            worker.gateway.wake_channel.set()


def limit(gateway, task):
    """A handler runs in `task`: give it up when it has taken longer than it may.

    Before that others are served beside it: see parallel.py. None of it while it is an answer that it waits for.
    """
    worker = gateway.worker
    steps = worker.steps
    if (
        spent(worker, task) > _MOMENT_MS
        and not (steps.alone or steps.timed_out or steps.parked or steps.stream)
        and len(gateway.jobs) <= getattr(gateway.config, "handlers_parallel", 2)
    ):
        try:
            _seat(gateway, worker, steps)
        except MemoryError:  # then they wait
            pass


def spent(worker, task):
    """ms for which the handler that `worker` runs in `task` is at work; it is given up when that is too long.

    0 while something is being sent: an answer that waits for the network is not the handler's fault.
    """
    gateway = worker.gateway
    if task is None or gateway.channel.outbox.busy() or len(gateway.bus.outbound):
        return 0
    spent_ms = ticks_diff(ticks_ms(), worker.since_ms)
    limit_ms = gateway.config.gateway_handler_timeout_s * 1000
    if spent_ms > limit_ms:
        from copepod import failures

        failures.give_up(worker, task, limit_ms)
        forget("copepod.failures")
    return spent_ms


def _seat(gateway, worker, steps):
    # Have one message more fetched, and when it is of another chat move the handler aside.
    msg = worker.msg
    if msg.buffer is not None:
        port.need(msg.size_b())
        msg.text  # what is fetched may need the place  # noqa: B018
    inbound = gateway.bus.inbound
    for other in inbound.ring:
        if other is not None and other.chat_id != msg.chat_id:
            try:
                from copepod import parallel

                parallel.move(gateway)
            finally:
                if len(gateway.jobs) == 2:
                    forget("copepod.parallel")
            return
    if steps.seats <= len(inbound) and steps.seats < _SEATS:
        worker.asides.append((msg, None, None))
        steps.seats += 1
        inbound.filled = gateway.tick  # the supervisor shall look at it
        gateway.wake_channel.set()


def unseat(worker, steps):
    """No more messages are fetched than ever."""
    gateway = worker.gateway
    gateway.bus.inbound.filled = gateway.wake_worker
    steps.seats = 0
    asides = worker.asides
    for at in range(len(asides) - 1, -1, -1):
        if asides[at][2] is None:
            asides.pop(at)


def _counts(gateway):
    # Who knows how often an update was begun.
    beside = "copepod.telegram.kept_offsets" in sys.modules
    return gateway.channel.offsets if beside else record


def _handlers(msg):
    # Those that are asked, one after the other.
    if msg.kind == "edited":
        return registry.edits
    if msg.kind == "callback":
        return _pressed(msg) + registry.texts + [_echo]
    command = msg.command
    if command is None:
        return registry.texts + [_echo]
    if command in registry.commands:
        return registry.commands[command][:1]
    return [_built_in] + registry.texts + [_echo]


def _pressed(msg):
    from copepod.telegram import presses

    return presses.handlers(msg)


def _echo(msg):
    return msg


def _built_in(msg):
    port.need(_BUILT_IN_B)
    from copepod import builtin

    forget("copepod.builtin")
    return builtin.answer(msg)


def _left_alone(msg):
    from copepod import failures

    try:
        return failures.left_alone(msg)
    finally:
        forget("copepod.failures")


class Steps:
    """Awaitable over a handler's coroutine or generator: each step it takes goes through here.

    An await ends when it does, with what it returns, or when it yields a str, with this object. What
    it awaits is the loop's. An answer, or a question, that is put aside ends it, too; it goes on when it is
    awaited again.
    `lost` ends it although it goes on catching its CancelledError.
    """

    def __init__(self):
        self.part: "str | None" = None  # that it has yielded
        self.lost = False  # what it does is not asked for any more
        self.timed_out = False  # it is being given up: the CancelledError is ours
        self.parked = False  # it was found to wait for nothing
        self.stream: "Any" = None  # the OutboundMessage that its parts go into, see streams.py
        self.alone = False  # nothing may go on beside it: the assistant's turn
        self.seats = 0  # messages more than ever that may be fetched while it waits
        self._steps: "Any" = None

    def of(self, steps):
        """Watch the coroutine `steps`; returns this object, to be awaited."""
        self._steps = steps
        self.part = None
        self.lost = False
        return self

    def begun(self):
        """Whether there is a handler that goes on."""
        return self._steps is not None

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
