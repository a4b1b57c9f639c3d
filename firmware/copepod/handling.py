"""What a message goes through that has handlers. Memory: loaded by the first one, then kept."""

import sys
from time import ticks_diff, ticks_ms

from micropython import const

from copepod import registry
from copepod.messages import OutboundMessage
from copepod.once import forget
from copepod.platform import port, record

_BUILT_IN_B = const(6000)  # of Python's heap, for builtin.py, what it imports and its answer: see text/state.py
_MOMENT_MS = const(100)  # a handler that is at work for longer may have others served beside it

questions: list = []  # that handlers have asked and nobody has answered, see asking.py


async def answer(worker, msg, again):
    """Ask the handlers of `msg`, one after the other; `again`: the last one asked goes on.

    Returns the answer, a str or `msg` itself for the echo; an OutboundMessage that a flood limit holds, or a
    question, after which the handler goes on; anything else: no more is to be sent.
    """
    if worker.asides and not again:
        from copepod import turns

        turn = turns.turn(worker, msg)
        del turns  # which this frame would keep
        if turn is not None:
            return await turn
    steps = worker.steps
    if not steps:  # or only its turn has come
        again = False
        worker.steps = steps = Steps()
    steps.timed_out = steps.parked = False
    result: "Any" = None
    try:
        if again:
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
                    beside = "copepod.telegram.kept_offsets" in sys.modules
                    counts = worker.gateway.channel.offsets if beside else record
                    if counts.work_begin(msg.update_id):
                        handler = _left_alone
                result = handler(msg)
                if hasattr(result, "send"):  # a coroutine or generator
                    result = await steps.of(result)
                if result is not False:
                    break
        if not (result is None or result is msg or isinstance(result, (str, OutboundMessage))):
            from copepod import streams

            result = await streams.results(worker, msg, steps, result)
        if again and isinstance(result, str):
            from copepod import answers

            answers.leave_poll(worker.gateway)  # which is a long one, while somebody is asked
        if not isinstance(result, OutboundMessage):
            steps.of(None)  # a coroutine that has ended keeps all that it knew
        return result
    finally:
        if steps.seats:
            from copepod import seats

            seats.take_back(worker)
        if msg.callback_id is not None and not msg.handled:
            msg.handled = True
            worker.gateway.wake_channel.set()


def limit(gateway, task, beside=None):
    """A handler runs in `task`: give it up when it has taken longer than it may.

    An answer that waits for the network is not the handler's fault, and must not be lost. Before that others are served
    beside it (seats.py). `beside`: the Worker of one that is at work beside others.
    """
    if task is None or gateway.channel.outbox.busy() or len(gateway.bus.outbound):
        return
    worker = beside or gateway.worker
    spent_ms = ticks_diff(ticks_ms(), worker.since_ms)
    limit_ms = gateway.config.gateway_handler_timeout_s * 1000
    if spent_ms > limit_ms:
        from copepod import failures

        failures.give_up(worker, task, limit_ms)
        forget("copepod.failures")
    elif spent_ms > _MOMENT_MS and beside is None and not worker.steps.alone:
        try:
            from copepod import seats

            seats.look(worker, limit)
        except MemoryError:  # then they wait
            pass


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
        self.alone = False  # nobody may be served beside it, see seats.py
        self.seats = 0  # given for it
        self._steps: "Any" = None

    def of(self, steps):
        """Watch the coroutine `steps`; returns this object, to be awaited."""
        self._steps = steps
        self.part = None
        self.lost = self.alone = False
        return self

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
