"""The answer being sent: text into the formatter, pieces into requests. Memory: the formatter, made at start."""

from copepod.log import log
from copepod.telegram.methods import AS_EVER, PLAIN, SEND_MESSAGE, SEND_RICH
from copepod.text.markdown import Formatter  # noqa: F401  its part: see assembly.py


class Outbox:
    """Takes one OutboundMessage at a time from the bus and turns it into sendMessage calls.

    A piece stays in the formatter until Telegram has accepted it, so that after any failure it is
    written again, the same or (when its formatting was refused) as plain text.
    """

    message: "Any"  # the one being sent
    whole: "str | None"  # its text, if that came as one str
    pieces: int  # of it that were accepted
    aside: list  # messages that wait for a flood limit to end: see asides.py
    stats: "Any"
    formatter: "Any"
    queue: "Any"  # where the messages come from
    held_ms: "Any"  # how long a flood limit holds a chat
    buffer: "Any"  # the TextBuffer
    rich: bool  # the bot sends rich messages
    form: int  # of the piece in hand
    ready: bool  # a piece can be sent
    repeated: bool  # the piece in hand is sent for the second time
    suspected: bool  # the server has failed at it
    failures: int  # how often it did while it answered other calls
    view: "Any"  # the part being taken, as bytes,
    taken: int  # so many of them

    def method(self):
        """The call that would bring the message on, or None when there is nothing to send now."""
        if not self.ready:
            return None
        return SEND_RICH if self.rich and self.form == AS_EVER else SEND_MESSAGE

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
                    elif self.form == AS_EVER:
                        self.formatter.load()  # which a new connection has had forgotten
                except MemoryError:
                    if not self.short_of_memory():
                        raise
                if self.ready or not message.complete:
                    return
                message.state = 1
                if not self.pieces:
                    self._shows_nothing(message)
            self.end(message)

    def _next(self):
        # One that waited for a flood limit, when that is over, before those that have come since.
        for message in self.aside:
            if message.state or not self.held_ms(message.chat_id):
                self.aside.remove(message)
                return message
        return self.queue.get()

    def _begin(self, message):
        # The formatter's buffer is the reader's: a text that lies there is taken as it is.
        self.formatter.begin()
        self._next_piece()
        self.pieces = 0
        self.whole = message.part if message.complete else None
        size_b = 0
        buffer = self.buffer
        if message.buffer is not None:
            size_b = buffer.size_b
            message.buffer = None
            buffer.keep(self, None)
        else:
            buffer.claim(self, True)
        self.message = message
        self.view = None
        if size_b:
            self.formatter.adopt(size_b)

    def end(self, message):
        """The message needs nothing more."""
        self.leave()
        message.signal.set()

    def leave(self):
        """No message is in hand any more."""
        self.message = self.view = self.whole = None
        self.ready = False
        self.buffer.give_back(self)

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
            if self.view is None:
                self.view = memoryview(part)
                self.taken = 0
            self.taken += formatter.feed(self.view, self.taken)
            if self.taken >= len(self.view):
                self.view = None
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
        if message.sent is not None and message.sent.write(call, self):
            return
        if message.thread_id is not None:
            call.text(b',"message_thread_id":')
            call.number(message.thread_id)
        if message.reply_to is not None:
            call.text(b',"reply_parameters":{"allow_sending_without_reply":true,"message_id":')
            call.number(message.reply_to)
            call.text(b"}")
        if method == SEND_RICH:
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

    def accepted(self, message_id=None):
        """Telegram has accepted the piece; it is a message with this id."""
        if self.message.sent is not None:
            self.message.sent.message_id = message_id
        self.stats.answered += 1
        self.pieces += 1
        self.formatter.drop()
        self._next_piece()
        self.message.reply_to = None

    def _next_piece(self):
        self.form = AS_EVER
        self.ready = self.repeated = self.suspected = False
        self.failures = 0

    # What seldom happens stands in refusals.py.

    def _shows_nothing(self, message):
        # Who has said it hears of it.
        message.state = 2
        message.reason = "it shows nothing"
        self.stats.dropped += 1
        log("telegram", "an answer to ", message.chat_id, " is not sent: it shows nothing")

    def short_of_memory(self):
        """There was no memory to format the piece: it will be its Markdown. False when that is no help."""
        if self.message is None or self.form == PLAIN or not self.formatter.give_up():
            return False
        self.form = PLAIN
        self.ready = True
        self.stats.fallbacks += 1
        # In words that are here already: a module for them would take what is missing.
        log("telegram", "no memory to format the answer, sending plain text")
        return True
