"""Asks the model, once a round: the request, its answer into the session's file, what to do when it fails.

Memory: a connection's two windows and the stream's reader, for a turn. See sending.py for the request.
"""

import asyncio
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
        self.session = session
        self.msg = msg
        self.turn_at = turn_at
        self._began_ms = ticks_ms()
        self.http: "Any" = None
        self.stream = AnswerStream(session.line)
        self.spent = False  # the day's tokens are used up
        self.asked_b = 0  # of the last request
        self.halved = False  # the history, for this question
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
            said = self._stopped()  # the sentence when there is no answer
            pause_ms = 0
            if said is None:
                try:
                    said, pause_ms = await self._once(tools)
                except (OSError, ValueError) as error:
                    self.release()
                    said = self._stopped()
                    if said is None:
                        log("model", "can't be asked: ", error)
                        said = "I can't reach the model."
                        if stream.text_b or stream.calls:
                            said = "The connection to the model was cut."
                        pause_ms = _PAUSE_MS * tries
            # A beginning of an answer was paid for: once more, no oftener.
            most = _ATTEMPTS_CUT if stream.text_b or stream.calls else _ATTEMPTS
            if not pause_ms or tries >= most or self.left_ms() <= pause_ms:
                break
            if not said:
                tries -= 1  # asked in another way
            if stream.line is not None:
                stream.line.discard()
            await asyncio.sleep_ms(pause_ms)
        self._close_line(said, note)
        return bool(stream.calls)

    async def _once(self, tools):
        # One request. Returns what to say below the answer or in its place, and when to try again (ms, 0: never).
        await _send(self, tools)
        http = self.http
        stream = self.stream
        status = await http.response(self._silence_ms())
        if status != 200:
            try:
                await self._body(http)
            except ValueError:  # a page
                http.close()
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
            http.silence(ticks_add(ticks_ms(), self._silence_ms()))

    def _refused(self, status, pause_ms):
        from copepod.assistant import refusals

        try:
            return refusals.meaning(self, status, pause_ms or _PAUSE_MS)
        finally:
            forget("copepod.assistant.refusals")

    def _close_line(self, said, note):
        # Below the answer stands what is wrong with it, so that no half of one passes for a whole one.
        stream = self.stream
        self.session.said = said
        self.session.failed = None if stream.text_b or stream.calls else said
        if not stream.calls:
            for text in (said, note):
                if text:
                    data = memoryview("\n\n_%s_" % text if stream.text_b else text)
                    stream.say(data, 0, len(data))
            line = stream.line
            line.write(b'"}')
        else:
            line = stream.line
            line.write(b"]}")
        self.session.complete(line)
        tokens = stream.sent_b + stream.received_b
        if not tokens:  # the server does not count: three bytes each
            tokens = (self.asked_b + stream.text_b) // 3
        stream.sent_b = stream.received_b = self.asked_b = 0
        from copepod.assistant import limits

        self.spent = not limits.spend(self.model, tokens)
        forget("copepod.assistant.limits")

    # Time -----------------------------------------------------------------------------------

    def left_ms(self):
        """What is left of the turn's time."""
        return self.model.turn_s * 1000 - ticks_diff(ticks_ms(), self._began_ms)

    def _silence_ms(self):
        return max(0, min(self.model.silence_s * 1000, self.left_ms()))

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
