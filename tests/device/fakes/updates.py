"""Answers of Telegram as it writes them, read in windows of any size, and what becomes of the updates in them."""

import json

from copepod.received import Received
from copepod.telegram import schema, updates
from copepod.textbuffer import TextBuffer

# Places of the values of telegram/schema.py.
ERROR_CODE, DESCRIPTION, RETRY_AFTER, ID, USERNAME, MESSAGE_ID, MIGRATE_TO = 1, 2, 3, 5, 6, 7, 16
FILE_PATH = 23

BUFFER = TextBuffer(bytearray(12320))
BOT_ID = 123456789
ADA = {"id": 7000000001, "is_bot": False, "first_name": "Ada", "username": "ada"}
PRIVATE = {"id": 7000000001, "first_name": "Ada", "username": "ada", "type": "private"}
GROUP = {"id": -1002147483647, "title": "Plankton", "type": "supergroup"}

updates.UpdateReader.message = Received


def new_reader():
    return schema.reader(BUFFER, BOT_ID, "@copepod_bot")


READER = new_reader()


def escaped(text):
    """JSON as Telegram writes it: in ASCII. MicroPython's json leaves other characters as they are."""
    if all(ord(c) < 128 for c in text):
        return text
    parts = []
    for c in text:
        code = ord(c)
        if code > 0xFFFF:
            code -= 0x10000
            parts.append("\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)))
        else:
            parts.append(c if code < 128 else "\\u%04x" % code)
    return "".join(parts)


def answer(document, take=None, cut=500, reader=READER, free=True):
    """Read an answer in windows; returns the messages that it held. `free`: no earlier text is needed."""
    if free:
        reader.buffer.owner = None
    if not isinstance(document, bytes):
        document = escaped(json.dumps(document)).encode()
    got = []

    def sink(msg):
        got.append(msg)
        return take is None or len(got) < take

    reader.begin(sink)
    window = bytearray(cut)
    for at in range(0, len(document), cut):
        part = document[at : at + cut]
        window[: len(part)] = part
        begin = 0
        while begin < len(part):
            begin = reader.feed(window, begin, len(part))
    reader.finish()
    return got


def update(kind, content, update_id=5):
    return {"ok": True, "result": [{"update_id": update_id, kind: content}]}


def message(chat=PRIVATE, **fields):
    content = {"message_id": 77, "from": ADA, "chat": chat, "date": 1790000000}
    content.update(fields)
    return content


def one(content, kind="message"):
    """The one message that an update becomes; the same in windows of any size."""
    found = []
    for cut in (1, 7, 64, 1000):
        got = answer(update(kind, content), cut=cut)
        assert len(got) == 1 and got[0].update_id == 5
        found.append(got[0])
        assert got[0].kind == found[0].kind
        assert got[0].kind is None or vars_of(got[0]) == vars_of(found[0])
    return found[0]


def vars_of(msg):
    return {
        "update_id": msg.update_id,
        "kind": msg.kind,
        "chat_id": msg.chat_id,
        "chat_type": msg.chat_type,
        "message_id": msg.message_id,
        "thread_id": msg.thread_id,
        "sender_id": msg.sender_id,
        "username": msg.username,
        "first_name": msg.first_name,
        "text": msg.text,
        "reply_text": msg.reply_text,
        "callback_id": msg.callback_id,
        "command": msg.command,
        "args": msg.args,
    }


def kinds(got):
    return [msg.kind for msg in got]
