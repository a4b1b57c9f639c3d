"""What travels on the bus: one inbound and one outbound message. Memory: one object each, no dict.

Fields that a message does not have are None, so that an object costs the same whatever arrived.
"""

TOO_LONG = "Sorry, there is no room in my memory for a message of this length."


def _utf8_b(text):
    try:
        return len(memoryview(text))
    except TypeError:  # CPython, where a str has no bytes
        return len(text.encode())


class InboundMessage:
    """One Telegram update, reduced to what a handler may want.

    `kind` is one of "message", "edited", "callback"; "notice" when the gateway itself says `text` to
    its sender and no handler should see it; None for an update that nobody should. Ids are ints (up
    to 52 bits, https://core.telegram.org/bots/api#user). `text` is the text or caption with the
    placeholders of its attachments, at most 4096 UTF-16 units (+ placeholders).
    What a bot's handlers may say to it stands in received.py.

    A long text stays in the buffer that it was read into until somebody asks for it: a gateway that
    hands it on as it is (the echo) never holds it twice.
    """

    # Defaults belong to the class: a message holds only what it has.
    update_id = 0
    kind: "str | None" = "message"
    chat_id = 0
    chat_type = "private"
    message_id: "int | None" = None
    thread_id: "int | None" = None
    sender_id = 0
    username: "str | None" = None
    first_name: "str | None" = None
    reply_text: "str | None" = None  # text of the message this one replies to
    callback_id: "str | None" = None
    command: "str | None" = None  # "led" of "/led@mybot on"
    args_at = 0  # where in the text its arguments begin
    is_bot = False  # the sender is a bot
    sender_chat_id: "int | None" = (
        None  # sent in the name of a chat: by an anonymous admin, a channel
    )
    gateway: "Any" = None  # set by the worker
    for_handlers = False  # see received.py
    acknowledged = False  # before its handler has ended, see asking.py
    buffer: "Any" = None  # the TextBuffer that the text lies in, while it does
    _text: "str | None" = ""
    _size_b = None

    @property
    def text(self) -> "Any":
        """The text, a str; a long one is made when it is first asked for. MemoryError: it has no room."""
        if self.buffer is not None:
            self._text = self.buffer.read()
            self.buffer = None
        if self._text is None:
            raise MemoryError
        return self._text

    @text.setter
    def text(self, text):
        self.discard()
        self._text = text

    def text_left(self, text):
        """The buffer goes to another: see TextBuffer."""
        self.buffer = None
        self._text = text

    def discard(self):
        """Nobody will read the text, so its place is free."""
        if self.buffer is not None:
            self.buffer.give_back(self)
            self.buffer = None

    def size_b(self):
        """Bytes of text that this message holds when it is first asked (what the bus charges for it)."""
        if self._size_b is None:
            self._size_b = self.buffer.size_b if self.buffer else _utf8_b(self._text or "")
            if self.reply_text:
                self._size_b += _utf8_b(self.reply_text)
        return self._size_b


class AnswerRefused(OSError):
    """Telegram refuses an answer for good; the channel has logged why."""


class OutboundMessage:
    """One answer on its way: Markdown in parts, one part at a time.

    `part` is the Markdown that the channel may take now (None while the next one is being written),
    `complete` says that no part follows. `state` is 0 while it is on its way, 1 once Telegram has
    accepted all of it, 2 when Telegram refused it for good (`reason` then says why).
    """

    sent: "Any" = None  # its Sent, when a bot's handler says it: see answers.py

    def __init__(self, chat_id, part, reply_to=None, thread_id=None):
        self.chat_id = chat_id
        self.part = part
        self.buffer: "Any" = None  # the TextBuffer that the part lies in, while it does
        self.complete = True
        self.aside = False  # it waits for its chat's flood limit to end, and others go before it
        self.reply_to = reply_to
        self.thread_id = thread_id
        self.state = 0
        self.reason: "str | None" = None
        self.signal: "Any" = None  # set when the part was taken or the state changed

    def size_b(self):
        """Bytes that the bus charges: a part is the handler's own string, so only the object."""
        return 0

    def text_left(self, text):
        """The buffer goes to another: see TextBuffer."""
        self.buffer = None
        self.part = text or TOO_LONG

    def reply(self, msg, part):
        """Become the answer `part` to `msg`; `msg` itself as the part is its text, out of the buffer it was
        read into if it is still there. It is then gone from `msg`. False when there is nothing to say.
        """
        buffer = None
        if part is msg:
            buffer = msg.buffer
            msg.buffer = None
            if buffer is None:
                part = TOO_LONG if msg._text is None else msg._text
            else:
                buffer.keep(self, buffer.size_b)
                part = None
        self.buffer = buffer
        self.part = part
        self.complete = True
        self.aside = False
        self.chat_id = msg.chat_id
        self.reply_to = msg.message_id
        self.thread_id = msg.thread_id
        self.state = 0
        self.signal.clear()
        return bool(buffer or part)
