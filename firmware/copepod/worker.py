"""Works on one message at a time, whatever its handler does; parallel.py has others work beside it. Memory: at start.

A text is answered with itself. What a bot has handlers for goes through handling.py; one that fails,
is given up or waits for nothing ends here: its sender is told, its message is finished, the next one
is taken. What seldom happens stands in failures.py.
"""

from time import ticks_ms

from copepod.bus import ROOM_MS
from copepod.messages import OutboundMessage
from copepod.once import forget

NO_MEMORY = "Sorry, I have no memory left for that."


class Worker:
    """The task of the handlers. `msg` is the message being worked on since `since_ms`. Made by assembly.py."""

    gateway: "Any"
    msg: "Any"
    since_ms: "Any"
    handling: bool  # code of a handler runs, and may be given up
    stuck: bool  # it goes on whatever is done: the watchdog's turn
    steps: "Any"  # of the handler, see handling.py; None in a bot that has needed none yet
    asides: list  # (message, steps of its handler or None, the answer that a flood limit holds), see seats.py, turns.py
    own: "Any"  # the OutboundMessage for what a handler returns

    async def run(self):
        """Take messages from the bus for ever."""
        gateway = self.gateway
        if self.msg is not None:
            from copepod import failures

            await failures.after_crash(self)
            failures = None  # what a coroutine without end has a name for is never collected
            forget("copepod.failures")
        while gateway.worker is self:  # another one goes on when this handler is moved aside, see parallel.py
            msg = self._back() if self.asides else None
            again = msg is not None  # its handler goes on
            if not again:
                msg = gateway.bus.inbound.get()
            if msg is None:
                await gateway.wake_worker
                continue
            self.since_ms = ticks_ms()
            self.msg = msg
            msg.gateway = gateway
            result: "Any" = msg  # the echo
            if msg.kind != "notice" and (msg.for_handlers or msg.command is not None):
                try:
                    from copepod import handling

                    result = await handling.answer(self, msg, again)
                except KeyboardInterrupt:  # Ctrl-C is for the gateway, whatever runs
                    raise
                except BaseException as error:  # a user's handler may raise anything
                    result = self._failed(error)
                self.handling = False
                if not msg.for_handlers:  # a bot without any: seldom does somebody ask it for /status
                    handling = self.steps = None
                    forget("copepod.handling")
            own = self.own
            if (result is msg or isinstance(result, str)) and own.reply(msg, result):
                while not gateway.bus.outbound.put(own):
                    await own.signal.limit(ROOM_MS)
                while own.state == 0 and not own.aside:
                    await own.signal
                if own.state == 0:
                    result = own
            if isinstance(result, OutboundMessage):
                from copepod import postponed

                postponed.leave(self, result)
                postponed = None
                forget("copepod.postponed")
            else:
                self.finish()

    def _back(self):
        # A message whose handler may go on.
        from copepod import postponed

        msg = postponed.back(self)
        forget("copepod.postponed")
        return msg

    def _failed(self, error):
        # What to say to the sender.
        try:
            from copepod import failures

            said = failures.apology(self, error)
            forget("copepod.failures")
        except MemoryError:
            said = NO_MEMORY
        return said

    def finish(self):
        """The message needs nothing more."""
        msg = self.msg
        self.msg = None
        self.stuck = False
        msg.discard()
        if not msg.acknowledged:
            self.gateway.channel.finished(msg.update_id)
