"""Texts of full length: they stay in the buffer, are looked at there, and no update is lost where they do not fit."""

import json

from copepod.telegram import schema
from copepod.textbuffer import TextBuffer
from fakes.updates import BOT_ID, BUFFER, DESCRIPTION, GROUP, PRIVATE, READER, answer, escaped, kinds, message, update

PURE = True


def held_b(msg):
    """Bytes of the message's text that are still in the buffer."""
    return BUFFER.size_b if msg.buffer is not None and BUFFER.owner is msg else 0


def test_long_texts_stay_in_the_buffer_until_they_are_needed():
    long = "\u0416" * 900
    first = answer(update("message", message(text=long)))[0]
    assert held_b(first) == 1800 and first.size_b() == 1800
    # Other answers leave it there, also when their short strings are cut by a window's end.
    for cut in (1, 7, 50):
        answer(
            {"ok": False, "error_code": 400, "description": "Bad Request: \u00e9 " + "x" * 60},
            cut=cut,
            free=False,
        )
        assert READER.values[DESCRIPTION].startswith("Bad Request: \u00e9 xx")
    assert held_b(first) == 1800
    # The next text that needs the place comes again later, so that none is read without room for it.
    assert answer(update("message", message(text="y" + long)), free=False) == [] and READER.ok
    assert first.text == long and held_b(first) == 0
    assert answer(update("message", message(text="y" + long)), free=False)[0].text == "y" + long
    # A short one goes to its message, however.
    short = answer(update("message", message(text="\u0416\u0416")))[0]
    assert held_b(short) == 4
    assert answer(update("message", message(text=long)), free=False)[0].text == long
    assert held_b(short) == 0 and short.text == "\u0416\u0416"
    # Within one update, too.
    both = message(
        text=long, reply_to_message=message(text="\u00e9" * 700), quote={"text": "q" * 600}
    )
    msg = answer(update("message", both), cut=100)[0]
    assert msg.text == long and msg.reply_text == "q" * 600


def test_a_long_text_is_looked_at_where_it_lies():
    """A caption, a command and a mention, none of which needs room for a second text."""
    long = "\u6f6e" * 900
    for fields, text, command, args in (
        ({"caption": long, "photo": [{}]}, long + "\n[image: photo]", None, ""),
        ({"text": "/say " + long}, "/say " + long, "say", long),
        ({"text": "/say@copepod_bot\n" + long}, "/say@copepod_bot\n" + long, "say", long),
        ({"text": "@copepod_bot " + long, "chat": GROUP}, long, None, ""),
        ({"text": long + "@Copepod_bot", "chat": GROUP}, long, None, ""),
        ({"text": long + " @copepod_BOT " + long, "chat": GROUP}, long + "  " + long, None, ""),
        (
            {"caption": "@copepod_bot " + long, "chat": GROUP, "voice": {}},
            long + "\n[voice]",
            None,
            "",
        ),
    ):
        for cut in (1, 100, 1000):
            msg = answer(update("message", message(**fields)), cut=cut)[0]
            assert held_b(msg) == len(text.encode()), (fields.keys(), held_b(msg))
            assert (msg.kind, msg.command) == ("message", command)
            assert msg.text == text and msg.args == args
    # A caption that fills the buffer leaves no room for the placeholder.
    longest = "\u6f6e" * 4096
    msg = answer(update("message", message(caption=longest, poll={"question": "q" * 96})))[0]
    assert msg.text == longest + "\n[poll: " + "q" * 96 + "]"


class Scarce(TextBuffer):
    """There is no memory for a str of more than `largest` bytes."""

    largest = 2000

    def read(self):
        if self.size_b > self.largest:
            raise MemoryError
        return super().read()


def test_no_memory_for_a_long_text():
    """Reading may fail for good: the update is handed over all the same, its text None, and nothing raises."""
    reader = schema.reader(Scarce(bytearray(12320)), BOT_ID, "@copepod_bot")
    long = "LONG"
    # What need not be made is not made.
    for fields in (
        {"text": long},
        {"text": "/ping " + long},
        {"text": "@copepod_bot " + long, "chat": GROUP},
        {"text": "@copepod_bot " + long, "chat": GROUP},
        {"caption": long, "photo": [{}]},
    ):
        for cut in (61, 1400):
            (msg,) = answer(ordered(message(**fields)), cut=cut, reader=reader)
            assert msg.kind == "message" and msg.buffer is reader.buffer
            assert (msg.command == "ping") == fields.get("text", "").startswith("/")
            msg.discard()
    # Of a text replied to there is the beginning.
    for fields in ({"text": "\u4f60\u597d"}, {"text": "yes"}, {"text": "/ping"}, {"text": long}):
        for quoted in (
            {"reply_to_message": message(text=long)},
            {"reply_to_message": message(caption=long)},
            {"quote": {"text": long}},
        ):
            for cut in (61, 1400):
                (msg,) = answer(ordered(message(), quoted, fields), cut=cut, reader=reader)
                assert msg.kind == "message", (fields, quoted.keys())
                assert msg.reply_text == "\u6f6e" * 320 + "\u2026", len(msg.reply_text)
                assert fields["text"] == long or msg.text == fields["text"]
                msg.discard()
    # Its own text, when another one needs the place.
    raw = ordered(message(text=long), {"quote": {"text": "\u4f60"}})
    (msg,) = answer(raw, cut=64, reader=reader)
    try:
        raise AssertionError(msg.text)
    except MemoryError:
        pass
    assert (msg.kind, msg.chat_id) == ("message", PRIVATE["id"])
    raw = raw.replace(b"private", b"group")
    assert kinds(answer(raw, cut=64, reader=reader)) == [None]
    # The next update is read as ever.
    assert answer(update("message", message(text="hi")), reader=reader)[0].text == "hi"


def test_a_text_that_is_longer_than_the_buffer_is_not_cut():
    """Beside a bot's handlers the buffer is smaller (arena.py): no text is taken for a shorter one."""
    reader = schema.reader(TextBuffer(bytearray(4128)), BOT_ID, "@copepod_bot")
    for fits, text in ((True, "a" * 4096), (True, "\u0436" * 2064), (False, "\u0436" * 2065), (False, "\u6f6e" * 1377)):
        for raw in (json.dumps(text), '"' + "".join(["\\u%04x" % ord(c) for c in text]) + '"'):
            raw = b'{"ok":true,"result":[{"update_id":5,"message":{"message_id":1,"chat":{"id":1,"type":"private"},' + (
                b'"from":{"id":1},"text":' + raw.encode() + b'}}]}'
            )
            (msg,) = answer(raw, cut=512, reader=reader)
            assert msg.kind == "message"
            if fits:
                assert msg.text == text
            else:
                try:
                    raise AssertionError(len(msg.text))
                except MemoryError:
                    pass
            msg.discard()
    # Of a text replied to there is the beginning.
    (msg,) = answer(ordered(message(text="yes"), {"reply_to_message": message(text="LONG")}), cut=512, reader=reader)
    assert (msg.text, msg.reply_text) == ("yes", "\u6f6e" * 320 + "\u2026")


def ordered(*parts):
    """An answer with one message, its fields in the order of the dicts given; "LONG" is 4,090 characters."""
    fields = []
    for part in parts:
        for name in part:
            fields.append('"%s":%s' % (name, escaped(json.dumps(part[name]))))
    document = '{"ok":true,"result":[{"update_id":5,"message":{%s}}]}' % ",".join(fields)
    return document.replace("LONG", "\\u6f6e" * 4090).encode()


def test_raw_utf8_stays_in_the_buffer_too():
    """A server that does not escape what is not ASCII costs no more memory."""
    reader = schema.reader(Scarce(bytearray(12320)))
    long = "\u6f6e" * 4096
    for text, kept in (
        (long.encode(), long),
        (long.encode() + b"xy", long),
        (b"\xff" * 4096, "\ufffd" * 4096),
        (b"a\xff" * 2500, "a\ufffd" * 2048),
        ("\U0001f980".encode() * 2049, "\U0001f980" * 2048),
        (b"\xe6\xbd" * 2000, "\ufffd" * 4000),
    ):
        raw = b'{"ok":true,"result":[{"update_id":5,"message":{"chat":{"id":1,"type":"private"},'
        raw += b'"from":{"id":1},"text":"' + text + b'"}}]}'
        for cut in (7, 1400):
            (msg,) = answer(raw, cut=cut, reader=reader)
            assert msg.buffer is reader.buffer
            found = bytes(memoryview(reader.buffer.data)[: reader.buffer.size_b])
            assert found == kept.encode(), (len(found), len(kept.encode()), text[:6])
            msg.discard()
