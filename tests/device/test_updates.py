"""What each kind of update becomes: messages, edits, albums, files, commands, buttons, and what nobody should see."""

from copepod import files
from copepod.received import Received
from copepod.telegram import updates
from fakes.updates import ADA, BOT_ID, FILE_PATH, GROUP, PRIVATE
from fakes.updates import answer, kinds, message, new_reader, one, update, vars_of

PURE = True

BY_NAME = {"type": "text_mention", "offset": 0, "length": 3, "user": {"id": BOT_ID}}


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
