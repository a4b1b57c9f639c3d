"""Asks the model, once a round: the request, its answer into the session's file, what to do when it fails.

Memory: a connection's two windows and the stream's reader, for a turn. sending.py has the request, closing.py the end
of a try.
"""

import asyncio
import errno
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.assistant.stream import AnswerStream
from copepod.once import forget

_DONE_MS = const(2000)  # for the end of a body whose last word was said
_WANTING = ("length", "content_filter")  # why an answer ends that is not whole


class Asking:
    """The model's side of one turn. After round() the session has a line more: an answer, or calls."""

    def __init__(self, gateway, msg, session, turn_at):
        self.gateway = gateway
        self.model = gateway.config.model
        self.endpoint = self.model.endpoint  # which of its models is asked
        self.session = session
        self.msg = msg
        self.turn_at = turn_at
        self._began_ms = ticks_ms()
        self.http: "Any" = None
        self.stream = AnswerStream(self._line)
        self.tries = 0  # of this round
        self.spent = False  # the day's tokens are used up
        self.asked_b = 0  # of the last request
        self.halved = False  # the history, for this question
        self.called = False  # tools were, in this turn
        self.patience = 0  # after so many tries another model may be asked; 0: none
        self.tried: "list" = []  # that have failed in this turn
        self.instead = ""  # how they have, when another one is asked
        self.lost_b = 0  # of answers that were cut, and are not used
        self.asked_ms = self._began_ms  # when the last request was begun
        self._stop = False  # its chat has sent /stop
        self._seen = -1  # messages that had come when that was last looked for

    # A round --------------------------------------------------------------------------------

    async def round(self, tools, note):
        """Ask once; `tools`: it may call some. `note` is said below an answer. True: it calls tools."""
        stream = self.stream
        self.tries = 0
        while True:
            self.tries += 1
            stream.restart()
            if stream.draft is not None:
                stream.draft.begin()
            said = self.stopped()  # the sentence when there is no answer
            pause_ms = self.patience = 0
            if said is None:
                try:
                    said, pause_ms = await self._once(tools)
                except (OSError, ValueError) as error:
                    said, pause_ms = _refusals().failed(self, error)
            pause_ms = _ended(self, said, pause_ms, note)
            if pause_ms is None:
                self.called = self.called or stream.calls > 0
                return bool(stream.calls)
            await asyncio.sleep_ms(pause_ms)

    async def _once(self, tools):
        # One request. Returns what to say below the answer or in its place, and when to try again (ms, 0: never).
        self.asked_ms = ticks_ms()
        await _send(self, tools)
        http = self.http
        stream = self.stream
        status = await http.response(self.silence_ms())
        if status != 200:
            try:
                await self._body(http)
            except ValueError:  # a page
                http.close()
            self.asked_b = 0  # which costs nothing
            return _refusals().meaning(self, status, http.retry_after_s * 1000)
        await self._body(http)
        whole = stream.end()
        if stream.failed:
            return _refusals().meaning(self, 0, 0)
        if whole and stream.finish_reason not in _WANTING and (stream.text_b or stream.calls):
            return None, 0
        return _refusals().wanting(self)

    async def _body(self, http):
        stream = self.stream
        while await http.fill():
            stream.take(http.buffer, http.start, http.end)
            if stream.done:
                http.silence(ticks_add(ticks_ms(), _DONE_MS))
                try:
                    while await http.fill():
                        pass
                except (OSError, ValueError):
                    http.close()
                return
            if self.stopped():
                raise OSError("stopped")
            left_ms = self.silence_ms()
            if not left_ms:
                raise OSError(errno.ETIMEDOUT)
            http.silence(ticks_add(ticks_ms(), left_ms))

    def _line(self):
        # While an answer comes nothing is sent: its line is written through the connection's other window.
        return self.session.line(self.http and self.http.outgoing())

    # Time -----------------------------------------------------------------------------------

    def left_ms(self):
        """What is left of the turn's time."""
        return self.model.turn_s * 1000 - ticks_diff(ticks_ms(), self._began_ms)

    def silence_ms(self):
        """How long nothing may come."""
        left_ms = min(self.model.silence_s * 1000, self.left_ms())
        timeout_s = self.endpoint.request_timeout_s
        if timeout_s:
            left_ms = min(left_ms, timeout_s * 1000 - ticks_diff(ticks_ms(), self.asked_ms))
        return max(0, left_ms)

    def stopped(self):
        """The sentence that says why no more is asked: its time is over, or its chat has sent /stop."""
        if self.left_ms() <= 0:
            return "I have stopped after %d s." % self.model.turn_s
        inbound = self.gateway.bus.inbound
        if inbound.published != self._seen:
            self._seen = inbound.published
            msg = self.msg
            for other in inbound.ring:
                if other is not None and other.command == "stop" and other.chat_id == msg.chat_id:
                    self._stop = True
        return "Stopped." if self._stop else None

    def release(self):
        """Let go of the connection; Telegram may have its own back."""
        http = self.http
        if http is not None:
            http.close()
            http.tls = None
        if self.model.begun:
            self.model.begun = False
            self.gateway.wake_channel.set()


def _send(asking, tools):
    # A function of its own, so that no frame keeps the module while the answer comes.
    from copepod.assistant import sending

    forget("copepod.assistant.sending")
    return sending.send(asking, tools)


def _refusals():
    from copepod.assistant import refusals

    forget("copepod.assistant.refusals")
    return refusals


def _ended(asking, said, pause_ms, note):
    from copepod.assistant import closing

    forget("copepod.assistant.closing")
    return closing.ended(asking, said, pause_ms, note)
