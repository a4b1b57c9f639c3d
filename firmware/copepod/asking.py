"""Questions: a handler waits for what somebody says next. Memory: loaded by the first, then kept.

While it waits the worker has others to serve, as while a flood limit holds an answer (postponed.py). Its own
update is acknowledged before: polls go on as ever, and a restart forgets the question.
"""

import asyncio
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod import answers, handling
from copepod.messages import OutboundMessage
from copepod.signal import Signal

_MOST = const(8)  # questions at a time
_LONGEST_S = const(86400)
_LOOK_MS = const(500)  # at the clock

_clock: "Any" = None  # the task that ends what was asked too long ago; one, while any is open


async def ask(msg, question, buttons, timeout_s):
    """Say `question` and wait: see Received.ask."""
    global _clock
    gateway = msg.gateway
    questions = handling.questions
    if not 0 < timeout_s <= _LONGEST_S:
        raise ValueError("timeout_s is %r, more than 0 and at most a day" % (timeout_s,))
    if len(questions) >= _MOST:
        raise RuntimeError("%d questions are open already" % _MOST)
    waiting = Question(msg)
    questions.append(waiting)
    try:
        await msg.answer(question, buttons)
        waiting.deadline = ticks_add(ticks_ms(), int(timeout_s * 1000))
        if _clock is None:
            _clock = asyncio.create_task(_end_late_ones(gateway.worker))
        if answers.watched(gateway) is not None:
            from copepod import postponed

            await postponed.Aside(waiting)
        else:
            while waiting.state == 0:
                await waiting.signal
    finally:
        questions.remove(waiting)
        if not questions and _clock is not None:
            _clock.cancel()
            _clock = None
    return waiting.reply


async def _end_late_ones(worker):
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        for question in handling.questions:
            deadline = question.deadline
            if (
                deadline is not None
                and question.state == 0
                and ticks_diff(deadline, ticks_ms()) <= 0
            ):
                question.over(worker, None)


class Question(OutboundMessage):
    """One that is open. To the worker it is an answer that takes its time: `state` is 0 until it is over."""

    def __init__(self, msg):
        super().__init__(msg.chat_id, None)
        self.signal = Signal()
        self.sender_id = msg.sender_id
        self.deadline: "Any" = None  # once Telegram has accepted it
        self.reply: "Any" = None
        self.waits: "Any" = None  # the message whose handler waits, and the handler's steps, once that is put aside

    def leave(self, worker):
        """The handler waits from now on: the worker may take another message."""
        msg = worker.msg
        self.waits = (msg, worker.steps, self)
        worker.msg = worker.steps = None
        if not msg.acknowledged:
            msg.acknowledged = True
            worker.gateway.channel.finished(msg.update_id)

    def hears(self, worker, msg):
        """Take `msg` for the answer to this; False when it is none."""
        if self.chat_id != msg.chat_id or self.sender_id != msg.sender_id:
            return False
        if self.deadline is None or self.state or msg.kind == "edited":
            return False
        if msg.command is not None and "." in msg.command:  # a bot.py: see update.py
            if worker.gateway.access.ids[:1] == [msg.sender_id]:
                return False
            msg.command = None
        msg.text  # out of the buffer: the worker is done with it  # noqa: B018
        self.over(worker, msg)
        return True

    def over(self, worker, reply):
        """Let the handler go on with `reply`."""
        self.reply = reply
        self.state = 1
        if self.waits:
            worker.asides.append(self.waits)
            self.waits = None
            worker.gateway.wake_worker.set()
        else:
            self.signal.set()
