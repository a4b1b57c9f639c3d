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

    def size_b(self):
        """Bytes of text that this message holds (what the bus charges for it)."""
        return len(self.text) if self.text.isascii() else 0


class OutboundMessage:
    """One answer: Markdown as a str, or an async iterator of str that is still being written."""

    def __init__(self, chat_id, markdown, reply_to=None, thread_id=None):
        self.chat_id = chat_id
        self.markdown = markdown
        self.reply_to = reply_to
        self.thread_id = thread_id
