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

from copepod import arena
from copepod.log import log
from copepod.net import link
from copepod.net.http import Client
from copepod.once import forget
from copepod.platform import port, record
from copepod.signal import Signal
from copepod.telegram import api
from copepod.telegram.api import Api, Refused
from copepod.telegram.outbox import Outbox

_BACKOFF_MIN_MS = const(1000)
_BACKOFF_MAX_MS = const(300000)
_CONFLICT_MS = const(30000)
_NO_ROOM_MS = const(10000)  # what to wait when there is no memory for the words of a failure
_SHORT_POLL_MS = const(1000)  # pause between short polls while something is being worked on
_TYPING_FIRST_MS = const(1000)
_TYPING_AGAIN_MS = const(4000)
_IDLE_MS = const(10000)
_AGAIN = const(
    100
)  # an id this little below the last answered one comes again; lower, it is a new count


class Channel:
    """Owns the connection, the formatter and the offset. `alive_ms` moves while it makes progress.

    What starts it up, and what it does when something fails, stands in methods of their own, which a
    board loads when they are called (copepod/rooms.toml).
    """

    def __init__(self, gateway):
        self._set_up(gateway)

    def _set_up(self, gateway):
        config = gateway.config
        self.gateway = gateway
        self.stats = gateway.stats
        self.alive_ms = ticks_ms()
        self.steady = False
        self.linking = False  # Wi-Fi is being brought up, which has its own remedies
        self.ready_once = False  # a poll has succeeded
        buffer = arena.buffer
        self.outbox = Outbox(gateway.bus.outbound, gateway.stats, buffer, config.rich_messages)
        self.http = Client(config.server, config.server_port, config.tls_context)
        self.api = Api(self.http, config.token, buffer)
        config.token = None  # one copy, in the api
        self._inbound = gateway.bus.inbound
        self._wake = gateway.wake_channel
        self._pause = Signal()
        self._limit = config.limit
        self._in_flight = 0
        self._last_id = None  # newest update handed to the worker
        self._first_id = None  # oldest one whose answer is not accepted yet
        self._answered_id = None
        self._confirm = None  # offset to send: everything before it is answered
        self._sent_confirm = None  # the one in the poll that is under way
        self._callbacks: list = []  # ids of callback queries to answer
        self._short_poll_at = ticks_ms()
        self._typing_at = None
        self._greeted = False
        self._pairing = None  # offered while nobody is admitted
        self._clock_day = None  # the day on which the clock was last found good

    # Connection -----------------------------------------------------------------------------

    async def run(self):
        """Connect, poll and send for ever; raises Stop when the token is refused."""
        failures = 0
        call = self.api
        http = self.http
        while True:
            polls = call.polls
            try:
                # One after the other: what each of them needs is dropped before the next is loaded.
                await self._link_up()
                await self._open()
                if not self._greeted:
                    await self._greet()
                while True:
                    # One call a turn, and no coroutine for it: each would be garbage.
                    self.alive_ms = ticks_ms()
                    method = self._next_method()
                    if method is None:
                        await self._wake.limit(self._next_ms())
                        continue
                    if not http.alive():  # the server has closed it, which is no failure
                        await self._open()
                        method = self._next_method()  # a handler may have ended meanwhile
                        if method is None:
                            continue
                    sink = self._receive if method == api.GET_UPDATES else None
                    limit_ms = self._write(method)
                    await http.flush()
                    call.answered(await http.response(limit_ms), sink)
                    try:
                        while await http.fill():
                            call.read()
                        accepted = call.result()
                    except (OSError, ValueError):
                        if not call.lost():
                            raise
                        accepted = True
                    except Refused as error:
                        self._refused(method, error)
                        continue
                    if accepted:
                        self._accepted(method)
            except (OSError, ValueError) as error:  # TLS verification failures are ValueError
                reason = error
            except MemoryError as error:
                if not self.outbox.short_of_memory():
                    raise
                reason = error
            finally:
                http.close()
            failures = 0 if call.polls != polls else failures + 1
            try:
                wait_ms = self._back_off(reason, failures)
            except MemoryError:
                wait_ms = _NO_ROOM_MS
            await self._pause.limit(wait_ms)

    def _back_off(self, error, failures):
        # Say what went wrong, once, and return how long to wait, in ms.
        self.stats.errors += 1
        self.stats.backoffs += 1
        wait_ms = min(_BACKOFF_MIN_MS << min(failures, 9), _BACKOFF_MAX_MS)
        wait_ms = wait_ms // 2 + (os.urandom(1)[0] * (wait_ms // 2) >> 8)
        if self.api.conflict:
            self.api.conflict = False
            wait_ms += _CONFLICT_MS
        try:
            from copepod.net.explain import explain

            reason = explain(error)
            forget("copepod.net.explain")
        except MemoryError:  # its words are 2 kB; where they do not fit the error stands for itself
            reason = str(error)
        log("telegram", reason, ", trying again in ", (wait_ms + 999) // 1000, " s")
        self.gateway.telemetry.event("backoff", wait_ms)
        if failures & 7 == 4:  # once in a while in a long outage
            link.distrust()
        self.alive_ms = ticks_add(ticks_ms(), wait_ms)
        return wait_ms

    async def _link_up(self):
        config = self.gateway.config
        self.linking = True
        await link.up(config)
        self.linking = False
        self.alive_ms = ticks_ms()
        if config.tls:
            from copepod.net import clock

            self._clock_day = await clock.ready(self._clock_day)
            forget("copepod.net.clock")
            if self._clock_day is None:
                raise OSError("clock not set")

    async def _open(self):
        telemetry = self.gateway.telemetry
        gc.collect()  # what TLS will need should be in one piece
        await self.http.connect()
        telemetry.connections = self.http.connections
        telemetry.event("tls", self.http.connections)

    async def _greet(self):
        from copepod.telegram import greet

        self._answered_id = await greet.greet(self)
        self._greeted = True
        forget("copepod.telegram.greet")
        if not self.gateway.access.allow:
            from copepod.pairing import Pairing

            config = self.gateway.config
            self._pairing = Pairing(self.gateway.access, config.path, self.gateway.telemetry)

    # What to do next ------------------------------------------------------------------------

    def _next_method(self):
        # The call to make now, None when there is nothing to do but to wait.
        call = self.api
        method = self.outbox.method()
        if method is not None and call.free(method):
            return method
        if self._callbacks and call.free(api.ANSWER_CALLBACK):
            return api.ANSWER_CALLBACK
        if self._typing_due() == 0:
            return api.SEND_ACTION
        if self._poll_due() == 0:
            return api.GET_UPDATES
        return None

    def _next_ms(self):
        # How long nothing can be done, in ms, unless somebody wakes the channel.
        call = self.api
        wait_ms = _IDLE_MS
        for method in (api.SEND_MESSAGE, api.SEND_RICH, api.ANSWER_CALLBACK):
            held_ms = call.held_ms(method)
            if 0 < held_ms < wait_ms:
                wait_ms = held_ms
        for due_ms in (self._typing_due(), self._poll_due()):
            if due_ms is not None and due_ms < wait_ms:
                wait_ms = due_ms
        return wait_ms

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
        if self.outbox.message is not None:
            return None  # its text lies in the buffer that reading would use
        if self._in_flight >= self._limit or not self._inbound.room():
            return None
        due = 0
        if self._in_flight:
            due = max(0, ticks_diff(self._short_poll_at, ticks_ms()))
        return max(due, self.api.held_ms(api.GET_UPDATES))

    # Calls ----------------------------------------------------------------------------------

    def _write(self, method):
        # Write the request; returns how long its answer may take, in ms.
        call = self.api
        if method == api.SEND_MESSAGE or method == api.SEND_RICH:
            self.outbox.write(call, method)
        elif method == api.GET_UPDATES:
            # The first poll returns at once, so that whoever watches knows that it works.
            waits = self.steady and not self._in_flight
            timeout_s = self.gateway.config.poll_timeout_s if waits else 0
            self._sent_confirm = self._confirm
            self._short_poll_at = ticks_add(ticks_ms(), _SHORT_POLL_MS)
            self.alive_ms = ticks_add(
                ticks_ms(), timeout_s * 1000
            )  # till then silence is no failure
            call.write_poll(self._confirm, self._limit, timeout_s)
            return api.ANSWER_MS + timeout_s * 1000
        else:
            self._write_other(method)
        return api.ANSWER_MS

    def _write_other(self, method):
        # A chat action, or the answer to a pressed button.
        call = self.api
        call.begin(method)
        if method == api.SEND_ACTION:
            self._typing_at = ticks_add(ticks_ms(), _TYPING_AGAIN_MS)
            msg = self.gateway.working_on
            call.text(b'{"action":"typing","chat_id":')
            call.number(msg.chat_id)
            if msg.thread_id is not None:
                call.text(b',"message_thread_id":')
                call.number(msg.thread_id)
            call.text(b"}")
        else:
            call.text(b'{"callback_query_id":"')
            call.escaped(self._callbacks[0])
            call.text(b'"}')

    def _accepted(self, method):
        if method == api.SEND_MESSAGE or method == api.SEND_RICH:
            self.outbox.accepted()
        elif method == api.ANSWER_CALLBACK:
            self._callbacks.pop(0)
        elif method == api.GET_UPDATES:
            self.api.polls += 1
            if self._confirm == self._sent_confirm:
                self._confirm = (
                    None  # Telegram knows; ids may start anew at a lower number one day
                )
            if not self.steady:
                self._first_poll()

    def _first_poll(self):
        # Nothing is loaded from now on, unless it fails: see arena.py.
        gc.threshold(self.gateway.config.memory_gc_threshold or port.GC_THRESHOLD_B)
        self.steady = self.ready_once = True
        self.gateway.telemetry.event("poll", 0)
        self.gateway.telemetry.frame("steady", True)

    def _refused(self, method, error):
        if method == api.SEND_MESSAGE or method == api.SEND_RICH:
            self.outbox.refused(error, method)
        elif method == api.ANSWER_CALLBACK:
            self._callbacks.pop(0)  # too old: Telegram has stopped the spinner itself
        elif method == api.GET_UPDATES:
            raise OSError("getUpdates: %s" % error)

    # Receiving ------------------------------------------------------------------------------

    def _receive(self, msg):
        # Take one update; False stops the reading, the rest comes again with the next poll.
        update_id = msg.update_id
        if self._known(update_id):
            msg.held_b = 0  # nobody will read it, and its place is about to be another's
            return True
        kind = msg.kind
        if kind is None:
            self.stats.ignored += 1
        elif not self.gateway.access.admits(msg):
            kind = self._stranger(msg)
        if kind is None and self._in_flight == 0:
            msg.held_b = 0
            self.stats.received += 1
            self._answered_id = update_id
            self._confirm = update_id + 1
            return True
        msg.kind = kind
        if not self._inbound.put(msg):
            msg.held_b = 0
            return False
        if msg.held_b:
            self.outbox.unread = msg
        self.stats.received += 1
        if self._in_flight == 0:
            self._first_id = update_id
        self._in_flight += 1
        self._last_id = update_id
        if msg.callback_id is not None:
            self._callbacks.append(msg.callback_id)
        return True

    def _stranger(self, msg):
        # The kind of a message that may become the owner's by it, None for everybody else's.
        if self._pairing is not None and self._pairing.accepts(msg):
            self._pairing = None
            msg.command = None
            return msg.kind
        self.stats.strangers += 1
        return None

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
            self._not_kept(error)
        self._wake.set()

    def _not_kept(self, error):
        log("state", "the last answered update can't be kept: ", error)
