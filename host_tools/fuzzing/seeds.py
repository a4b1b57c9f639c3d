"""What the mutations start from: whole updates, answers and configs, as the real ones look."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from host_tools.fuzzing import mutate
from host_tools.simulator import updates as make
from host_tools.simulator.updates import GROUP, USER, Json

TOKEN = "123456789:AAExampleExampleExampleExampleExam"
LONG = "潮" * 4096


def _update(number: int, **content: Json) -> Json:
    return {"update_id": number, **content}


def update_documents() -> list[Json]:
    """Answers to getUpdates: every kind of update, alone and together."""
    bot = make.user(123456789, is_bot=True, username="Copepod_Bot")
    anonymous = make.user(1087968824, is_bot=True, username="GroupAnonymousBot")
    place = make.chat(GROUP)

    def said(text: str, **fields: Any) -> Json:
        return make.message(7, USER, fields.pop("chat", USER), **make.text_fields(text), **fields)

    messages = [
        said("hello"),
        said("潮水 🦀"),
        said(LONG),
        said("/ping"),
        said("/say@copepod_bot " + LONG[:4000]),
        said("yes", reply_to_message=said(LONG)),
        said("yes", quote={"text": LONG[:1024], "position": 0}, reply_to_message=said("x")),
        said("@copepod_bot " + LONG[:4000], chat=place),
        said("/ping", chat=place, message_thread_id=9, is_topic_message=True),
        make.message(8, anonymous, place, **make.text_fields("/ping"), sender_chat=place),
        make.message(8, bot, place, **make.text_fields("/ping")),
        make.message(9, USER, USER, photo=make.MEDIA["photo"]["photo"], media_group_id="13"),
        make.message(9, USER, USER, **make.MEDIA["photo"] | {"caption": LONG[:1024]}),
        *(make.message(10, USER, USER, **fields) for fields in make.MEDIA.values()),
    ]
    found = [_update(n, message=content) for n, content in enumerate(messages, 100)]
    found += [
        _update(200, edited_message=said("better", edit_date=1)),
        _update(201, callback_query=make.callback("43", USER, said("buttons"), "yes:1")),
        _update(202, callback_query={"id": "9", "from": make.user(), "inline_message_id": "x"}),
        _update(203, message_reaction={"chat": place, "new_reaction": []}),
        _update(204, channel_post={"message_id": 1, "chat": place, "text": "news"}),
    ]
    for box, key in mutate.places(found):
        if key == "date":  # the same seed gives the same cases, today and tomorrow
            box[key] = 1790000000
    return [{"ok": True, "result": [each]} for each in found] + [{"ok": True, "result": found}]


def answer_bodies() -> list[Json]:
    """Answers to every other method, good and bad."""

    def bad(code: int, description: str, **parameters: int) -> Json:
        made: Json = {"ok": False, "error_code": code, "description": description}
        return made | ({"parameters": parameters} if parameters else {})

    return [
        {"ok": True, "result": make.user(123456789, is_bot=True, username="Copepod_Bot")},
        {"ok": True, "result": make.message(5, USER, USER, text="sent " + LONG[:300], date=1)},
        {"ok": True, "result": True},
        {"ok": True, "result": []},
        update_documents()[0],
        bad(429, "Too Many Requests: retry after 35", retry_after=35),
        bad(400, "Bad Request: can't parse entities: byte offset 5"),
        bad(400, "Bad Request: message is too long"),
        bad(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=GROUP),
        bad(401, "Unauthorized"),
        bad(403, "Forbidden: bot was blocked by the user"),
        bad(404, "Not Found"),
        bad(409, "Conflict: terminated by other getUpdates request"),
        bad(500, "Internal Server Error"),
    ]


def config_documents() -> list[Json]:
    """Configs that are accepted."""
    telegram = {"enabled": True, "token": TOKEN, "allow_from": ["123", "@ann", 45]}
    return [
        {"channels": {"telegram": {"token": TOKEN}}},
        {"channels": {"telegram": {"token": TOKEN, "allow_from": []}}, "wifi": {"ssid": "s"}},
        {
            "agents": {"defaults": {"model": "x"}},
            "channels": {
                "telegram": telegram | {"base_url": "http://127.0.0.1:8081", "limit": 10},
                "x": {"telegram": [1, {"allow_from": "}"}]},
            },
            "gateway": {"host": "127.0.0.1", "port": 18790, "health": True},
            "wifi": {"ssid": "潮水", "password": "12345678"},
            "tls": {"ca": "roots.der"},
            "bus": {"capacity": 16, "bytes": 8192},
            "telemetry": {"interval_s": 10, "collect": True, "mem_info": False},
            "memory": {"gc_threshold": 4096},
        },
    ]


def _mutated(chance: random.Random, seeds: list[Any]) -> bytes:
    made = chance.choice(seeds)
    act = chance.random()
    if act < 0.8:
        made = mutate.document(chance, made, seeds)
    data = mutate.dumped(chance, made)
    return mutate.bytes_(chance, data) if act > 0.4 else data


def updates(seed: int, count: int) -> Iterator[bytes]:
    """Mutated answers to getUpdates."""
    chance = random.Random(seed)
    seeds = update_documents()
    for _ in range(count):
        yield _mutated(chance, seeds)


def configs(seed: int, count: int) -> Iterator[bytes]:
    """Mutated configs."""
    chance = random.Random(seed)
    seeds = config_documents()
    for _ in range(count):
        yield _mutated(chance, seeds)


def answers(seed: int, count: int) -> Iterator[bytes]:
    """Mutated HTTP answers, heads included."""
    chance = random.Random(seed)
    bodies = answer_bodies()
    page = b"<html><body>502 Bad Gateway</body></html>"
    for _ in range(count):
        act = chance.random()
        seed_ = chance.choice(bodies)
        status = seed_.get("error_code", 200) if act < 0.8 else chance.choice([200, 302, 429, 503])
        body = page if chance.random() < 0.1 else json.dumps(seed_).encode()
        if act < 0.5:
            body = _mutated(chance, bodies)
        data = _framed(chance, status, body)
        yield mutate.bytes_(chance, data) if chance.random() < 0.4 else data


def _framed(chance: random.Random, status: int, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d Something\r\nServer: nginx\r\nContent-Type: application/json\r\n" % status
    if chance.random() < 0.3:
        value = chance.choice([b"5", b"-5", b"1000000", b"Wed, 21 Oct 2026 07:28:00 GMT", b""])
        head += b"Retry-After: " + value + b"\r\n"
    if chance.random() < 0.5:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    at = chance.randrange(len(body) + 1)
    parts = [part for part in (body[:at], body[at:]) if part]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
