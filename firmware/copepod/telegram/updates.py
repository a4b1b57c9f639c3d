"""Bot API answers as they arrive: updates one by one, and what the other calls answer. Memory: about 3.5 kB, made once.

The answer is never held: each update is handed to a sink as soon as its last byte has come, reduced
to an InboundMessage. Every update that has an id is handed over, whatever it is, so that none can
stall the offset; those that no handler should see have kind None.
"""

from micropython import const

from copepod.messages import InboundMessage
from copepod.net.json_stream import Reader

# Bot API 9.2, https://core.telegram.org/bots/api#making-requests, #update, #message, #callbackquery
_SCHEMA = (
    b"a ok?0 error_code#1 description$2 parameters{p result{u\n"
    b"p retry_after#3\n"
    b"u update_id#4 message{m edited_message{M callback_query{q id#5 username$6 message_id#7\n"
    b"m message_id#7 message_thread_id#8 is_topic_message?9 from{f chat{c text~A caption~B"
    b" reply_to_message{r quote{t entities{e caption_entities{e photo!C voice!D audio!E video!F"
    b" video_note!G animation!H document!I sticker{s location{l contact{k poll{o dice{d\n"
    b"q id$; data$< from{f message{n\n"
    b"n message_id#7 message_thread_id#8 is_topic_message?9 chat{c\n"
    b"f id#J username$K first_name$L\n"
    b"c id#M type$N\n"
    b"r text~O caption~O from{g\n"
    b"g id#P\n"
    b"t text~Q\n"
    b"e user{w\n"
    b"w id#S\n"
    b"s emoji$T\n"
    b"l latitude.U longitude.V\n"
    b"k phone_number$W first_name$X\n"
    b"o question$Y\n"
    b"d emoji$Z value#:"
)
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

_KINDS = {109: "message", 77: "edited", 113: "callback"}  # by the letter of the node
_FILES = ("[image: photo]", "[voice]", "[audio]", "[video]", "[video]", "[animation]", "[file]")
# An attachment with something to say: its node, its placeholder, where in values the words are.
_THINGS = {
    115: ("[sticker: %s]", 36, 0),
    108: ("[location: %s, %s]", 37, 38),
    107: ("[contact: %s %s]", 40, 39),
    111: ("[poll: %s]", 41, 0),
    100: ("[dice: %s %s]", 42, 10),
}


def _word(text):
    # Whether text is made of letters, digits and underscores, and of at least one.
    for c in text:
        if not ("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c == "_"):
            return False
    return text != ""


class UpdateReader(Reader):
    """begin(), feed() each window, finish(); after that the fields of the answer are attributes.

    ok, error_code, description and retry_after are any answer's; id and username getMe's;
    message_id sendMessage's. `buffer`: see json_stream.Reader.
    """

    def __init__(self, buffer):
        self.bot_id: "Any" = None
        self._at_name = "@"
        self._kind = self._thing = self._mentioned = 0
        super().__init__(_SCHEMA, buffer)

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
        self._stopped = False
        self._kind = self._thing = self._mentioned = 0

    def feed(self, buf, start, end):
        """Take a window of the answer: see json_stream.Reader."""
        if self._stopped:
            return end
        return super().feed(buf, start, end)

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
                self._fill(msg, values)
                if not self._sink(msg):
                    self._stopped = self.pause = True
            for i in range(_UPDATE, len(values)):
                values[i] = None
            self._kind = self._thing = self._mentioned = 0

    def _fill(self, msg, values):
        kind = _KINDS.get(self._kind)
        chat_id = values[_CHAT]
        callback = kind == "callback"
        if callback and chat_id is None:
            chat_id = values[_SENDER]  # a button below a message that was sent by way of the bot
        msg.kind = None
        if kind is None or chat_id is None or values[_SENDER] is None:
            return
        msg.chat_id = chat_id
        msg.sender_id = values[_SENDER]
        msg.username = values[_USERNAME]
        msg.first_name = values[_FIRST_NAME]
        msg.message_id = values[_MESSAGE]
        if values[_IS_TOPIC]:
            msg.thread_id = values[_THREAD]
        if values[_REPLIED] or values[_QUOTE]:
            msg.reply_text = values[_QUOTE] or values[_REPLIED]
        private = values[_TYPE] == "private"
        if not private:
            msg.chat_type = values[_TYPE]
        if callback:
            msg.callback_id = values[_CALLBACK]
            msg.text = values[_DATA] or ""
            msg.kind = kind
            return
        text = values[_TEXT]
        if text is None:
            text = self._described(values)
            if text is None:
                return  # somebody joins or leaves, a pinned message, …
        msg.text = text
        if text.startswith("/"):
            if self._command(msg, text):
                msg.kind = kind
                return
            if not private:
                return
        if private or self._addressed(msg, values):
            msg.kind = kind

    def _described(self, values):
        # Caption and placeholder of a message without text, None when it has nothing to say.
        mark = None
        for i in range(len(_FILES)):
            if values[_PHOTO + i]:
                mark = _FILES[i]
                break
        if self._thing:
            mark, one, two = _THINGS[self._thing]
            one = values[one] or ""
            mark = mark % (one, "" if values[two] is None else values[two]) if two else mark % one
        caption = values[_CAPTION]
        if mark is None or not caption:
            return mark or caption
        return caption + "\n" + mark

    def _command(self, msg, text):
        # Take "/name@bot arguments" apart; False when it is no command, or another bot's.
        end = len(text)
        for blank in (" ", "\n", "\t"):
            at = text.find(blank, 0, end)
            if at > 0:
                end = at
        at = text.find("@", 0, end)
        if at > 0 and text[at:end].lower() != self._at_name:
            return False
        if at < 0:
            at = end
        if not _word(text[1:at]):
            return False
        msg.command = text[1:at].lower()
        if end < len(text):
            msg.args = text[end:].strip()
        return True

    def _addressed(self, msg, values):
        # Whether a message in a group is meant for the bot; its own name is taken out of the text.
        if self._mentioned or (values[_REPLIED_TO] or 0) == self.bot_id:
            return True
        name = self._at_name
        if len(name) == 1:
            return False
        text = msg.text
        low = text.lower()
        at = low.find(name)
        while at >= 0:
            end = at + len(name)
            if not _word(low[end : end + 1]) and not (at and _word(low[at - 1])):
                msg.text = (text[:at] + text[end:]).strip()
                return True
            at = low.find(name, end)
        return False
