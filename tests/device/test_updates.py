"""What becomes of each kind of update and answer, and that none stalls the ones behind it."""

import json
import sys

from copepod import files
from copepod.received import Received
from copepod.telegram import schema, updates
from copepod.textbuffer import TextBuffer

PURE = True

if sys.implementation.name == "micropython":
    import gc

    gc.threshold(-1)  # what arena.py sets for small heaps makes every test slow

# Places of the values of telegram/schema.py.
ERROR_CODE, DESCRIPTION, RETRY_AFTER, ID, USERNAME, MESSAGE_ID, MIGRATE_TO = 1, 2, 3, 5, 6, 7, 16

FILE_PATH = 23

BUFFER = TextBuffer(bytearray(12320))
BOT_ID = 123456789
ADA = {"id": 7000000001, "is_bot": False, "first_name": "Ada", "username": "ada"}
PRIVATE = {"id": 7000000001, "first_name": "Ada", "username": "ada", "type": "private"}
GROUP = {"id": -1002147483647, "title": "Plankton", "type": "supergroup"}

updates.UpdateReader.message = Received
BY_NAME = {"type": "text_mention", "offset": 0, "length": 3, "user": {"id": BOT_ID}}


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


def test_text():
    msg = one(message(text="hello \u0416 \U0001f980"))
    assert vars_of(msg) == {
        "update_id": 5,
        "kind": "message",
        "chat_id": 7000000001,
        "chat_type": "private",
        "message_id": 77,
        "thread_id": None,
        "sender_id": 7000000001,
        "username": "ada",
        "first_name": "Ada",
        "text": "hello \u0416 \U0001f980",
        "reply_text": None,
        "callback_id": None,
        "command": None,
        "args": "",
    }
    assert msg.size_b() == len("hello \u0416 \U0001f980".encode())


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


def test_an_edit_is_no_new_request():
    """Neither text nor command: what an edit is for stands in its kind alone."""
    for kind in ("edited_message",):
        msg = one(message(text="better", edit_date=1790000001), kind)
        assert (msg.kind, msg.text) == ("edited", "better")
        msg = one(message(text="/reboot now", edit_date=1790000001), kind)
        assert (msg.kind, msg.command, msg.args) == ("edited", None, "")
        msg = one(message(location={"latitude": 1, "longitude": 2, "live_period": 60}), kind)
        assert msg.kind == "edited"


def test_who_sends():
    """People, bots, and those whom nobody can see: access.py must know."""
    bot = dict(ADA, **{"is_bot": True})  # no name of the program's: the build may change those
    group_bot = {"id": 1087968824, "is_bot": True, "username": "GroupAnonymousBot"}
    for place, text in ((PRIVATE, "hello"), (GROUP, "@copepod_bot hello"), (GROUP, "/ping")):
        msg = one(message(chat=place, text=text))
        assert (msg.is_bot, msg.sender_chat_id) == (False, None)
        msg = one(message(chat=place, text=text, **{"from": bot}))
        assert (msg.kind, msg.is_bot) == ("message", True)
    for place, sender in ((GROUP, group_bot), ({"id": -1001, "type": "channel"}, ADA)):
        msg = one(message(chat=GROUP, text="/ping", sender_chat=place, **{"from": sender}))
        assert msg.sender_chat_id == place["id"]
    query = {"id": "4", "from": bot, "message": message(), "data": "x"}
    assert one(query, "callback_query").is_bot


def album(number, *ids, **fields):
    found = []
    for update_id in ids:
        content = message(photo=[{}], media_group_id=str(number), **fields)
        found.append({"update_id": update_id, "message": content})
    return {"ok": True, "result": found}


def kinds(got):
    return [msg.kind for msg in got]


def test_an_album_is_one_message():
    reader = new_reader()
    got = answer(album(13, *range(100, 110)), reader=reader)
    assert kinds(got) == ["message"] + [None] * 9
    # The first one comes again when there was no room for it, or its answer was not accepted.
    assert kinds(answer(album(13, 100, 101), reader=reader)) == ["message", None]
    # Others may be written at the same time.
    for number in range(20, 27):
        assert kinds(answer(album(number, number * 10), reader=reader)) == ["message"]
        assert kinds(answer(album(13, 108), reader=reader)) == [None]
    # In a group it is the one that speaks to the bot, whichever that is.
    reader = new_reader()
    assert kinds(answer(album(14, 1, chat=GROUP), reader=reader)) == [None]
    told = album(14, 2, chat=GROUP, caption="@copepod_bot what is this?")
    assert kinds(answer(told, reader=reader)) == ["message"]
    # An edit of its caption is an edit.
    content = message(photo=[{}], media_group_id="14", caption="a")
    assert kinds(answer(update("edited_message", content, 9), reader=reader)) == ["edited"]
    # The memory of albums does not grow.
    for number in range(1000, 1100):
        answer(album(number, number), reader=reader)
    assert len(reader.albums) == 8


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


def test_files_where_a_bot_asks_for_them():
    long_id = "AgACAgIAAxkBAAI" + "x" * 150
    large = {"file_id": long_id, "file_unique_id": "u", "width": 800, "file_size": 99}
    named = {"file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 5000000000}
    named.update({"file_id": "D", "thumbnail": large})
    plain = {"file_id": "V", "mime_type": "audio/ogg", "file_unique_id": "u"}
    short = updates.UpdateReader.SHORT
    updates.UpdateReader.message = files.ReceivedFile
    try:
        reader = new_reader()
        for fields, text, file in (
            (
                {"photo": [plain, large], "caption": "look"},
                "look",
                (long_id, None, "image/jpeg", 99),
            ),
            ({"photo": [large]}, "[image: photo]", (long_id, None, "image/jpeg", 99)),
            ({"voice": plain}, "[voice]", ("V", None, "audio/ogg", None)),
            ({"audio": named}, "[audio]", ("D", "a.pdf", "application/pdf", 5000000000)),
            ({"video": plain}, "[video]", ("V", None, "audio/ogg", None)),
            ({"video_note": plain}, "[video]", ("V", None, "audio/ogg", None)),
            ({"animation": large, "document": plain}, "[animation]", ("V", None, "audio/ogg", None)),
            ({"document": named, "caption": ""}, "[file]", ("D", "a.pdf", "application/pdf", 5000000000)),
            ({"document": named, "caption": "/keep it"}, "/keep it", ("D", "a.pdf", "application/pdf", 5000000000)),
            ({"text": "no file"}, "no file", None),
            ({"sticker": {"emoji": "!", "file_id": "S"}}, "[sticker: !]", None),
            ({"text": "r", "reply_to_message": message(document=named)}, "r", None),
        ):
            for cut in (1, 7, 64, 1000):
                (msg,) = answer(update("message", message(**fields)), cut=cut, reader=reader)
                assert msg.text == text, (msg.text, text)
                got = msg.file and (msg.file.id, msg.file.name, msg.file.mime, msg.file.size)
                assert got == file, (got, file)
                assert msg.command == ("keep" if text[0] == "/" else None)
        for number in range(3):  # each file of an album
            content = message(photo=[large], media_group_id="5", message_id=number)
            (msg,) = answer(update("message", content, number), reader=reader)
            assert msg.kind == "message" and msg.file.id == long_id
        told = {"file_id": long_id, "file_size": 7, "file_path": "photos/file_0.jpg"}
        assert answer({"ok": True, "result": told}, reader=reader) == []
        assert reader.values[FILE_PATH] == "photos/file_0.jpg"
    finally:
        updates.UpdateReader.message = Received
        updates.UpdateReader.SHORT = short


def test_placeholders():
    file = {"file_id": "x", "file_unique_id": "y"}
    for fields, text in (
        ({"photo": [file, file], "caption": "look"}, "look\n[image: photo]"),
        ({"photo": [file]}, "[image: photo]"),
        ({"voice": file}, "[voice]"),
        ({"audio": file}, "[audio]"),
        ({"video": file}, "[video]"),
        ({"video_note": file}, "[video]"),
        ({"animation": file, "document": file}, "[animation]"),
        ({"document": {"file_name": "a.pdf"}, "caption": "read"}, "read\n[file]"),
        ({"sticker": {"emoji": "\U0001f980", "width": 512}}, "[sticker: \U0001f980]"),
        ({"sticker": {"width": 512}}, "[sticker: ]"),
        (
            {"location": {"latitude": 52.516300, "longitude": -13.3777}},
            "[location: 52.5163, -13.3777]",
        ),
        ({"contact": {"phone_number": "+49123", "first_name": "Bob"}}, "[contact: Bob +49123]"),
        ({"poll": {"id": "1", "question": "Tea?", "options": []}}, "[poll: Tea?]"),
        ({"dice": {"emoji": "\U0001f3b2", "value": 4}}, "[dice: \U0001f3b2 4]"),
    ):
        msg = one(message(**fields))
        assert (msg.kind, msg.text) == ("message", text), (msg.kind, msg.text, text)


def test_replies():
    replied = message(text="what you said", photo=[{"text": "no", "file_id": "x"}])
    replied["reply_to_message"] = message(text="older still")
    assert one(message(text="yes", reply_to_message=replied)).reply_text == "what you said"
    quoting = message(text="yes", reply_to_message=replied, quote={"text": "you", "position": 5})
    assert one(quoting).reply_text == "you"
    captioned = message(caption="a picture", photo=[])
    assert one(message(text="nice", reply_to_message=captioned)).reply_text == "a picture"
    msg = one(message(text="yes", reply_to_message=replied))
    assert msg.text == "yes" and msg.message_id == 77
    assert msg.size_b() == len("yes" + "what you said")


def test_forum_topics():
    assert (
        one(message(text="/x", chat=GROUP, message_thread_id=9, is_topic_message=True)).thread_id
        == 9
    )
    # A thread of replies is no topic: Telegram refuses to send to it.
    assert one(message(text="/x", chat=GROUP, message_thread_id=9)).thread_id is None


def test_groups_only_when_meant():
    mine = message(text="an answer")
    mine["from"] = {"id": BOT_ID, "is_bot": True, "first_name": "Copepod"}
    for fields, kind, text in (
        ({"text": "just talk"}, None, None),
        ({"text": "mail me: copepod_bot@example.com"}, None, None),
        ({"text": "@copepod_bot2 hello"}, None, None),
        ({"text": "@Copepod_BOT hello"}, "message", "hello"),
        ({"text": "hello @copepod_bot, are you there?"}, "message", "hello , are you there?"),
        ({"text": "@copepod_bot2 and @copepod_bot"}, "message", "@copepod_bot2 and"),
        (
            {"caption": "@copepod_bot what is it?", "photo": [{}]},
            "message",
            "what is it?\n[image: photo]",
        ),
        ({"text": "yes", "reply_to_message": mine}, "message", "yes"),
        ({"text": "yes", "reply_to_message": message(text="other")}, None, None),
        ({"text": "you", "entities": [BY_NAME, {"user": {"id": 5}}]}, "message", "you"),
        ({"text": "you", "entities": [{"user": {"id": 5}}, BY_NAME]}, "message", "you"),
        ({"text": "you", "entities": [{"user": {"id": 5}}]}, None, None),
        ({"text": "write to me@copepod_bot"}, None, None),
    ):
        msg = one(message(chat=GROUP, **fields))
        assert msg.kind == kind, fields
        assert kind is None or (msg.text == text and msg.chat_type == "supergroup"), msg.text


def test_commands():
    for text, command, args in (
        ("/led", "led", ""),
        ("/LED on ", "led", "on"),
        ("/led@copepod_bot on 3", "led", "on 3"),
        ("/led@Copepod_Bot", "led", ""),
        ("/led\nfirst line\nsecond", "led", "first line\nsecond"),
        ("/", None, ""),
        ("/ led", None, ""),
        ("/usr/bin", None, ""),
        ("/a-b", None, ""),
        ("not /led", None, ""),
    ):
        msg = one(message(text=text))
        assert (msg.kind, msg.command, msg.args) == ("message", command, args), (
            text,
            msg.command,
            msg.args,
        )
        assert msg.text == text
    for text, kind in (
        ("/led on", "message"),
        ("/led@copepod_bot", "message"),
        ("/led@other_bot", None),
        ("/led@copepod_bot2", None),
        ("/led@other_bot @copepod_bot", None),
    ):
        assert one(message(chat=GROUP, text=text)).kind == kind, text
    assert one(message(text="/led@other_bot")).command is None


def test_callbacks():
    origin = message(text="buttons", chat=GROUP, message_thread_id=3, is_topic_message=True)
    origin["from"] = {"id": BOT_ID, "is_bot": True, "username": "Copepod_Bot"}
    query = {
        "id": "4382000000000000001",
        "from": ADA,
        "message": origin,
        "chat_instance": "1",
        "data": "yes:1",
    }
    msg = one(query, "callback_query")
    assert (msg.kind, msg.text, msg.callback_id) == ("callback", "yes:1", "4382000000000000001")
    assert (msg.chat_id, msg.sender_id, msg.thread_id) == (GROUP["id"], ADA["id"], 3)
    assert (msg.username, msg.message_id) == ("ada", 77)
    inline = {"id": "9", "from": ADA, "inline_message_id": "x", "data": "d"}
    assert one(inline, "callback_query").chat_id == ADA["id"]


def test_what_no_handler_should_see_is_still_acknowledged():
    for content, kind in (
        (message(chat=GROUP, new_chat_members=[ADA]), "message"),
        (message(chat=GROUP, left_chat_member=ADA), "message"),
        (message(pinned_message=message(text="old")), "message"),
        (
            {"message_id": 1, "chat": {"id": -100, "type": "channel"}, "text": "news"},
            "channel_post",
        ),
        ({"id": "1", "from": ADA, "query": "x"}, "inline_query"),
        ({"depth": [[[{"message": message(text="not this")}]]]}, "hologram"),
        ("a string", "message"),
        (None, "message"),
        ([message(text="in a list")], "messages"),
        ({"chat": PRIVATE, "text": "from nobody"}, "message"),
        ({"from": ADA, "text": "nowhere"}, "message"),
    ):
        msg = one(content, kind)
        assert msg.kind is None, (content, vars_of(msg))
    assert [m.update_id for m in answer({"ok": True, "result": [{"update_id": 9}]})] == [9]


def test_nothing_is_left_for_the_next_update():
    everything = message(
        text="/led on", caption="c", message_thread_id=1, is_topic_message=True, photo=[{}],
        reply_to_message=message(text="r"), quote={"text": "q"}, sticker={"emoji": "x"},
    )  # fmt: skip
    plain = {"message_id": 78, "chat": PRIVATE, "from": {"id": 8}}
    document = update("message", everything)
    document["result"] += [
        {"update_id": 6, "message": plain},
        {"update_id": 7, "hologram": {}},
        {"update_id": 8, "edited_message": dict(plain, text="x")},
    ]
    first, second, third, fourth = answer(document)
    assert first.command == "led"
    assert second.kind is None and third.kind is None
    assert (fourth.kind, fourth.text, fourth.username, fourth.reply_text) == (
        "edited",
        "x",
        None,
        None,
    )
    assert fourth.thread_id is None and fourth.command is None


def test_update_id_may_come_last():
    raw = b'{"result":[{"message":%s,"update_id":12},{"update_id":13,"message":%s}],"ok":true}' % (
        json.dumps(message(text="a")).encode(),
        json.dumps(message(text="b")).encode(),
    )
    assert [(m.update_id, m.text) for m in answer(raw)] == [(12, "a"), (13, "b")]
    assert READER.ok


def test_a_hundred_updates_and_a_sink_that_has_enough():
    document = {"ok": True, "result": []}
    for i in range(100):
        document["result"].append({"update_id": i + 1, "message": message(text="number %d" % i)})
    got = answer(document)
    assert [m.update_id for m in got] == list(range(1, 101)) and got[99].text == "number 99"
    assert READER.ok
    got = answer(document, take=3)
    assert [m.update_id for m in got] == [1, 2, 3]
    assert READER.ok
    assert len(answer(document, take=1)) == 1


def test_other_answers():
    assert (
        answer({"ok": True, "result": {"id": BOT_ID, "is_bot": True, "username": "Copepod_Bot"}})
        == []
    )
    assert (READER.ok, READER.values[ID], READER.values[USERNAME]) == (True, BOT_ID, "Copepod_Bot")
    assert answer({"ok": True, "result": message(text="sent")}) == []
    assert (READER.ok, READER.values[MESSAGE_ID], READER.values[ID]) == (True, 77, None)
    assert answer({"ok": True, "result": True}) == [] and READER.ok
    assert answer({"ok": True, "result": []}) == [] and READER.ok
    description = "Too Many Requests: retry after 35"
    refused = {
        "ok": False,
        "error_code": 429,
        "description": description,
        "parameters": {"retry_after": 35},
    }
    assert answer(refused) == []
    assert (READER.ok, READER.values[ERROR_CODE], READER.values[RETRY_AFTER]) == (False, 429, 35)
    assert READER.values[DESCRIPTION] == description
    answer({"ok": True, "result": True})
    assert (READER.values[ERROR_CODE], READER.values[RETRY_AFTER], READER.values[DESCRIPTION]) == (None, None, None)
    moved = dict(refused, error_code=400, parameters={"migrate_to_chat_id": GROUP["id"]})
    answer(moved)
    assert (READER.values[MIGRATE_TO], READER.values[RETRY_AFTER]) == (GROUP["id"], None)
    answer({"ok": True, "result": True})
    assert READER.values[MIGRATE_TO] is None


def test_damaged_answers():
    for document in (
        b'{"ok":true,"result":[{"update_id":1,"message":{"text":"half',
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"ok":true,"result":[{"update_id":1}}]}',
        b"",
    ):
        try:
            answer(document)
        except ValueError:
            continue
        raise AssertionError(document)
    # What was whole before the damage has been handed over: it is acknowledged with its answer.
    got = []
    READER.begin(lambda msg: not got.append(msg))
    part = bytearray(b'{"ok":true,"result":[{"update_id":1},{"update_')
    at = 0
    while at < len(part):
        at = READER.feed(part, at, len(part))
    assert len(got) == 1


def test_a_megabyte_before_after_and_between():
    junk = (
        b'"forward_origin":{"pad":[' + b'{"text":"not this","chat":{"id":1},"u":"}]\\\\\\""},' * 40
    )
    for order in (
        ("text", "chat", "junk"),
        ("junk", "text", "chat"),
        ("text", "junk", "chat"),
        ("chat", "junk", "text"),
    ):
        READER.begin(lambda msg: not got.append(msg))
        got = []

        def feed(raw):
            window = bytearray(raw)
            at = 0
            while at < len(window):
                at = READER.feed(window, at, len(window))

        feed(b'{"ok":true,"result":[{"update_id":7,"message":{"message_id":3,"from":{"id":9},')
        for i in range(3):
            if order[i] == "text":
                feed(b'"text":"here"')
            elif order[i] == "chat":
                feed(b'"chat":{"type":"private","id":4503599627370495}')
            else:
                feed(junk + b"0")
                filler = bytearray(b',{"text":"nor this","a":[[{"b":"\\"]"}]]}' * 25)
                for _ in range(1000):
                    READER.feed(filler, 0, len(filler))
                feed(b"]}")
            feed(b"," if i < 2 else b"}}]}")
        READER.finish()
        assert len(got) == 1
        assert (got[0].text, got[0].chat_id, got[0].update_id) == ("here", 4503599627370495, 7)


def test_garbage_of_one_update():
    if sys.implementation.name != "micropython":
        return
    import gc

    document = bytearray(json.dumps(update("message", message(text="x" * 60))).encode())
    reader = new_reader()
    kept = []

    def sink(msg):
        kept[0] = msg
        return True

    kept.append(None)
    for _ in range(3):
        gc.collect()
        gc.disable()
        before_b = gc.mem_alloc()
        reader.begin(sink)
        reader.feed(document, 0, len(document))
        reader.finish()
        grown_b = gc.mem_alloc() - before_b
        gc.enable()
    print("  %d B for an update with 60 characters, the message included" % grown_b)
    assert grown_b <= (320 if sys.maxsize > 1 << 31 else 208)
    assert kept[0].text == "x" * 60
