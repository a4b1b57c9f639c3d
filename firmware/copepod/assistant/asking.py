"""Asks the model, once a round: the request, its answer into the session's file, what to do when it fails.

Memory: a connection's two windows and the stream's reader, for a turn. With https:// the Telegram connection is
closed for it: there is room for one TLS session. With http:// it stays.
"""

import asyncio
import gc
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.assistant.stream import Stream
from copepod.assistant.window import Connection, Count
from copepod.log import log
from copepod.once import forget

_TRIES = const(3)
_PAUSE_MS = const(2000)  # before the second try, unless the server says how long
_LEAVE_MS = const(20)  # how often to look whether Telegram's connection can be closed
_DONE_MS = const(2000)  # for the end of a body whose last word was said


class Asking:
    """The model's side of one turn. After round() the session has a line more: an answer, or calls."""

    def __init__(self, gateway, msg, session, turn_at):
        self.gateway = gateway
        self.model = gateway.config.model
        self.session = session
        self._msg = msg
        self.turn_at = turn_at
        self._began_ms = ticks_ms()
        self._http: "Any" = None
        self.stream = Stream(session.line)
        self.spent = False  # the day's tokens are used up
        self._asked_b = 0  # of the last request
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
                    if said is not None:
                        pass
                    elif stream.text_b or stream.calls:
                        said = "The connection to the model was cut."
                    else:
                        log("model", "can't be asked: ", error)
                        said = "I can't reach the model."
                        pause_ms = _PAUSE_MS * tries
            if stream.text_b or stream.calls or not pause_ms or tries >= _TRIES:
                break
            if self._left_ms() <= pause_ms:
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
        http = await self._connected()
        self._write(http, tools)
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

    def _write(self, http, tools):
        # First counted, then sent: nothing else runs meanwhile.
        from copepod.assistant import request

        count = Count()
        request.write(count, self.model, self.session, tools)
        http.begin_body(self.model, count.total_b())
        request.write(http, self.model, self.session, tools)
        http.sent()
        forget("copepod.assistant.request")
        self._asked_b = count.total_b()

    def _refused(self, status, pause_ms):
        from copepod.assistant import refusals

        try:
            return refusals.meaning(self, status, pause_ms or _PAUSE_MS)
        finally:
            forget("copepod.assistant.refusals")

    def _close_line(self, said, note):
        # Below the answer stands what is wrong with it, so that no half of one passes for a whole one.
        stream = self.stream
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
            tokens = (self._asked_b + stream.text_b) // 3
        stream.sent_b = stream.received_b = self._asked_b = 0
        from copepod.assistant import limits

        self.spent = not limits.spend(self.model, tokens)
        forget("copepod.assistant.limits")

    # Time -----------------------------------------------------------------------------------

    def _left_ms(self):
        return self.model.turn_s * 1000 - ticks_diff(ticks_ms(), self._began_ms)

    def _silence_ms(self):
        return max(0, min(self.model.silence_s * 1000, self._left_ms()))

    def _stopped(self):
        # The sentence that says why no more is asked: its time is over, or its chat has sent /stop.
        if self._left_ms() <= 0:
            return "I have stopped after %d s." % self.model.turn_s
        inbound = self.gateway.bus.inbound
        if inbound.published != self._seen:
            self._seen = inbound.published
            msg = self._msg
            for other in inbound.ring:
                if other is not None and other.command == "stop" and other.chat_id == msg.chat_id:
                    self._stop = True
        return "Stopped." if self._stop else None

    # The connection -------------------------------------------------------------------------

    async def _connected(self):
        http = self._http
        if http is not None and http.alive():
            return http
        model = self.model
        context = None
        if model.tls:
            await self._make_room()
            context = _context(model.ca)
        from copepod.net import http_connect

        if http is None:
            self._http = http = Connection()
            http_connect.prepare(http, model.host, model.port)
        http.tls = context
        gc.collect()  # what TLS will need should be in one piece
        await http_connect.connect(http)
        forget("copepod.net.http_connect")
        return http

    async def _make_room(self):
        # Telegram's connection is closed as soon as no call is on its way.
        model = self.model
        channel = self.gateway.channel
        model.asked = True
        while channel.state != "waiting" and channel.http.is_open():
            if self._left_ms() <= 0:
                raise OSError("the Telegram connection is busy")
            await asyncio.sleep_ms(_LEAVE_MS)
        channel.http.close()

    def release(self):
        """Let go of the connection; Telegram may have its own back."""
        http = self._http
        if http is not None:
            http.close()
            http.tls = None
        if self.model.asked:
            self.model.asked = False
            self.gateway.wake_channel.set()


def _context(path):
    from copepod.net import tls

    try:
        with open(path, "rb") as file:
            return tls.context(tls.split_der(file.read()))
    finally:
        forget("copepod.net.tls")
