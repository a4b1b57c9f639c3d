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
_IS_BOT = const(13)
_TEXT = const(17)
_SENDER = const(26)
_USERNAME = const(27)
_FIRST_NAME = const(28)
_CHAT = const(29)
_TYPE = const(30)
_REPLIED = const(31)
_QUOTE = const(33)
_MENTIONED = const(35)

_OTHERS_B = const(3800)  # of Python's heap, for other_updates.py: see text/state.py
_KINDS = b"mMq"  # nodes of the kinds of update that we know
_THINGS = b"slkodhHiIj"  # nodes of attachments with something to say, or to keep


class UpdateReader(Reader):
    """begin(), feed() each window, finish(); after that `ok` is what the answer says, and `values` are its fields.

    The places of those that matter when it is not ok stand in refusals.py. `buffer` is the TextBuffer, in which a long
    text stays until somebody needs it or the place.
    """

    message = InboundMessage  # another class where a bot has handlers, see received.py
    bot_id: "Any"  # who the bot is: in groups only what is meant for it is handed over
    at_name: str
    albums: list  # see other_updates.py
    need: "Any" = None  # called with what a module takes: MemoryError where there is no room for it

    def begin(self, sink=None):
        """Expect an answer; `sink(msg)` is called for each update and returns False to stop.

        The rest is then skipped: it comes again with the next getUpdates.
        """
        super().begin()
        self._sink = sink
        self._stopped = self._lost = False
        self.node = self.thing = self.mentioned = 0

    def feed(self, buf, start, end):
        """Take a window of the answer: see json_stream.Reader."""
        return end if self._stopped else super().feed(buf, start, end)

    def finish(self):
        """End the answer. ValueError when it was cut short."""
        if not self._stopped:
            super().finish()
        self.ok = self.values[0] is True or self._stopped

    def opened(self, letter):
        if letter in _KINDS:
            self.node = letter
        elif letter in _THINGS:
            self.thing = letter

    def closed(self, letter):
        values = self.values
        if letter == 119:  # somebody mentioned without a username
            self.mentioned |= values[_MENTIONED] == self.bot_id
        elif letter == 117 and values[_UPDATE] is not None:
            if self._sink is not None:
                msg = self.message()
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
                    if kind is None:
                        msg.discard()
                if not self._sink(msg):
                    self._stopped = self.pause = True
            self.forget(_UPDATE)
            self.node = self.thing = self.mentioned = 0
            self._lost = False

    def text_left(self, text):
        # The text of the message that this one replies to may be cut, not the text itself.
        if text is None:
            if self._long == _REPLIED or self._long == _QUOTE:
                from copepod.telegram import other_updates

                text = other_updates.beginning(self.buffer)
                forget("copepod.telegram.other_updates")
            else:
                self._lost = True
        super().text_left(text)

    def no_room(self):
        # Another needs the buffer: this update comes again with the next getUpdates.
        if self._sink is None:
            super().no_room()
        self._stopped = self.pause = True

    def _fill(self, msg, values):
        # Returns the kind, None for what no handler should see.
        node = self.node
        sender_id = values[_SENDER]
        chat_id = values[_CHAT]
        if chat_id is None and node == 113:
            chat_id = sender_id  # a button below a message that was sent by way of the bot
        if not node or chat_id is None or sender_id is None:
            return None
        msg.chat_id = chat_id
        msg.sender_id = sender_id
        msg.username = values[_USERNAME]
        msg.first_name = values[_FIRST_NAME]
        msg.message_id = values[_MESSAGE]
        if values[_IS_TOPIC]:
            msg.thread_id = values[_THREAD]
        if values[_IS_BOT]:
            msg.is_bot = True
        private = values[_TYPE] == "private"
        if not private:
            msg.chat_type = values[_TYPE]
        text = values[_TEXT]
        quoted = values[_QUOTE] or values[_REPLIED]
        if type(text) is int:
            msg.buffer = self.buffer
            self.buffer.keep(msg, text)
        elif text is not None:
            msg.text = text
        if private and node == 109 and text is not None and not quoted:
            if type(text) is int:
                command = self.buffer.data[0] == 47
            else:
                command = text.startswith("/")  # pyright: ignore[reportAttributeAccessIssue]
            if not command:
                return "message"
        if self.need is not None:
            self.need(_OTHERS_B)
        from copepod.telegram import other_updates

        try:
            return other_updates.kind_of(self, msg, values, private, quoted)
        finally:
            forget("copepod.telegram.other_updates")
