"""What the simulator refuses, in which words: paths, methods, broken HTTP, messages that Telegram would not take."""

import json
import socket

import pytest
from simulator_client import Bot, bot, sim, under  # noqa: F401

from host_tools.simulator import Simulator
from host_tools.simulator.updates import USER

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def shared():
    with Simulator(tls=False) as sim:
        yield sim


@pytest.mark.parametrize(
    ("path", "code", "description"),
    [
        ("/bot123456789:AAwrongwrongwrong/getMe", 401, "Unauthorized"),
        ("/botnonsense/getMe", 401, "Unauthorized: invalid token specified"),
        ("/getMe", 404, "Not Found"),
        ("/file/bot1:x/photos/file_1.jpg", 404, "Not Found"),
    ],
)
def test_wrong_paths(sim, bot, path, code, description):
    response = bot.request("", {}, path=path)
    assert response.status == code
    body = json.loads(response.read())
    assert body == {"ok": False, "error_code": code, "description": description}


def test_methods_known_and_unknown(sim, bot):
    assert bot.call("gETmE")["ok"]  # method names are case-insensitive
    assert bot.call("nonsense")["description"] == "Not Found: method not found"
    sim.push_text("x")
    rich = {"chat_id": USER, "rich_message": {"markdown": "# hi"}}
    assert bot.call("sendRichMessage", **rich)["error_code"] == 404
    sim.methods.rich = True
    assert bot.call("sendRichMessage", **rich)["ok"]
    assert bot.call("getFile", file_id="x")["error_code"] == 400


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"GET /\r\nHost: x\r\n\r\n", "request line"),
        (b"GET / HTTP/1.1\r\n\r\n", "no Host"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "header line"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", "Content-Length"),
        (CHUNKED[:-2] + b"Content-Length: 1\r\n\r\n", "both"),
        (CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", "chunk"),
        (CHUNKED + b"xyz\r\n", "chunk size"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2\r\n\r\n{]",
            "JSON",
        ),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", "longer"),
    ],
)
def test_broken_http_is_said(shared, raw, complaint):
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as sock:
        sock.sendall(raw)
        answer = sock.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert complaint in shared.protocol_errors[-1]


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n "}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "x" * 32769}, "text is too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: Can't find end tag"),
        ({"text": "x", "chat_id": 5}, "chat not found"),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
        ({"text": "x", "reply_parameters": "{"}, "can't parse reply parameters JSON object"),
        ({"text": "x", "message_thread_id": 3}, "message thread not found"),
        ({"text": "x", "reply_markup": [1]}, "object expected as reply markup"),
        ({"text": "x", **under([{"text": "a", "callback_data": ""}])}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x", **under([{"text": "a", "callback_data": "é" * 33}])},
            "BUTTON_DATA_INVALID",
        ),
        ({"text": "x", **under([{"text": "a", "url": "https://nowhere"}])}, "BUTTON_URL_INVALID"),
        (
            {"text": "x", **under([{"text": "a", "url": "ftp://e.example"}])},
            "inline keyboard button URL 'ftp://e.example' is invalid: Unsupported URL protocol",
        ),
        (
            {"text": "x", **under([{"text": "a"}])},
            "can't parse inline keyboard button: Text buttons are unallowed",
        ),
        (
            {"text": "x", **under([{"callback_data": "a"}])},
            "can't parse inline keyboard button: Can't find field \"text\"",
        ),
        (
            {"text": "x", **under([{"text": "a", "callback_data": 5}])},
            'can\'t parse inline keyboard button: Field "callback_data" must be of type String',
        ),
        ({"text": "x", **under({"text": "a"})}, "can't parse inline keyboard button"),
        (
            {"text": "x", **under(*[[{"text": "a", "callback_data": "a"}]] * 101)},
            "REPLY_MARKUP_TOO_LONG",
        ),
    ],
)
def test_messages_that_telegram_refuses(shared, params, description):
    shared.push_text("hello")
    bot = Bot(shared)
    answer = bot.call("sendMessage", **({"chat_id": USER} | params))
    bot.close()
    assert answer["error_code"] == 400
    assert answer["description"].startswith("Bad Request: " + description)
    assert shared.rejected[-1].description == answer["description"]
    assert shared.sent == []


def test_blocked_is_forbidden(sim, bot):
    sim.push_text("x")
    sim.chats.blocked.add(USER)
    answer = bot.call("sendMessage", chat_id=USER, text="x")
    assert (answer["error_code"], answer["description"]) == (
        403,
        "Forbidden: bot was blocked by the user",
    )
