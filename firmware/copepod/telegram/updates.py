"""Bot API answers as they arrive: updates one by one, and other results. Memory: 3 kB, made once.

The answer is never held: each update is handed to a sink as soon as its last byte has come, reduced
to an InboundMessage. Every update that has an id is handed over, whatever it is, so that none can
stall the offset; those that no handler should see have kind None.
"""

from micropython import const

from copepod.messages import InboundMessage
from copepod.net.json_stream import Reader
from copepod.once import forget

# Places of the values of telegram/schema.py.
_UPDATE = const(4)  # first of the values that belong to one update
_MESSAGE = const(7)
_THREAD = const(8)
_IS_TOPIC = const(9)
_CALLBACK = const(11)
_DATA = const(12)
_TEXT = const(17)
_CAPTION = const(18)
_PHOTO = const(19)
_SENDER = const(26)
_USERNAME = const(27)
_FIRST_NAME = const(28)
_CHAT = const(29)
_TYPE = const(30)
_REPLIED = const(31)
_REPLIED_TO = const(32)
_QUOTE = const(33)
_MENTIONED = const(35)

_KINDS = b"mMq"  # nodes of the kinds of update that we know
_THINGS = b"slkod"  # nodes of attachments with something to say


class UpdateReader(Reader):
    """begin(), feed() each window, finish(); after that the fields of the answer are attributes.

    ok, error_code, description and retry_after are any answer's; id and username getMe's;
    message_id sendMessage's. `buffer` is the TextBuffer, in which a long text stays until somebody needs
    it or the place.
    """

    def __init__(self, buffer):
        self.bot_id: "Any" = None
        self._at_name = "@"
        from copepod.telegram import schema

        super().__init__(schema.SCHEMA, buffer)
        forget("copepod.telegram.schema")

    def bot(self, bot_id, username):
        """Say who the bot is: in groups only what is meant for it is handed over."""
        self.bot_id = bot_id
        self._at_name = "@" + (username or "").lower()

    def begin(self, sink=None):
        """Expect an answer; `sink(msg)` is called for each update and returns False to stop.

        The rest is then skipped: it comes again with the next getUpdates.
        """
        super().begin()
        self._sink = sink
        self._stopped = self._lost = False
        self._kind = self._thing = self._mentioned = 0

    def feed(self, buf, start, end):
        """Take a window of the answer: see json_stream.Reader."""
        return end if self._stopped else super().feed(buf, start, end)

    def finish(self):
        """End the answer. ValueError when it was cut short."""
        if not self._stopped:
            super().finish()
        values = self.values
        self.ok = values[0] is True or self._stopped
        self.error_code = values[1]
        self.description = values[2]
        self.retry_after = values[3]
        self.id = values[5]
        self.username = values[6]
        self.message_id = values[_MESSAGE]

    def opened(self, letter):
        if letter in _KINDS:
            self._kind = letter
        elif letter in _THINGS:
            self._thing = letter

    def closed(self, letter):
        values = self.values
        if letter == 119:  # somebody mentioned without a username
            self._mentioned |= values[_MENTIONED] == self.bot_id
        elif letter == 117 and values[_UPDATE] is not None:
            if self._sink is not None:
                msg = InboundMessage()
                msg.update_id = values[_UPDATE]
                try:
                    kind = self._fill(msg, values)
                    if self._lost:
                        raise MemoryError
                except MemoryError:  # the text, or what is made of it, has no room
                    msg.text = None
                    kind = "message" if values[_TYPE] == "private" else None
                if kind != "message":  # which is what the class says
                    msg.kind = kind
                if not self._sink(msg):
                    self._stopped = self.pause = True
            self.forget(_UPDATE)
            self._kind = self._thing = self._mentioned = 0
            self._lost = False

    def text_left(self, text):
        # The text of the message that this one replies to may be missing, not the text itself.
        self._lost |= text is None and self._long != _REPLIED and self._long != _QUOTE
        super().text_left(text)

    def no_room(self):
        # Another needs the buffer: this update comes again with the next getUpdates.
        if self._sink is None:
            super().no_room()
        self._stopped = self.pause = True

    def _fill(self, msg, values):
        # Returns the kind, None for what no handler should see.
        kind = "message" if self._kind == 109 else "edited" if self._kind == 77 else "callback"
        sender_id = values[_SENDER]
        chat_id = values[_CHAT]
        callback = self._kind == 113
        if callback and chat_id is None:
            chat_id = sender_id  # a button below a message that was sent by way of the bot
        if not self._kind or chat_id is None or sender_id is None:
            return None
        msg.chat_id = chat_id
        msg.sender_id = sender_id
        msg.username = values[_USERNAME]
        msg.first_name = values[_FIRST_NAME]
        msg.message_id = values[_MESSAGE]
        if values[_IS_TOPIC]:
            msg.thread_id = values[_THREAD]
        text = values[_TEXT]
        if type(text) is int:
            msg.buffer = self.buffer
            self.buffer.keep(msg, text)
        private = values[_TYPE] == "private"
        if private and text is not None and not (callback or values[_QUOTE] or values[_REPLIED]):
            if type(text) is int:
                if self.buffer.data[0] != 47:
                    return kind
                text = msg.text
            msg.text = text
            if text.startswith("/"):  # pyright: ignore[reportAttributeAccessIssue]
                self._command(msg, text)
            return kind
        return self._fill_other(msg, values, kind, private)

    def _fill_other(self, msg, values, kind, private):
        # What is not just a text in a private chat.
        text = values[_TEXT]
        quoted = values[_QUOTE] or values[_REPLIED]
        if quoted:
            msg.reply_text = self.settled(quoted)
        if not private:
            msg.chat_type = values[_TYPE]
        if kind == "callback":
            msg.callback_id = values[_CALLBACK]
            msg.text = values[_DATA] or ""
            return kind
        if type(text) is int:
            if private and self.buffer.data[0] != 47:
                return kind
            text = msg.text
        elif text is None:
            from copepod.telegram import attachments

            caption = self.settled(values[_CAPTION])
            text = attachments.described(caption, _PHOTO, self._thing, values)
            if text is None:
                return None  # somebody joins or leaves, a pinned message, …
        msg.text = text
        if text.startswith("/"):
            if self._command(msg, text):
                return kind
            if not private:
                return None
        if private or self._mentioned or values[_REPLIED_TO] == (self.bot_id or 0):
            return kind
        if len(self._at_name) > 1:
            from copepod.telegram import groups

            text = groups.without(self._at_name, text)
            if text is not None:
                msg.text = text
                return kind
        return None

    def _command(self, msg, text):
        # Take "/name@bot arguments" apart; False when it is no command, or another bot's.
        end = len(text)
        for blank in (" ", "\n", "\t"):
            at = text.find(blank, 0, end)
            if at > 0:
                end = at
        name = text[1:end]
        at = name.find("@")
        if at >= 0:
            if name[at:].lower() != self._at_name:
                return False
            name = name[:at]
        for c in name:
            if not ("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c == "_"):
                return False
        if not name:
            return False
        msg.command = name.lower()
        if end < len(text):
            msg.args = text[end:].strip()
        return True
