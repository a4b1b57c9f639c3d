"""What a handler says itself. Memory: loaded by the first answer, then kept until the assistant has answered."""

from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]

from copepod.bus import ROOM_MS
from copepod.messages import AnswerRefused, OutboundMessage
from copepod.once import forget
from copepod.signal import Signal


async def send(
    gateway, chat_id, markdown, reply_to, thread_id, buttons=None, msg=None, sent: "Any" = None
) -> "Any":
    """Send `markdown`, whole or in parts. Returns a Sent once it is accepted, or AnswerRefused.

    `msg`: the message whose last answer this is. `sent`: what is returned, where it is a special one.
    """
    if buttons:
        from copepod import keyboard

        markup = keyboard.markup(buttons)
        del keyboard  # before the next one is loaded
        from copepod import special

        return await special.send(gateway, chat_id, markdown, reply_to, thread_id, markup, None, msg)
    if sent is None:
        sent = Sent(gateway)
    message = OutboundMessage(chat_id, markdown, reply_to, thread_id)
    message.sent = sent
    steps = watched(gateway)
    if steps is not None and steps.stream is not None or not isinstance(markdown, str):
        from copepod import streams

        message = await streams.send(gateway, message, steps)
    else:
        await put(gateway, message)
        await settled(gateway, message, steps)
    sent.chat_id = message.chat_id
    sent.thread_id = thread_id
    if msg is not None:
        msg.sent = sent
    return sent


async def put(gateway, message):
    """Put `message` into the queue as soon as there is room; what polls meanwhile stops."""
    message.signal = signal = Signal()
    while not gateway.bus.outbound.put(message):
        await signal.limit(ROOM_MS)
    leave_poll(gateway)


def leave_poll(gateway):
    """Something is to be sent: end a long poll that is under way."""
    if gateway.channel.state == "polling":
        from copepod.telegram import leave

        leave.leave_poll(gateway.channel)
        forget("copepod.telegram.leave")


async def settled(gateway, message, steps):
    """Wait until Telegram has accepted `message`, all of it, or AnswerRefused."""
    try:
        while message.state == 0:
            if message.aside and steps is not None:
                message.aside = False
                from copepod import postponed

                await postponed.Aside(message)  # the worker has others to serve meanwhile
            else:
                await message.signal
    finally:
        if message.state == 0:
            drop(gateway, message)
    if message.state == 2:
        raise AnswerRefused(message.reason)


def drop(gateway, message):
    """Who says `message` is cancelled: the channel drops it."""
    message.complete = True
    message.state = 2
    message.reason = "cancelled"
    gateway.wake_channel.set()


def watched(gateway):
    """The handling.Steps of the handler that runs; None in a task of its own."""
    worker = gateway.worker
    if core.cur_task is not gateway.jobs[1].task:
        worker = None
        for lane in gateway.jobs[2:]:
            if core.cur_task is lane.task:
                worker = lane.worker
    return worker.steps if worker is not None and worker.handling else None


class Sent:
    """What was said: `chat_id`, and the `message_id` of its last piece, None when there is none.

    While a message is on its way the outbox asks its Sent for what a request has besides the text.
    """

    message_id: "int | None" = None

    def __init__(self, gateway):
        self.gateway = gateway
        self.chat_id: "Any" = None
        self.thread_id: "Any" = None

    def edit(self, markdown, buttons=None):
        """Awaitable: replace this message, its buttons too. What is longer than a message goes on in new ones.

        Gives a Sent of the last of them. AnswerRefused when Telegram refuses it; the same text again is none.
        """
        from copepod import editing

        return editing.edit(
            self.gateway, self.chat_id, self.thread_id, self.message_id, markdown, buttons
        )

    def write(self, call, box) -> bool:
        """Write the rest of a request into `call`; False: the text is still missing."""
        return False
