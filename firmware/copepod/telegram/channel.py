"""The Telegram channel: one connection that polls and sends in turn. Memory: one text buffer, made at start.

Below, anything wrong raises; run() is the one place that catches, logs once, waits and connects again.

Telegram has one offset, so an update is acknowledged only when its answer has been accepted: the
channel polls again (with a long poll) once nothing is being worked on; with limit > 1 it polls
shortly, and not more than once a second, while there is room. An update that comes again meanwhile
is known by its id. The id of the last answered one survives a crash (copepod/platform).
"""

import gc
import os
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.net import clock, link
from copepod.net.http import Client
from copepod.once import forget
from copepod.platform import record
from copepod.signal import Signal
from copepod.telegram import api
from copepod.telegram.api import Api, Refused, Stop
from copepod.text.markdown import Formatter

_BUFFER_B = const(12544)  # 4096 characters of up to 3 bytes, and room for what the formatter holds
_BACKOFF_MIN_MS = const(1000)
_BACKOFF_MAX_MS = const(300000)
_CONFLICT_MS = const(30000)
_SHORT_POLL_MS = const(1000)  # pause between short polls while something is being worked on
_TYPING_FIRST_MS = const(1000)
_TYPING_AGAIN_MS = const(4000)
_IDLE_MS = const(10000)
_AGAIN = const(100)  # an id this little below the last answered one comes again; lower, it is a new count


class Channel:
    """Owns the connection, the formatter and the offset. `alive_ms` moves while it makes progress."""

    def __init__(self, gateway):
        config = gateway.config
        self.gateway = gateway
        self.stats = gateway.stats
        self.alive_ms = ticks_ms()
        self.steady = False
        self.linking = False  # Wi-Fi is being brought up, which has its own remedies
        self.ready_once = False  # a poll has succeeded
        buffer = bytearray(_BUFFER_B)
        self.formatter = Formatter(buffer)
        self.http = Client(config.server, config.server_port)
        self.api = Api(self.http, config.token, buffer)
        config.token = None  # one copy, in the api
        self._bus = gateway.bus
        self._wake = gateway.wake_channel
        self._pause = Signal()
        self._limit = config.limit
        self._in_flight = 0
        self._last_id = None  # newest update handed to the worker
        self._first_id = None  # oldest one whose answer is not accepted yet
        self._answered_id = None
        self._confirm = None  # offset to send: everything before it is answered
        self._unread = None  # a message whose text lies in the buffer
        self._callbacks = []  # ids of callback queries to answer
        self._short_poll_at = ticks_ms()
        self._typing_at = None
        self._message = None  # the OutboundMessage being sent
        self._view = None  # its part, as bytes
        self._taken = 0
        self._plain = False  # send the piece in hand as plain text
        self._rich = config.rich_messages
        self._greeted = False
        self._pairing = None  # offered while nobody is admitted

    # Connection -----------------------------------------------------------------------------

    async def run(self):
        """Connect, poll and send for ever; raises Stop when the token is refused."""
        failures = 0
        while True:
            polls = self.api.polls
            try:
                await self._connect()
                while True:
                    await self._step()
            except Stop:
                self.http.close()
                raise
            except (OSError, ValueError) as error:  # TLS verification failures are ValueError
                reason = self._explain(error)
            finally:
                self.http.close()
            failures = 0 if self.api.polls != polls else failures + 1
            self.stats.errors += 1
            self.stats.backoffs += 1
            wait_ms = min(_BACKOFF_MIN_MS << min(failures, 9), _BACKOFF_MAX_MS)
            wait_ms = wait_ms // 2 + (os.urandom(1)[0] * (wait_ms // 2) >> 8)
            if self.api.conflict:
                self.api.conflict = False
                wait_ms += _CONFLICT_MS
            log("telegram", reason, ", trying again in ", (wait_ms + 999) // 1000, " s")
            self.gateway.telemetry.event("backoff", wait_ms)
            if failures > 3:
                link.distrust()
            self.alive_ms = ticks_add(ticks_ms(), wait_ms)
            await self._pause.limit(wait_ms)

    async def _connect(self):
        config = self.gateway.config
        self.linking = True
        await link.up(config)
        self.linking = False
        self.alive_ms = ticks_ms()
        if config.tls:
            if not await clock.ready():
                raise OSError("clock not set")
            if self.http.tls is None:
                self._make_context(config)
        await self._open()
        if not self._greeted:
            from copepod.telegram.greet import greet

            self._answered_id = await greet(self)
            self._greeted = True
            forget("copepod.telegram.greet")
            if not self.gateway.access.allow:
                from copepod.pairing import Pairing

                self._pairing = Pairing(self.gateway.access, config.path, self.gateway.telemetry)

    def _make_context(self, config):
        # Once: the context keeps the parsed certificates.
        from copepod.net import tls

        path = config.tls_ca
        if path and path[0] != "/" and "/" in config.path:
            path = config.path[: config.path.rindex("/") + 1] + path  # beside the config
        try:
            self.http.tls = tls.from_file(path) if path else tls.context()
        except (OSError, ValueError) as error:
            raise Stop("tls.ca: %s can't be used (%s): expected certificates in DER" % (path, error))
        forget("copepod.net.tls")
        if not path:
            forget("copepod.net.roots")

    def _explain(self, error):
        # Loaded when needed: its words are 2 kB, and where they do not fit the error stands for itself.
        try:
            from copepod.net.explain import explain

            reason = explain(error)
            forget("copepod.net.explain")
        except MemoryError:
            reason = str(error)
        return reason

    async def _open(self):
        telemetry = self.gateway.telemetry
        gc.collect()  # what TLS will need should be in one piece
        await self.http.connect()
        telemetry.connections = self.http.connections
        telemetry.event("tls", self.http.connections)

    # One step -------------------------------------------------------------------------------

    async def _step(self):
        self.alive_ms = ticks_ms()
        if not self.http.alive():  # the server has closed it, which is no failure
            await self.http.connect()
        call = self.api
        if self._message is None:
            self._message = self._bus.outbound.get()
            if self._message is not None:
                self._begin(self._message)
        if self._message is not None and self._piece() and call.free(api.SEND_MESSAGE):
            await self._send()
        elif self._callbacks and call.free(api.ANSWER_CALLBACK):
            await self._answer_callback()
        elif self._typing_due() == 0 and call.free(api.SEND_ACTION):
            await self._type()
        elif self._poll_due() == 0:
            await self._poll()
        else:
            await self._wake.limit(self._next_ms())

    def _next_ms(self):
        # How long nothing can be done, in ms, unless somebody wakes the channel.
        wait_ms = _IDLE_MS
        call = self.api
        if self._message is not None:
            held = call.held_ms(api.SEND_MESSAGE)
            if held and held < wait_ms:
                wait_ms = held
        for due in (self._typing_due(), self._poll_due()):
            if due is not None and due < wait_ms:
                wait_ms = due
        held = call.held_ms(api.SEND_ACTION)
        return max(wait_ms, 1 if not held else 50)

    def _typing_due(self):
        # ms until the next chat action is due, None when no handler is at work.
        gateway = self.gateway
        msg = gateway.working_on
        if msg is None or msg.kind == "callback":
            self._typing_at = None
            return None
        if self._typing_at is None:
            self._typing_at = ticks_add(gateway.working_since_ms, _TYPING_FIRST_MS)
        return max(ticks_diff(self._typing_at, ticks_ms()), self.api.held_ms(api.SEND_ACTION))

    def _poll_due(self):
        # ms until the next poll may be made, None while there is no room for what it would bring.
        if self._message is not None or self._in_flight >= self._limit or not self._bus.inbound.room():
            return None  # a message in hand: its text lies in the buffer that reading would use
        due = 0
        if self._in_flight:
            due = max(0, ticks_diff(self._short_poll_at, ticks_ms()))
        return max(due, self.api.held_ms(api.GET_UPDATES))

    async def _type(self):
        self._typing_at = ticks_add(ticks_ms(), _TYPING_AGAIN_MS)
        msg = self.gateway.working_on
        call = self.api
        call.begin(api.SEND_ACTION)
        call.text(b'{"action":"typing","chat_id":')
        call.number(msg.chat_id)
        if msg.thread_id is not None:
            call.text(b',"message_thread_id":')
            call.number(msg.thread_id)
        call.text(b"}")
        try:
            await call.finish()
        except Refused:
            pass  # an ornament: nobody misses it

    async def _answer_callback(self):
        call = self.api
        call.begin(api.ANSWER_CALLBACK)
        call.text(b'{"callback_query_id":"')
        call.escaped(self._callbacks[0])
        call.text(b'"}')
        try:
            if not await call.finish():
                return  # a flood limit: again later
        except Refused:
            pass  # too old: Telegram has stopped the spinner itself
        self._callbacks.pop(0)

    # Receiving ------------------------------------------------------------------------------

    async def _poll(self):
        timeout_s = 0 if self._in_flight else self.gateway.config.poll_timeout_s
        confirm = self._confirm
        self._short_poll_at = ticks_add(ticks_ms(), _SHORT_POLL_MS)
        # Long enough for the answer, and for the watchdog to know that silence is no failure.
        self.alive_ms = ticks_add(ticks_ms(), timeout_s * 1000)
        if not await self.api.get_updates(confirm, self._limit, timeout_s, self._receive):
            return
        if confirm is not None and self._confirm == confirm:
            self._confirm = None  # Telegram knows; ids may start anew at a lower number one day
        if not self.ready_once:
            self.ready_once = True
            self.gateway.telemetry.event("poll", 0)
        if not self.steady:
            self.steady = True
            self.gateway.telemetry.frame("steady", True)

    def _receive(self, msg):
        # Take one update; False stops the reading, the rest comes again with the next poll.
        update_id = msg.update_id
        if self._known(update_id):
            return True
        gate = self.gateway.access
        kind = msg.kind
        if kind is not None and not gate.admits(msg):
            if self._pairing is not None and self._pairing.accepts(msg):
                self._pairing = None
                msg.command = None
            else:
                kind = None
                self.stats.strangers += 1
        elif kind is None:
            self.stats.ignored += 1
        if kind is None and self._in_flight == 0:
            self.stats.received += 1
            self._answered_id = update_id
            self._confirm = update_id + 1
            return True
        msg.kind = kind
        if not self._bus.inbound.put(msg):
            return False
        if msg.held_b:
            self._unread = msg
        self.stats.received += 1
        if self._in_flight == 0:
            self._first_id = update_id
        self._in_flight += 1
        self._last_id = update_id
        if msg.callback_id is not None:
            self._callbacks.append(msg.callback_id)
        return True

    def _known(self, update_id):
        if self._in_flight and self._first_id <= update_id <= self._last_id:
            return True
        answered = self._answered_id
        if answered is None:
            return False
        if answered - _AGAIN < update_id <= answered:
            self._confirm = answered + 1
            return True
        return False

    def finished(self, update_id):
        """The worker is done with `update_id`: its answer is accepted, so it may be acknowledged."""
        self._in_flight -= 1
        self._answered_id = update_id
        self._first_id = update_id + 1
        self._confirm = update_id + 1
        try:
            record.last_id_store(update_id, self.api.reader.bot_id)
        except OSError as error:
            log("state", "the last answered update can't be kept: ", error)
        self._wake.set()

    # Sending --------------------------------------------------------------------------------

    def _piece(self):
        # Feed the formatter; True when there is a piece to send or the message is at its end.
        message = self._message
        fmt = self.formatter
        while message.state == 0 and not fmt.ready():
            if message.part is None:
                if not message.complete:
                    return False
                fmt.finish()
                return True
            if self._view is None:
                self._view = memoryview(message.part)
                self._taken = 0
            self._taken += fmt.feed(self._view, self._taken)
            if self._taken >= len(self._view):
                self._view = None
                message.part = None
                if not message.complete:
                    message.signal.set()
        return True

    def _begin(self, message):
        # The formatter's buffer is the reader's: a text that lies there is taken as it is or saved.
        self.formatter.begin()
        self._plain = False
        if message.held_b:
            self.formatter.adopt(message.held_b)
        elif self._unread is not None:
            self._unread.settle()
        self._unread = None

    async def _send(self):
        message = self._message
        fmt = self.formatter
        if message.state == 0 and fmt.ready():
            try:
                if not await self._send_piece(message):
                    return  # held by a flood limit, or to be sent again in another form
                self.stats.answered += 1
                message.reply_to = None
                self._plain = False
                fmt.drop()
            except Refused as error:
                self._refused(message, error)
        if message.state == 0 and message.part is None and message.complete and fmt.done():
            message.state = 1
        if message.state:
            self._message = self._view = None
            message.signal.set()

    def _refused(self, message, error):
        if error.about_entities and not self._plain:
            log("telegram", "formatting refused, sending plain text: ", error)
            self.stats.fallbacks += 1
            self._plain = True
            return
        log("telegram", "answer refused: ", error)
        self.stats.errors += 1
        self.stats.dropped += 1
        message.reason = str(error)
        message.state = 2

    async def _send_piece(self, message):
        call = self.api
        rich = self._rich and not self._plain
        call.begin(api.SEND_RICH if rich else api.SEND_MESSAGE)
        call.text(b'{"chat_id":')
        call.number(message.chat_id)
        if message.thread_id is not None:
            call.text(b',"message_thread_id":')
            call.number(message.thread_id)
        if message.reply_to is not None:
            call.text(b',"reply_parameters":{"allow_sending_without_reply":true,"message_id":')
            call.number(message.reply_to)
            call.text(b"}")
        if rich:
            call.text(b',"rich_message":{"markdown":"')
            self.formatter.write_plain(call.run)
            call.text(b'"}}')
        else:
            call.text(b',"link_preview_options":{"is_disabled":true},"text":"')
            if self._plain:
                self.formatter.write_plain(call.run)
                call.text(b'"}')
            else:
                self.formatter.write(call.run)
                call.text(b'","parse_mode":"HTML"}')
        try:
            return await call.finish()
        except Refused as error:
            if rich and error.code == 404:  # this server does not know the method
                log("telegram", "no sendRichMessage here, going on with HTML")
                self._rich = False
                return False
            raise
