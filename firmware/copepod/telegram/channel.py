"""The Telegram channel: one connection that polls and sends in turn. Memory: small ints and its parts, made at start.

    linking ─ connecting ─ greeting ─┬─ polling ─┐
       │                             ├─ sending ─┤
       └───────── (back-off) ────────┴─ waiting ─┘

Below, anything wrong raises; run() is the one place that catches, logs once, waits and connects again.
What seldom happens stands in connect.py, greet.py, optional.py and trouble.py.

Telegram has one offset, so an update is acknowledged only when its answer has been accepted: the
channel polls again (with a long poll) once nothing is being worked on; with limit > 1 it polls
shortly, and not more than once a second, while there is room. See offsets.py.
"""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod import arena, handlers
from copepod.log import log
from copepod.net.http import Client
from copepod.once import forget
from copepod.platform import record
from copepod.signal import Signal
from copepod.telegram import api
from copepod.telegram.api import Api, Refused
from copepod.telegram.offsets import Offsets
from copepod.telegram.outbox import Outbox
from copepod.telegram.poll import Poll
from copepod.textbuffer import TextBuffer

_NO_ROOM_MS = const(10000)  # what to wait when there is no memory for the words of a failure
_TYPING_FIRST_MS = const(1000)
_OPTIONAL_MS = const(5000)  # longest that a call which only decorates may keep the others waiting
_IDLE_MS = const(10000)
_ASIDE_MS = const(2000)  # a flood limit that others need not wait for
_LIMIT_MAX = const(100)  # of getUpdates
_CALLBACKS = const(8)  # pressed buttons that wait for their answer; Telegram gives up on its own
_MENU_TRIES = const(5)
_MENU_S = const(60)  # after the first try; twice as long each time


class Channel:
    """Owns the connection, the formatter and the offset. `alive_ms` moves while it makes progress."""

    def __init__(self, gateway):
        config = gateway.config
        self.gateway = gateway
        self.stats = gateway.stats
        self.state = "linking"
        self.alive_ms = ticks_ms()
        self.steady = False
        self.ready_once = False  # a poll has succeeded
        buffer = TextBuffer(arena.buffer)
        self.http = Client(config.server, config.server_port, config.tls_context)
        self.api = Api(self.http, config.token, buffer, gateway.stats)
        queue = gateway.bus.outbound
        self.outbox = Outbox(queue, gateway.stats, buffer, config.rich_messages, self.api.held_ms)
        config.token = None  # one copy, in the api
        self.offsets = Offsets()
        self.poll = Poll(config.poll_timeout_s)
        self.callbacks: list = []  # ids of callback queries to answer
        self.clock_day = None  # the day on which the clock was last found good
        self.sent = False  # all of the call's request is on its way
        self.typing_at = None
        self.typing_off = False  # for this message
        self.menu_tries = 0
        self.menu_at = ticks_ms()
        self._inbound = gateway.bus.inbound
        self._wake = gateway.wake_channel
        self._pause = Signal()
        self._limit = config.limit
        self._received = 0  # updates, when the poll began
        self._greeted = False
        self.pairing: "Any" = None  # offered while nobody is admitted
        self.edits: "Any" = None  # only where there is a handler for them
        self.ceiling: "Any" = None  # only once a group has spoken

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
                        await self._wake.limit(self._next_ms())
                        continue
                    if not http.alive():  # the server has closed it, which is no failure
                        await self._connect(False)
                        continue  # a handler may have ended meanwhile
                    self.sent = False
                    self.state = "polling" if method == api.GET_UPDATES else "sending"
                    limit_ms = self._write(method)
                    if not http.is_open():
                        continue
                    self.sent = True
                    await http.flush()
                    sink = self._receive if method == api.GET_UPDATES else None
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
            wait_ms = self._failed(reason, failures)
            self.state = "waiting"
            await self._pause.limit(wait_ms)

    async def _connect(self, anew):
        # One after the other: what each of them needs is dropped before the next is loaded.
        from copepod.telegram import connect

        if anew:
            await connect.ready(self)
        await connect.connect(self)
        forget("copepod.telegram.connect")
        if not self._greeted:
            from copepod.telegram import greet

            self.state = "greeting"
            await greet.greet(self)
            self._greeted = True
            forget("copepod.telegram.greet")

    def _failed(self, error, failures):
        try:
            from copepod.telegram import trouble

            wait_ms = trouble.failed(self, error, failures)
            forget("copepod.telegram.trouble")
        except MemoryError:
            wait_ms = _NO_ROOM_MS
        return wait_ms

    def _put_aside(self):
        # A flood limit holds the message in hand: True when others can go before it.
        if self.api.held_ms(self.outbox.message.chat_id) < _ASIDE_MS:
            return False
        from copepod.telegram import asides

        done = asides.put(self.outbox)
        forget("copepod.telegram.asides")
        return done

    def leave_poll(self):
        """Something is to be sent: do not wait for the end of a long poll. Costs a new connection.

        Nothing is lost: an update that the server sends meanwhile comes again with the next poll.
        """
        if self.state == "polling" and self.poll.timeout_s and self.http.hurry():
            self.poll.left = True

    # What to do next ------------------------------------------------------------------------

    def _next_method(self):
        # The call to make now, None when there is nothing to do but to wait.
        call = self.api
        if call.doubted:
            return api.GET_ME
        method = self.outbox.method()
        if method is not None and not call.held_ms(self.outbox.message.chat_id):
            return method
        if self.callbacks and not call.held_ms(api.METHODS[api.ANSWER_CALLBACK]):
            return api.ANSWER_CALLBACK
        if self._typing_due() == 0:
            return api.SEND_ACTION
        if self._menu_due() == 0:
            return api.SET_COMMANDS
        if self._poll_due() == 0:
            return api.GET_UPDATES
        return None

    def _next_ms(self):
        # How long nothing can be done, in ms, unless somebody wakes the channel.
        wait_ms = _IDLE_MS
        if self.outbox.method() is not None:
            wait_ms = min(wait_ms, self.api.held_ms(self.outbox.message.chat_id) or wait_ms)
        if self.callbacks:
            wait_ms = min(wait_ms, self.api.held_ms(api.METHODS[api.ANSWER_CALLBACK]) or wait_ms)
        for due_ms in (self._typing_due(), self._menu_due(), self._poll_due()):
            if due_ms is not None and due_ms < wait_ms:
                wait_ms = due_ms
        return wait_ms

    def _typing_due(self):
        # ms until the next chat action is due, None when no handler is at work.
        worker = self.gateway.worker
        msg = worker.msg
        if msg is None or msg.kind == "callback":
            self.typing_at = None
            self.typing_off = False
            return None
        if self.typing_off:
            return None
        if self.typing_at is None:
            self.typing_at = ticks_add(worker.since_ms, _TYPING_FIRST_MS)
        due = max(0, ticks_diff(self.typing_at, ticks_ms()))
        return max(due, self.api.held_ms(api.METHODS[api.SEND_ACTION]))

    def _menu_due(self):
        # ms until the menu of commands may be set, None when it is, or was tried often enough.
        if self.menu_tries >= _MENU_TRIES or not self.steady:
            return None
        due = max(0, ticks_diff(self.menu_at, ticks_ms()))
        return max(due, self.api.held_ms(api.METHODS[api.SET_COMMANDS]))

    def _poll_due(self):
        # ms until the next poll may be made, None while there is no room for what it would bring.
        if self.outbox.message is not None:
            return None  # its text lies in the buffer that reading would use
        if self._free() <= 0 or not self._inbound.room():
            return None
        due = self.poll.due_ms(len(self.offsets))
        return max(due, self.api.held_ms(api.METHODS[api.GET_UPDATES]))

    def _free(self):
        # How many more updates may be worked on. One whose answer was put aside is not.
        return self._limit - self.offsets.open + len(self.gateway.worker.asides)

    # Calls ----------------------------------------------------------------------------------

    def _write(self, method):
        # Write the request; returns how long its answer may take, in ms.
        call = self.api
        if method == api.SEND_MESSAGE or method == api.SEND_RICH:
            self.outbox.write(call, method)
        elif method == api.GET_UPDATES:
            # The first poll returns at once, so that whoever watches knows that it works.
            offset = self.offsets.next
            timeout_s = self.poll.begin(self.steady and not len(self.offsets), offset)
            # Till then silence is no failure.
            self.alive_ms = ticks_add(ticks_ms(), timeout_s * 1000)
            self._received = self.stats.received
            # Those that can't be acknowledged yet come again, before any new one.
            limit = min(len(self.offsets) + self._free(), _LIMIT_MAX)
            call.write_poll(offset, limit, timeout_s)
            return api.ANSWER_MS + timeout_s * 1000
        elif method == api.GET_ME:
            call.begin(method)
            call.text(b"{}")
        else:
            from copepod.telegram import optional

            optional.write(self, method)
            forget("copepod.telegram.optional")
            return _OPTIONAL_MS
        return api.ANSWER_MS

    def _accepted(self, method):
        if method == api.SEND_MESSAGE or method == api.SEND_RICH:
            self.outbox.accepted()
        elif method == api.GET_UPDATES:
            self.api.polls += 1
            self.poll.ended(self.stats.received != self._received)
            self.offsets.told(self.poll.offset)
            if not self.steady:
                from copepod.telegram import connect

                connect.first_poll(self)
                forget("copepod.telegram.connect")
        elif method == api.ANSWER_CALLBACK:
            self.callbacks.pop(0)
        elif method == api.SET_COMMANDS:
            self.menu_tries = _MENU_TRIES
        elif method == api.GET_ME:
            from copepod.telegram import trouble

            trouble.doubt_settled(self)
            forget("copepod.telegram.trouble")

    def _refused(self, method, error):
        from copepod.telegram import trouble

        trouble.refused_for_good(self, method, error)
        forget("copepod.telegram.trouble")

    def put_off_menu(self):
        """Setting the menu did not work out: try again later, a few times."""
        self.menu_at = ticks_add(ticks_ms(), (_MENU_S << self.menu_tries) * 1000)
        self.menu_tries += 1

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
            kind = self._stranger(msg)
        elif kind == "edited" or handlers.edits or msg.chat_type != "private":
            kind = self._worth(msg)
        if kind is None:
            msg.discard()
            self.stats.received += 1
            offsets.done(update_id)
            return True
        msg.kind = kind
        if not self._inbound.put(msg):
            msg.discard()
            return False
        self.stats.received += 1
        offsets.take(update_id)
        if msg.callback_id is not None and len(self.callbacks) < _CALLBACKS:
            self.callbacks.append(msg.callback_id)
        return True

    def _stranger(self, msg):
        # The kind of a message that its sender is told something for, None for everybody else's.
        if self.pairing is not None:
            kind = self.pairing.hear(msg)
            if self.pairing.code is None:
                self.pairing = None
            if kind is not None:
                return kind
        self.stats.strangers += 1
        return None

    def _worth(self, msg):
        # The kind of an edit, or of a message in a group, None if it is not worth an answer.
        try:
            from copepod.telegram import worth

            found = worth.answering(self, msg)
            forget("copepod.telegram.worth")
        except MemoryError:
            found = True
        return msg.kind if found else None

    def finished(self, update_id):
        """The worker is done with `update_id`: its answer is accepted, so it may be acknowledged."""
        if self.offsets.done(update_id):
            try:
                record.last_id_store(self.offsets.answered, self.api.reader.bot_id)
            except OSError as error:
                log("state", "the last answered update can't be kept: ", error)
        self._wake.set()
