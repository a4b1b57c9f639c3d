"""What a handler sends itself: whole, or while it is being written. Memory: loaded by the first, then kept."""

from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]

from copepod.bus import ROOM_MS
from copepod.messages import AnswerRefused, OutboundMessage
from copepod.signal import Signal


async def send(gateway, message, parts=None):
    """Send `message`, made of `parts` if it is no str. Returns once it is accepted; or AnswerRefused."""
    own = not isinstance(parts, _Rest)  # a handler is watched: see worker.Steps
    message.complete = parts is None
    message.signal = signal = Signal()
    try:
        while not gateway.bus.outbound.put(message):
            await signal.limit(ROOM_MS)
        gateway.channel.leave_poll()
        if parts is not None:
            try:
                if hasattr(parts, "__aiter__"):
                    async for part in parts:
                        if await _hand_over(gateway, message, part):
                            break
                else:
                    steps = _Parts(iter(parts))
                    while True:
                        part = await steps
                        if part is steps or await _hand_over(gateway, message, part):
                            break
            finally:
                message.complete = True
                gateway.wake_channel.set()
        while message.state == 0:
            worker = gateway.worker
            if message.aside and own and worker.handling and core.cur_task is worker.task:
                message.aside = False
                await _Aside(message)  # the worker has others to serve meanwhile
            else:
                await signal
    finally:
        if message.state == 0:
            message.state = 2  # cancelled: the channel drops it
            message.reason = "cancelled"
            gateway.wake_channel.set()
    if message.state == 2:
        raise AnswerRefused(message.reason)


async def send_parts(gateway, msg, steps):
    """Send what a handler yields as the answer to `msg`; the first part is in `steps` already."""
    message = OutboundMessage(msg.chat_id, None, msg.message_id, msg.thread_id)
    await send(gateway, message, _Rest(steps))


async def _hand_over(gateway, message, part):
    # True when Telegram has refused the message, so that nobody goes on writing it.
    if not isinstance(part, str):
        raise TypeError("an answer is made of str")
    if part:
        message.part = part
        gateway.wake_channel.set()
        while message.part is not None and message.state == 0:
            await message.signal
    return message.state != 0


class _Aside:
    """Awaitable that gives `message` to who watches the handler: worker.Steps."""

    def __init__(self, message):
        self._message = message

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        message = self._message
        self._message = None
        if message is None:
            raise StopIteration
        return message


class _Parts:
    """Awaitable: the next item of an iterator, itself at the end.

    The iterator may be an async generator, which MicroPython knows as any other: None is what it awaits.
    """

    def __init__(self, items):
        self._items = items

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        try:
            item = next(self._items)
        except StopIteration:
            item = self
        if item is not None:
            raise StopIteration(item)


class _Rest:
    """Async iterator over what a handler yields."""

    def __init__(self, steps):
        self._steps = steps

    def __aiter__(self):
        return self

    async def __anext__(self):
        steps = self._steps
        part = steps.part
        if part is None and await steps is steps:
            part = steps.part
        steps.part = None
        if part is None:
            raise StopAsyncIteration
        return part
