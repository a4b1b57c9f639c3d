"""The Telegram channel: one connection that polls and sends in turn. Memory: small ints and its parts, made at start.

    linking ─ connecting ─ greeting ─┬─ polling ─┐
       │                             ├─ sending ─┤
       └───────── (back-off) ────────┴─ waiting ─┘

Below, anything wrong raises; run() is the one place that catches, logs once, waits and connects again.
What seldom happens stands in connect.py, greet.py, optional.py, refusals.py and trouble.py.

Telegram has one offset, so an update is acknowledged only when its answer has been accepted: the
channel polls again (with a long poll) once nothing is being worked on; with limit > 1 it polls
shortly, and not more than once a second, while there is room. See offsets.py.
"""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod import registry
from copepod.log import log
from copepod.net.http import Client  # noqa: F401  these four are its parts: see assembly.py
from copepod.once import forget
from copepod.platform import record
from copepod.telegram import methods
from copepod.telegram.methods import Refused
from copepod.telegram.offsets import Offsets  # noqa: F401
from copepod.telegram.outbox import Outbox  # noqa: F401
from copepod.telegram.poll import Poll  # noqa: F401

_NO_ROOM_MS = const(10000)  # what to wait when there is no memory for the words of a failure
_SPEECHLESS = const(3)  # connections in a row that failed, of which nothing could be said
_OPTIONAL_MS = const(5000)  # longest that a call which only decorates may keep the others waiting
_IDLE_MS = const(10000)
_ASIDE_MS = const(2000)  # a flood limit that others need not wait for
_LIMIT_MAX = const(100)  # of getUpdates
_CALLBACKS = const(8)  # pressed buttons that wait for their answer; Telegram gives up on its own
_MESSAGE_ID = const(7)  # place of the value of telegram/schema.py


class Channel:
    """Owns the connection, the formatter and the offset. `alive_ms` moves while it makes progress."""

    TYPING_MS = 1000  # so long a handler is at work before its sender is told so

    gateway: "Any"
    stats: "Any"
    state: str
    alive_ms: "Any"
    steady: bool  # polls succeed
    ready_once: bool  # a poll has succeeded
    greeted: bool
    outbox: "Any"
    http: "Any"
    api: "Any"
    offsets: "Any"
    poll: "Any"
    sent: bool  # all of the call's request is on its way
    wait_ms: int  # how long nothing can be done, unless somebody wakes the channel
    pause: "Any"  # the Signal for back-offs
    received: int  # updates, when the poll began
    clock_day: "int | None"  # the day on which the clock was last found good
    pairing: "Any"  # offered while nobody is admitted
    edits: "Any"  # only where there is a handler for them, see worth.py
    ceiling: "Any"  # only once a group has spoken
    # What only decorates, see optional.py:
    callbacks: list  # pressed buttons to answer
    menu_at: "int | None"  # when to set the menu of commands
    menu_tries: int
    typing_at: "int | None"
    typing_since: "Any"  # when the message began that typing_at is for; that is None when it has failed

    # The connection's life ------------------------------------------------------------------

    async def run(self):
        """Connect, poll and send for ever; raises Stop when the token is refused."""
        failures = 0
        call = self.api
        http = self.http
        while True:
            polls = call.polls
            try:
                await self._connect(True)
                while True:
                    # One call a turn, and no coroutine for it: each would be garbage.
                    self.alive_ms = ticks_ms()
                    self.outbox.advance()
                    method = self._next_method()
                    if method is None and self.outbox.ready and self._put_aside():
                        continue
                    if method is None:
                        self.state = "waiting"
                        await self.gateway.wake_channel.limit(self.wait_ms)
                        continue
                    if not http.alive():  # the server has closed it, which is no failure
                        await self._connect(False)
                        continue  # a handler may have ended meanwhile
                    self.sent = False
                    self.state = "polling" if method == methods.GET_UPDATES else "sending"
                    limit_ms = self._write(method)
                    if not http.is_open():
                        continue
                    self.sent = True
                    if await http.flush():  # that was all of it, its answer too
                        continue
                    sink = self._receive if method == methods.GET_UPDATES else None
                    call.answered(await http.response(limit_ms), sink)
                    try:
                        while await http.fill():
                            call.read()
                        accepted = call.result()
                    except (OSError, ValueError):
                        if call.status != 200 or method < methods.SEND_MESSAGE:
                            raise
                        if call.begun and call.reader.values[0] is not True:
                            raise  # a page
                        http.close()
                        accepted = True  # nothing else can have been said
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
                self.outbox.formatter.forget_modules()  # which a new connection has more need of
            failures = 0 if call.polls != polls else failures + 1
            wait_ms = self._failed(reason, failures)
            self.state = "waiting"
            await self.pause.limit(wait_ms)

    async def _connect(self, anew):
        # One after the other: what each of them needs is dropped before the next is loaded.
        self.outbox.formatter.forget_modules()
        from copepod.telegram import connect

        forget("copepod.telegram.connect")  # at once, so that a failure leaves nothing either
        if anew:
            await connect.ready(self)
        await connect.connect(self)
        connect = None
        if not self.greeted:
            from copepod.telegram import greet

            forget("copepod.telegram.greet")
            self.state = "greeting"
            await greet.greet(self)
            self.greeted = True

    def _failed(self, error, failures):
        try:
            from copepod.telegram import trouble

            forget("copepod.telegram.trouble")
            return trouble.failed(self, error, failures)
        except MemoryError:
            if failures >= _SPEECHLESS:  # nobody would ever hear of it
                raise
            return _NO_ROOM_MS

    def _refused(self, method, error):
        # Not in run(), whose frame would keep the module for good.
        from copepod.telegram import refusals

        forget("copepod.telegram.refusals")
        refusals.refused_for_good(self, method, error)

    def _put_aside(self):
        # A flood limit holds the message in hand: True when others can go before it.
        if self.api.held_ms(self.outbox.message.chat_id) < _ASIDE_MS:
            return False
        from copepod.telegram import asides

        done = asides.put(self.outbox)
        forget("copepod.telegram.asides")
        return done

    # What to do next ------------------------------------------------------------------------

    def _next_method(self):
        # The call to make now, None when there is nothing to do for `wait_ms` but to wait.
        self.wait_ms = _IDLE_MS
        call = self.api
        if call.doubted:
            return methods.GET_ME
        message = self.outbox.message
        method = self.outbox.method()
        if method is not None and self._due(call.held_ms(message.chat_id)):
            return method
        worker = self.gateway.worker
        if (
            self.callbacks
            or worker.handling  # a handler that takes its time
            and self._due(max(0, self.TYPING_MS - ticks_diff(ticks_ms(), worker.since_ms)))
            or self.menu_at is not None
            and self._due(max(0, ticks_diff(self.menu_at, ticks_ms())))
        ):
            method = self._optional().next_method(self)
            if method is not None:
                return method
        # While an answer is being sent its text lies in the buffer that reading would use.
        if message is None and self._free() > 0 and self.gateway.bus.inbound.room():
            due_ms = self.poll.due_ms(len(self.offsets))
            if self._due(max(due_ms, call.held_ms(methods.METHODS[methods.GET_UPDATES]))):
                return methods.GET_UPDATES
        return None

    def _free(self):
        # How many more updates may be worked on. One whose answer was put aside is not.
        gateway = self.gateway
        return gateway.config.limit - self.offsets.open + len(gateway.worker.asides)

    def _due(self, due_ms):
        # Whether something may be done now; if not, when.
        self.wait_ms = min(self.wait_ms, due_ms)
        return not due_ms

    def _optional(self):
        from copepod.telegram import optional

        forget("copepod.telegram.optional")
        return optional

    # Calls ----------------------------------------------------------------------------------

    def _write(self, method):
        # Write the request; returns how long its answer may take, in ms.
        call = self.api
        if method == methods.SEND_MESSAGE or method == methods.SEND_RICH:
            self.outbox.write(call, method)
        elif method == methods.GET_UPDATES:
            # The first poll returns at once, so that whoever watches knows that it works.
            offset = self.offsets.next
            timeout_s = self.poll.begin(self.steady and not len(self.offsets), offset)
            # Till then silence is no failure.
            self.alive_ms = ticks_add(ticks_ms(), timeout_s * 1000)
            self.received = self.stats.received
            # Those that can't be acknowledged yet come again, before any new one.
            limit = min(len(self.offsets) + self._free(), _LIMIT_MAX)
            call.write_poll(offset, limit, timeout_s)
            return methods.ANSWER_MS + timeout_s * 1000
        elif method == methods.GET_ME:
            call.begin(method)
            call.text(b"{}")
        else:
            self._optional().write(self, method)
            return _OPTIONAL_MS
        return methods.ANSWER_MS

    def _accepted(self, method):
        if method == methods.SEND_MESSAGE or method == methods.SEND_RICH:
            self.outbox.accepted(self.api.reader.values[_MESSAGE_ID])
        elif method == methods.GET_UPDATES:
            self.api.polls += 1
            self.poll.ended(self.stats.received != self.received)
            self.offsets.told(self.poll.offset)
            if not self.steady:
                from copepod.telegram import connect

                connect.first_poll(self)
                forget("copepod.telegram.connect")
        elif method == methods.GET_ME:
            from copepod.telegram import refusals

            refusals.doubt_settled(self)
            forget("copepod.telegram.refusals")
        else:
            self._optional().accepted(self, method)

    # Receiving ------------------------------------------------------------------------------

    def _receive(self, msg):
        # Take one update; False stops the reading, the rest comes again with the next poll.
        update_id = msg.update_id
        offsets = self.offsets
        if offsets.known(update_id):
            msg.discard()
            return True
        kind = msg.kind
        if kind is None:
            self.stats.ignored += 1
        elif not self.gateway.access.admits(msg):
            # Its sender is told something for few: see pairing.py.
            kind = self.pairing and self.pairing.hear(msg)
            if self.pairing is not None and self.pairing.code is None:
                self.pairing = None
            if kind is None:
                self.stats.strangers += 1
        elif kind == "edited" or registry.edits or msg.chat_type != "private":
            try:
                from copepod.telegram import worth

                if not worth.answering(self, msg):
                    kind = None
                forget("copepod.telegram.worth")
            except MemoryError:  # for what counts: then it is not counted
                pass
        if kind is None:
            msg.discard()
            self.stats.received += 1
            offsets.done(update_id)
            return True
        msg.kind = kind
        if not self.gateway.bus.inbound.put(msg):
            msg.discard()
            return False
        self.stats.received += 1
        offsets.take(update_id)
        if msg.callback_id is not None and len(self.callbacks) < _CALLBACKS:
            self.callbacks.append(msg)
        return True

    def finished(self, update_id):
        """The worker is done with `update_id`: its answer is accepted, so it may be acknowledged."""
        if self.offsets.done(update_id):
            try:
                record.last_id_store(self.offsets.answered, self.api.reader.bot_id)
            except OSError as error:
                log("state", "the last answered update can't be kept: ", error)
        self.gateway.wake_channel.set()
