"""Answers that are sent while they are written. Memory: loaded for one; what is called drops it.

A list, a generator, whatever yields str, with awaits inside. Such an answer is one message in the outbox,
however many pieces it becomes, and nothing else is sent before its end: when a handler says something else
in between, what it has yielded ends there, and what it yields after it is another message.
"""

from copepod import answers
from copepod.messages import AnswerRefused, OutboundMessage
from copepod.once import forget


async def send(gateway, message, steps):
    """Send `message`, whose part is what yields the parts, or a str for which a stream has to end.

    Returns the last message that came of it. `steps`: of the handler that is at work.
    """
    forget("copepod.streams")
    parts = message.part
    if steps is not None and steps.stream is not None:
        await _end(gateway, steps)
        if isinstance(parts, str):
            await answers.put(gateway, message)
            await answers.settled(gateway, message, steps)
            return message
    return await _send_parts(gateway, message, parts, steps, steps)


async def results(worker, msg, steps, result):
    """Send what the handler of `msg` returns, or yields: then `result` is `steps`, which has the first part.

    Returns what is no part of an answer: see handling.answer.
    """
    forget("copepod.streams")
    while True:
        if result is steps:
            rest = _Rest(steps)
            message = OutboundMessage(msg.chat_id, None, msg.message_id, msg.thread_id)
            message.sent = sent = answers.Sent(worker.gateway)
            message = await _send_parts(worker.gateway, message, rest, steps, None)
            sent.chat_id = message.chat_id
            sent.thread_id = msg.thread_id
            msg.sent = sent
            result = rest.result
        elif hasattr(result, "send"):  # a generator
            result = await steps.of(result)
        elif _is_parts(result):
            result = await steps.of(msg.answer(result))
        else:
            return result


def _is_parts(result):
    if isinstance(result, (list, tuple)):
        return True
    return (
        hasattr(result, "__next__") or hasattr(result, "__iter__") or hasattr(result, "__aiter__")
    )


async def _send_parts(gateway, message, parts, steps, watched):
    # `watched`: the steps, unless it is the worker itself that goes through them.
    items = parts.__aiter__() if hasattr(parts, "__aiter__") else _Items(iter(parts))
    message.part = None
    message.complete = False
    try:
        await answers.put(gateway, message)
        while True:
            if steps is not None:
                steps.stream = message
            try:
                part = await items.__anext__()
            except StopAsyncIteration:
                break
            if not isinstance(part, str):
                raise TypeError("an answer is made of str")
            if part and message.state == 1:  # what was said in between has ended it
                sent = message.sent
                message = OutboundMessage(message.chat_id, None, None, message.thread_id)
                message.sent = sent
                message.complete = False
                await answers.put(gateway, message)
            if part and message.state == 0:
                message.part = part
                gateway.wake_channel.set()
                while message.part is not None and message.state == 0:
                    await message.signal
            if message.state == 2:
                break  # refused: nobody goes on writing it
        message.complete = True
        gateway.wake_channel.set()
    finally:
        if steps is not None:
            steps.stream = None
        if not message.complete:
            answers.drop(gateway, message)
    await answers.settled(gateway, message, watched)
    return message


async def _end(gateway, steps):
    # What the handler was saying part by part is a message of its own, since it now says something else.
    stream = steps.stream
    steps.stream = None
    stream.complete = True
    gateway.wake_channel.set()
    while stream.state == 0:
        await stream.signal
    if stream.state == 2:
        raise AnswerRefused(stream.reason)


class _Items:
    """Async iterator over the items of an iterator.

    It may be an async generator, which MicroPython knows as any other: what it awaits goes to the loop, or aside.
    """

    def __init__(self, items):
        self._items = items

    def __anext__(self):
        return self

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        try:
            item = next(self._items)
        except StopIteration:
            raise StopAsyncIteration
        if item is not None and not isinstance(item, OutboundMessage):
            raise StopIteration(item)
        return item


class _Rest:
    """Async iterator over what a handler yields; in the end `result` is what it has come to."""

    def __init__(self, steps):
        self._steps = steps
        self.result: "Any" = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        steps = self._steps
        if steps.part is None:
            self.result = await steps
            if self.result is not steps:
                raise StopAsyncIteration
        part = steps.part
        steps.part = None
        return part
