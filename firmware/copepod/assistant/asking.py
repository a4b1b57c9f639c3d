"""Asks the model, once a round: the request, its answer into the session's file, what to do when it fails.

Memory: a connection's two windows and the stream's reader, for a turn. See sending.py for the request.
"""

import asyncio
import errno
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.assistant.stream import AnswerStream
from copepod.log import log
from copepod.once import forget

_ATTEMPTS = const(3)
_ATTEMPTS_CUT = const(2)
_PAUSE_MS = const(2000)  # before the second try, unless the server says how long
_DONE_MS = const(2000)  # for the end of a body whose last word was said


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
        self.stream = AnswerStream(session.line)
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
        tries = 0
        while True:
            tries += 1
            stream.restart()
            if stream.draft is not None:
                stream.draft.begin()
            said = self._stopped()  # the sentence when there is no answer
            pause_ms = self.patience = 0
            if said is None:
                try:
                    said, pause_ms = await self._once(tools)
                except (OSError, ValueError) as error:
                    http = self.http
                    silent = errno.ETIMEDOUT in error.args and http is not None and http.is_open()
                    self.release()
                    said = self._stopped()
                    if said is None:
                        log("model", "can't be asked: ", error)
                        said = self._refused(-2 if silent else -1, 0)[0]
                        pause_ms = _PAUSE_MS * tries
            begun = stream.text_b or stream.calls
            if not begun and self._falls(said, tries):
                tries = pause_ms = 0
            else:
                # A beginning of an answer was paid for: once more, no oftener.
                most = _ATTEMPTS_CUT if begun else _ATTEMPTS
                if not pause_ms or tries >= most or self.left_ms() <= pause_ms:
                    break
                if not said:
                    tries -= 1  # asked in another way
            if begun:
                self.lost_b += self.asked_b + stream.text_b
            if stream.line is not None:
                stream.line.discard()
            await asyncio.sleep_ms(pause_ms)
        _closing(self, said, note)
        self.called = self.called or stream.calls > 0
        return bool(stream.calls)

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
            return self._refused(status, http.retry_after_s * 1000)
        await self._body(http)
        whole = stream.end()
        if stream.failed:
            return self._refused(0, _PAUSE_MS)
        if stream.finish_reason == "length":
            return "This answer was cut short at %d tokens." % self.model.max_tokens, 0
        if stream.finish_reason == "content_filter":
            return "The rest was held back by the model's content filter.", 0
        if not whole:
            self.patience = _ATTEMPTS_CUT
            return "The model has stopped in the middle of its answer.", _PAUSE_MS
        if not stream.text_b and not stream.calls:
            return "The model has sent an empty answer.", 0
        return None, 0

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
            if self._stopped():
                raise OSError("stopped")
            left_ms = self.silence_ms()
            if not left_ms:
                raise OSError(errno.ETIMEDOUT)
            http.silence(ticks_add(ticks_ms(), left_ms))

    def _refused(self, status, pause_ms):
        from copepod.assistant import refusals

        try:
            return refusals.meaning(self, status, pause_ms or _PAUSE_MS)
        finally:
            forget("copepod.assistant.refusals")

    def _falls(self, said, tries):
        # Whether another model is asked now.
        if not self.patience or tries < self.patience or self.called:
            return False
        if not self.model.endpoint.fallbacks:
            return False
        from copepod.assistant import fallback

        forget("copepod.assistant.fallback")
        return fallback.other(self, said)

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

    def _stopped(self):
        # The sentence that says why no more is asked: its time is over, or its chat has sent /stop.
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


def _closing(asking, said, note):
    from copepod.assistant import closing

    forget("copepod.assistant.closing")
    closing.close_line(asking, said, note)
