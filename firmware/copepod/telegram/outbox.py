"""The answer being sent: text into the formatter, pieces into requests. Memory: the formatter, made at start."""

from micropython import const

from copepod.log import log
from copepod.telegram import api
from copepod.text.markdown import Formatter

_HTML = const(1)
_PLAIN = const(2)


class Outbox:
    """Takes one OutboundMessage at a time from the bus and turns it into sendMessage calls.

    A piece stays in the formatter until Telegram has accepted it, so that after any failure it is
    written again, the same or (when its formatting was refused) as plain text.
    """

    def __init__(self, queue, stats, buffer, rich):
        self.message = None  # the one being sent
        self.unread = None  # an inbound message whose text lies in the buffer
        self._queue = queue
        self._stats = stats
        self._formatter = Formatter(buffer)
        self._rich = rich
        self._form = 0  # of the piece in hand: as ever, or what is left when that was refused
        self._view = None  # the part being taken, as bytes
        self._taken = 0

    def method(self):
        """The call that would bring the message on, or None when there is nothing to send now."""
        while True:
            message = self.message
            if message is None:
                message = self.message = self._queue.get()
                if message is None:
                    return None
                self._begin(message)
            if message.state == 0:
                try:
                    found = self._feed(message)
                except MemoryError:
                    if not self.short_of_memory():
                        raise
                    found = True
                if found:
                    return api.SEND_RICH if self._rich and not self._form else api.SEND_MESSAGE
                if found is None:
                    return None
                message.state = 1
            self.message = self._view = None
            message.signal.set()

    def busy(self):
        """True while there is text that has not been sent, False also while it is still being written."""
        message = self.message
        return message is not None and (message.complete or message.part is not None)

    def _begin(self, message):
        # The formatter's buffer is the reader's: a text that lies there is taken as it is or saved.
        self._formatter.begin()
        self._form = 0
        if message.held_b:
            self._formatter.adopt(message.held_b)
        elif self.unread is not None:
            self.unread.settle()
        self.unread = None

    def _feed(self, message):
        # True: a piece is ready; None: the next part is still being written; False: that was all.
        formatter = self._formatter
        while not formatter.ready():
            part = message.part
            if part is None:
                if not message.complete:
                    return None
                formatter.finish()
                return formatter.ready()
            if self._view is None:
                self._view = memoryview(part)
                self._taken = 0
            self._taken += formatter.feed(self._view, self._taken)
            if self._taken >= len(self._view):
                self._view = None
                message.part = None
                if not message.complete:
                    message.signal.set()
        return True

    def write(self, call, method):
        """Write the request of the piece into `call`."""
        message = self.message
        formatter = self._formatter
        call.begin(method)
        call.text(b'{"chat_id":')
        call.number(message.chat_id)
        if message.thread_id is not None:
            self._write_thread(call)
        if message.reply_to is not None:
            call.text(b',"reply_parameters":{"allow_sending_without_reply":true,"message_id":')
            call.number(message.reply_to)
            call.text(b"}")
        if method == api.SEND_RICH or self._form == _PLAIN:
            self._write_unformatted(call, method)
            return
        call.text(b',"link_preview_options":{"is_disabled":true},"text":"')
        formatter.write(call.run)
        call.text(b'","parse_mode":"HTML"}')

    def _write_thread(self, call):
        call.text(b',"message_thread_id":')
        call.number(self.message.thread_id)

    def _write_unformatted(self, call, method):
        # The Markdown itself: for a server that formats, or that has refused the formatted text.
        if method == api.SEND_RICH:
            call.text(b',"rich_message":{"markdown":"')
            self._formatter.write_markdown(call.run)
            call.text(b'"}}')
        else:
            call.text(b',"link_preview_options":{"is_disabled":true},"text":"')
            self._formatter.write_plain(call.run)
            call.text(b'"}')

    def short_of_memory(self):
        """There was no memory to format the piece: it will be its Markdown. False when that is no help."""
        if self.message is None or self._form == _PLAIN or not self._formatter.give_up():
            return False
        log("telegram", "no memory to format the answer, sending plain text")
        self._stats.fallbacks += 1
        self._form = _PLAIN
        return True

    def accepted(self):
        """Telegram has accepted the piece."""
        self._stats.answered += 1
        self._formatter.drop()
        self._form = 0
        self.message.reply_to = None

    def refused(self, error, method):
        """Telegram has refused the piece: another form is tried, or the message is given up."""
        if method == api.SEND_RICH and self.message.state == 0:
            log("telegram", "sendRichMessage refused, going on with HTML: ", error)
            if str(error).startswith("404"):  # this server does not know the method
                self._rich = False
            self._form = _HTML
            return
        if "parse entities" in str(error) and self._form < _PLAIN:
            log("telegram", "formatting refused, sending plain text: ", error)
            self._formatter.give_up(False)
            self._stats.fallbacks += 1
            self._form = _PLAIN
            return
        log("telegram", "answer refused: ", error)
        self._stats.errors += 1
        self._stats.dropped += 1
        self.message.reason = str(error)
        self.message.state = 2
