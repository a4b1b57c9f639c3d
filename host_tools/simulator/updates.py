"""Updates as Telegram words them: texts, media, edits, callbacks, and the oversized ones.

Builders return dicts without `update_id`; the queue puts it in. `render` turns one into the bytes
that getUpdates sends, in the key order and with the padding that a test asks for.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

Json = dict[str, Any]

USER = 7_000_000_001  # ids of people pass 32 bits
GROUP = -1_002_147_483_647

_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(@[A-Za-z0-9_]{3,32})?")
_MENTION = re.compile(r"(?<!\w)@[A-Za-z0-9_]{3,32}")


def utf16_length(text: str) -> int:
    """Length in UTF-16 units, Telegram's unit for offsets."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def user(id_: int | Json = USER, **fields: Any) -> Json:
    """A person; an id is enough."""
    if isinstance(id_, dict):
        return id_
    person = {
        "id": id_,
        "is_bot": False,
        "first_name": "Ada",
        "username": f"ada{id_ % 1000}",
        "language_code": "en",
    }
    return person | fields


def chat(id_: int | Json = USER, **fields: Any) -> Json:
    """A chat; a positive id is a private one, a negative one a supergroup."""
    if isinstance(id_, dict):
        return id_
    if id_ > 0:
        place = {"id": id_, "first_name": "Ada", "username": f"ada{id_ % 1000}", "type": "private"}
    else:
        place = {"id": id_, "title": "The plankton group", "type": "supergroup"}
    return place | fields


def entities_of(text: str) -> list[Json]:
    """The commands and mentions that the server would mark in a text."""
    found = []
    for kind, pattern in (("bot_command", _COMMAND), ("mention", _MENTION)):
        for match in pattern.finditer(text):
            if kind == "mention" and text[: match.start()].endswith("/"):
                continue
            offset = utf16_length(text[: match.start()])
            found.append({"offset": offset, "length": utf16_length(match[0]), "type": kind})
    taken = [(e["offset"], e["offset"] + e["length"]) for e in found if e["type"] == "bot_command"]
    return [
        e
        for e in found
        if e["type"] == "bot_command" or not any(a <= e["offset"] < b for a, b in taken)
    ]


def message(message_id: int, user_: int | Json, chat_: int | Json, **fields: Any) -> Json:
    """A Message object; `fields` carry its content."""
    sender = user(user_)
    made = {
        "message_id": message_id,
        "from": sender,
        "chat": chat(chat_),
        "date": int(time.time()),
    }
    return made | fields


def text_fields(text: str) -> Json:
    """`text`, and `entities` where there are any."""
    marks = entities_of(text)
    return {"text": text} | ({"entities": marks} if marks else {})


def _file(kind: str, **fields: Any) -> Json:
    return {"file_id": f"{kind}-AgACAgIAAxk", "file_unique_id": f"{kind}-AQAD", **fields}


# Content of each kind of message that is no plain text.
MEDIA: dict[str, Json] = {
    "photo": {
        "photo": [
            _file("s", file_size=1253, width=90, height=67),
            _file("m", file_size=55_102, width=800, height=600),
        ],
        "caption": "a picture",
    },
    "voice": {"voice": _file("voice", duration=3, mime_type="audio/ogg", file_size=9001)},
    "audio": {"audio": _file("audio", duration=180, title="Song", mime_type="audio/mpeg")},
    "video": {"video": _file("video", duration=9, width=640, height=360)},
    "document": {"document": _file("doc", file_name="notes.pdf", mime_type="application/pdf")},
    "sticker": {"sticker": _file("sticker", emoji="🦀", width=512, height=512, type="regular")},
    "location": {"location": {"latitude": 52.5163, "longitude": 13.3777}},
    "contact": {"contact": {"phone_number": "+49123", "first_name": "Bob"}},
    "poll": {
        "poll": {
            "id": "5465414554",
            "question": "Tea?",
            "options": [{"text": "yes", "voter_count": 0}, {"text": "no", "voter_count": 0}],
            "type": "regular",
        }
    },
    "dice": {"dice": {"emoji": "🎲", "value": 4}},
    "join": {"new_chat_members": [user(7_000_000_009, first_name="Eve")]},
    "leave": {"left_chat_member": user(7_000_000_009, first_name="Eve")},
    "unknown": {"hologram": {"depth": [[[[{"a": None}]]]], "emoji": "\ud83e\udd80"}},
}


def callback(query_id: str, user_: int | Json, origin: Json, data: str) -> Json:
    """A CallbackQuery: somebody pressed a button under `origin`."""
    return {
        "id": query_id,
        "from": user(user_),
        "message": origin,
        "chat_instance": "-3788498312",
        "data": data,
    }


def padding(size: int) -> bytes:
    """About `size` bytes of JSON members that no gateway needs, nested and full of traps.

    Strings that look like keys, escaped quotes, brackets in strings, surrogate pairs, raw UTF-8,
    numbers of every form and deep nesting.
    """
    deep = b'{"a":[' * 20 + b'{"text":"not this","chat":{"id":1}}' + b"]}" * 20
    unit = (
        b'{"type":"text_link","offset":0,"length":1,"url":"https://e.example/?q=\\"text\\":\\"x\\"",'
        b'"note":"}]\\\\","ids":[-1,0.5e-3,9007199254740991,null,true],'
        b'"u":"\\ud83e\\udd80 \xf0\x9f\xa6\x80 \xd0\x96","text":"nor this","deep":' + deep + b"}"
    )
    units = max(1, (size - 60) // (len(unit) + 1))
    return b'"forward_origin":{"type":"hidden_user","pad":[' + b",".join([unit] * units) + b"]}"


def pad(body: Json, size: int, at: str = "after", order: str = "chat-first") -> bytes:
    """An update of one message, blown up to about `size` bytes.

    `at`: the padding comes before the text and the chat, "after" both, or "around" them (between).
    `order`: "chat-first" or "text-first".
    """
    (kind, content), *rest = body.items()
    if rest:
        raise ValueError("only an update of one message can be padded")
    first, second = ("chat", "text") if order == "chat-first" else ("text", "chat")
    others = {k: v for k, v in content.items() if k not in ("chat", "text", "from")}
    pairs = {k: _pair(k, content[k]) for k in ("chat", "text", "from") if k in content}
    filler = padding(size)
    members = [_pair(k, v) for k, v in others.items()]
    head_, tail = pairs.get(first), pairs.get(second)
    sender = pairs.get("from")
    if at == "before":
        ordered = [filler, *members, head_, tail, sender]
    elif at == "after":
        ordered = [sender, head_, tail, *members, filler]
    elif at == "around":
        ordered = [head_, filler, sender, *members, tail]
    else:
        raise ValueError(f"padding goes before, after or around, not {at!r}")
    inside = b",".join(part for part in ordered if part)
    return json.dumps(kind).encode() + b":{" + inside + b"}"


def _pair(key: str, value: Any) -> bytes:
    return json.dumps({key: value}, separators=(",", ":"))[1:-1].encode()


def render(
    body: Json | bytes, update_id: int, *, id_last: bool = False, ascii_: bool = True
) -> bytes:
    """One element of getUpdates' result, `update_id` first (or last)."""
    number = b'"update_id":%d' % update_id
    if isinstance(body, bytes):
        inside = body
    else:
        text = json.dumps(body, ensure_ascii=ascii_, separators=(",", ":"))
        inside = text[1:-1].encode("utf-8", "surrogatepass")
    parts = [inside, number] if id_last else [number, inside]
    return b"{" + b",".join(part for part in parts if part) + b"}"


def blown_up(raw: bytes, args: Json) -> bytes:
    """The same update with padding; what can't be taken apart stays as it is."""
    try:
        body = json.loads(raw)
        number = body.pop("update_id")
        size, at = int(args.get("size", 1_000_000)), args.get("at", "after")
        padded = pad(body, size, at, args.get("order", "chat-first"))
    except (ValueError, KeyError):
        return raw
    return render(padded, number)
