"""An answer as a stream: many updates, in any order and size, damaged or refused; none stalls those behind it."""

import json
import sys

from fakes.updates import BOT_ID, DESCRIPTION, ERROR_CODE, ID, MESSAGE_ID, MIGRATE_TO, RETRY_AFTER, USERNAME
from fakes.updates import GROUP, PRIVATE, READER, answer, message, new_reader, update

PURE = True


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
