"""The answer being sent: text into the formatter, pieces into requests. Memory: the formatter, made at start."""

from micropython import const

from copepod.once import forget
from copepod.telegram import api
from copepod.text.markdown import Formatter

AS_EVER = const(0)  # in which form the piece in hand is sent: as the bot's are, …
HTML = const(1)  # … as HTML although it is a bot of rich messages, …
PLAIN = const(2)  # … or as the Markdown itself


class Outbox:
    """Takes one OutboundMessage at a time from the bus and turns it into sendMessage calls.

    A piece stays in the formatter until Telegram has accepted it, so that after any failure it is
    written again, the same or (when its formatting was refused) as plain text.
    """

    def __init__(self, queue, stats, buffer, rich, held_ms):
        self.message = None  # the one being sent
        self.whole = None  # its text, if that came as one str
        self.pieces = 0  # of it that were accepted
        self.aside: list = []  # messages that wait for a flood limit to end: see asides.py
        self.stats = stats
        self.formatter = Formatter(buffer.data)
        self.rich = rich
        self.form = AS_EVER
        self.ready = False  # a piece can be sent
        self.repeated = False  # the piece in hand is sent for the second time
        self.suspected = False  # the server has failed at it
        self.failures = 0  # how often it did while it answered other calls
        self._queue = queue
        self._held_ms = held_ms
        self._buffer = buffer
        self._view = None  # the part being taken, as bytes
        self._taken = 0

    def method(self):
        """The call that would bring the message on, or None when there is nothing to send now."""
        if not self.ready:
            return None
        return api.SEND_RICH if self.rich and self.form == AS_EVER else api.SEND_MESSAGE

    def busy(self):
        """True while there is text that has not been sent, False also while it is still being written."""
        message = self.message
        return message is not None and (message.complete or message.part is not None)

    def advance(self):
        """Bring the messages on as far as can be without a call."""
        while True:
            message = self.message
            if message is None:
                message = self._next()
                if message is None:
                    return
            if message.state == 0:
                try:
                    if self.message is None:
                        self._begin(message)
                    if not self.ready:
                        self._feed(message)
                except MemoryError:
                    if not self.short_of_memory():
                        raise
                if self.ready or not message.complete:
                    return
                message.state = 1
            self._end(message)

    def _next(self):
        # One that waited for a flood limit, when that is over, before those that have come since.
        for message in self.aside:
            if message.state or not self._held_ms(message.chat_id):
                self.aside.remove(message)
                return message
        return self._queue.get()

    def _begin(self, message):
        # The formatter's buffer is the reader's: a text that lies there is taken as it is.
        self.formatter.begin()
        self._next_piece()
        self.pieces = 0
        self.whole = message.part if message.complete else None
        size_b = 0
        buffer = self._buffer
        if message.buffer is not None:
            size_b = buffer.size_b
            message.buffer = None
            buffer.keep(self, None)
        else:
            buffer.ask(self, True)
        self.message = message
        self._view = None
        if size_b:
            self.formatter.adopt(size_b)

    def _end(self, message):
        self.leave()
        message.signal.set()

    def leave(self):
        """No message is in hand any more."""
        self.message = self._view = self.whole = None
        self.ready = False
        self._buffer.give_back(self)

    def _feed(self, message):
        # Fill the formatter until a piece is ready, or the next part is still being written.
        formatter = self.formatter
        while not formatter.ready():
            part = message.part
            if part is None:
                if not message.complete:
                    return
                formatter.finish()
                self.ready = formatter.ready()
                return
            if self._view is None:
                self._view = memoryview(part)
                self._taken = 0
            self._taken += formatter.feed(self._view, self._taken)
            if self._taken >= len(self._view):
                self._view = None
                message.part = None
                if not message.complete:
                    message.signal.set()
        self.ready = True

    def write(self, call, method):
        """Write the request of the piece into `call`."""
        message = self.message
        formatter = self.formatter
        call.begin(method, message.chat_id)
        call.text(b'{"chat_id":')
        call.number(message.chat_id)
        if message.thread_id is not None:
            call.text(b',"message_thread_id":')
            call.number(message.thread_id)
        if message.reply_to is not None:
            call.text(b',"reply_parameters":{"allow_sending_without_reply":true,"message_id":')
            call.number(message.reply_to)
            call.text(b"}")
        if method == api.SEND_RICH:
            call.text(b',"rich_message":{"markdown":"')
            formatter.write_markdown(call.run)
            call.text(b'"}}')
            return
        call.text(b',"link_preview_options":{"is_disabled":true},"text":"')
        if self.form == PLAIN:
            formatter.write_plain(call.run)
            call.text(b'"}')
        else:
            formatter.write(call.run)
            call.text(b'","parse_mode":"HTML"}')

    def accepted(self):
        """Telegram has accepted the piece."""
        self.stats.answered += 1
        self.pieces += 1
        self.formatter.drop()
        self._next_piece()
        self.message.reply_to = None

    def _next_piece(self):
        self.form = AS_EVER
        self.ready = self.repeated = self.suspected = False
        self.failures = 0

    # What seldom happens stands in trouble.py.

    def short_of_memory(self):
        """There was no memory to format the piece: it will be its Markdown. False when that is no help."""
        if self.message is None or self.form == PLAIN or not self.formatter.give_up():
            return False
        self.form = PLAIN
        self.ready = True
        self.stats.fallbacks += 1
        try:
            from copepod.telegram import trouble

            trouble.told_plain()
            forget("copepod.telegram.trouble")
        except MemoryError:
            pass  # its words have no room either
        return True

    def give_up(self, reason):
        """The message will not be sent, or no further."""
        self.stats.errors += 1
        self.stats.dropped += 1
        self.message.reason = reason
        self.message.state = 2
        self._end(self.message)
