"""The methods of the Bot API that we call, in which forms a text is sent, and the two refusals. Memory: constants."""

from micropython import const

GET_ME = const(0)
GET_UPDATES = const(1)
SEND_MESSAGE = const(2)
SEND_RICH = const(3)
SEND_ACTION = const(4)  # this one and those after it only decorate: see optional.py
ANSWER_CALLBACK = const(5)
SET_COMMANDS = const(6)
SEND_DRAFT = const(7)

METHODS = (
    b"getMe",
    b"getUpdates",
    b"sendMessage",
    b"sendRichMessage",
    b"sendChatAction",
    b"answerCallbackQuery",
    b"setMyCommands",
    b"sendMessageDraft",
)

AS_EVER = const(0)  # in which form the piece in hand is sent: as the bot's are, …
HTML = const(1)  # … as HTML although it is a bot of rich messages, …
PLAIN = const(2)  # … or as the Markdown itself

ANSWER_MS = const(20000)  # longest an answer may take beside a long poll's own time


class Stop(Exception):
    """Telegram refuses the token: nothing to retry. The text is one line for the console."""


class Refused(Exception):
    """Telegram refuses this one call for good (4xx); the connection and the bot are fine."""
