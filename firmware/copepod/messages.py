"""What travels on the bus: one inbound and one outbound message. Memory: one object each, no dict.

Fields that a message does not have are None, so that an object costs the same whatever arrived.
"""


class InboundMessage:
    """One Telegram update, reduced to what a handler may want.

    `kind` is one of "message", "edited", "callback". Ids are ints (up to 52 bits,
    https://core.telegram.org/bots/api#user). `text` is the text or caption with the placeholders of
    its attachments, at most 4096 UTF-16 units (+ placeholders).
    """

    def __init__(self):
        self.update_id = 0
        self.kind = "message"
        self.chat_id = 0
        self.chat_type = "private"
        self.message_id = None
        self.thread_id = None
        self.sender_id = 0
        self.username = None
        self.first_name = None
        self.text = ""
        self.reply_text = None  # text of the message this one replies to
        self.callback_id = None
        self.command = None  # "led" of "/led@mybot on"
        self.args = ""  # "on"
        self.gateway = None  # set by the gateway, so that answer() knows where to go

    async def answer(self, markdown):
        """Send Markdown to the chat this message came from; returns once Telegram has accepted it.

        `markdown`: a str, or an iterable or async iterable of str that may still be being written.
        OSError when Telegram refuses the answer for good (the bot was blocked, the chat is gone).
        """
        await self.gateway.answer(self, markdown)

    def size_b(self):
        """Bytes of text that this message holds (what the bus charges for it)."""
        return len(memoryview(self.text))


class OutboundMessage:
    """One answer on its way: Markdown in parts, one part at a time.

    `part` is the Markdown that the channel may take now (None while the next one is being written),
    `complete` says that no part follows. `state` is 0 while it is on its way, 1 once Telegram has
    accepted all of it, 2 when Telegram refused it for good (`reason` then says why).
    """

    def __init__(self, chat_id, part, reply_to=None, thread_id=None):
        self.chat_id = chat_id
        self.part = part
        self.complete = True
        self.reply_to = reply_to
        self.thread_id = thread_id
        self.state = 0
        self.reason = None
        self.signal = None  # set when the part was taken or the state changed

    def size_b(self):
        """Bytes that the bus charges: a part is the handler's own string, so only the object."""
        return 0
