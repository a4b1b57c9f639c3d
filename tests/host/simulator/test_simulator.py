"""The Bot API simulator, both ends: a plain stdlib client against each rule and each fault."""

import http.client
import json
import socket
import ssl
import threading
import time
import urllib.parse

import pytest

from host_tools.simulator import Simulator, markup
from host_tools.simulator import updates as make
from host_tools.simulator.bot import Update
from host_tools.simulator.certs import CHAINS, WRONG
from host_tools.simulator.faults import KINDS
from host_tools.simulator.limits import Limits

USER = make.USER
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


class Bot:
    """A client of the simulator on one kept connection."""

    def __init__(self, sim, timeout=5):
        self.sim = sim
        self.timeout = timeout
        self.connection = None

    def open(self):
        if self.sim.tls:
            context = ssl.create_default_context(cadata=self.sim.authority.pem)
            return http.client.HTTPSConnection(
                "localhost", self.sim.port, timeout=self.timeout, context=context
            )
        return http.client.HTTPConnection("localhost", self.sim.port, timeout=self.timeout)

    def request(self, method, params, path=None, **how):
        if self.connection is None:
            self.connection = self.open()
        body = json.dumps(params).encode()
        headers = {"Content-Type": "application/json"}
        path = path or f"/bot{self.sim.token}/{method}"
        try:
            self.connection.request("POST", path, how.get("body", body), headers)
            return self.connection.getresponse()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def call(self, method, **params):
        response = self.request(method, params)
        text = response.read()
        if response.will_close:
            self.close()
        return json.loads(text)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@pytest.fixture(scope="module")
def shared():
    with Simulator(tls=False) as sim:
        yield sim


@pytest.fixture
def sim():
    with Simulator(tls=False) as made:
        yield made


@pytest.fixture
def bot(sim):
    made = Bot(sim)
    yield made
    made.close()


def under(*rows):
    """Parameters: a message with these rows of buttons under it."""
    return {"reply_markup": {"inline_keyboard": list(rows)}}


def ids(answer):
    return [update["update_id"] for update in answer["result"]]


# --- TLS


def test_tls_is_verified_and_counted_at_both_ends():
    with Simulator() as sim:
        assert len(sim.ca_der) > 300
        bot = Bot(sim)
        for _ in range(5):
            assert bot.call("getMe")["result"]["username"] == "copepod_bot"
        bot.close()
        assert (sim.hellos, sim.handshakes) == (1, 1)
        assert [c.calls for c in sim.connections] == [5]
        stranger = http.client.HTTPSConnection("localhost", sim.port, timeout=5)
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.request("GET", "/")
        assert sim.wait(lambda: any("unknown ca" in e.lower() for e in sim.tls_errors))


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("cert-host", "Hostname mismatch"),
        ("cert-ca", "unable to get local issuer|self-signed certificate in certificate chain"),
        ("cert-expired", "certificate has expired"),
        ("cert-future", "certificate is not yet valid"),
    ],
)
def test_each_wrong_certificate_is_wrong_in_its_own_way(kind, reason, chain):
    assert kind in WRONG
    with Simulator(chain=chain) as sim:
        sim.fault(kind, count=2)
        bot = Bot(sim)
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError, match=reason):
                bot.call("getMe")
        assert bot.call("getMe")["ok"]  # and then all is well again
        bot.close()
        assert sim.hellos == 3


# --- who may ask what


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


def test_a_rich_message_may_be_longer_than_another(sim, bot):
    sim.push_text("x")
    sim.methods.rich = True

    def send(text):
        return bot.call("sendRichMessage", chat_id=USER, rich_message={"markdown": text})

    assert send("crab " * 2000)["ok"]
    assert send("é" * 32768)["ok"]
    assert send("é" * 32769)["description"] == "Bad Request: message is too long"
    assert not bot.call("sendMessage", chat_id=USER, text="é" * 4097)["ok"]
    assert [len(sent.text) for sent in sim.sent] == [9999, 32768]
    assert sim.sent[1].text == "é" * 32768


def test_parameters_come_by_query_form_json_and_chunks(sim, bot):
    sim.push_text("x")
    params = {"chat_id": str(USER), "text": "tea & <b>crab</b> 🦀", "parse_mode": "HTML"}
    path = f"/bot{sim.token}/sendMessage"
    connection = bot.open()
    query = urllib.parse.urlencode(params)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    data = json.dumps(params).encode()
    pieces = iter([data[:1], data[1:2], data[2:50], data[50:]])
    for request in (
        ("GET", f"{path}?{query}", None, {}),
        ("POST", path, query, form),
        ("POST", path, data, {"Content-Type": "application/json; charset=utf-8"}),
        ("POST", path, pieces, {"Content-Type": "application/json"}),
    ):
        verb, url, body, headers = request
        chunks = not isinstance(body, (str, bytes, type(None)))
        connection.request(verb, url, body, headers, encode_chunked=chunks)
        answer = json.loads(connection.getresponse().read())
        assert answer["result"]["text"] == "tea & crab 🦀"
    connection.close()
    assert [s.text for s in sim.sent] == ["tea & crab 🦀"] * 4
    assert len(sim.connections) == 1


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


# --- updates and their acknowledgement


def test_an_update_stays_until_a_higher_offset(sim, bot):
    first, second = sim.push_text("one"), sim.push_text("two")
    assert ids(bot.call("getUpdates")) == [first, second]
    assert ids(bot.call("getUpdates", limit=1)) == [first]
    assert sim.confirmed == 0
    assert ids(bot.call("getUpdates", offset=second, timeout=5)) == [second]
    assert sim.confirmed == first
    assert ids(bot.call("getUpdates", offset=first, timeout=5)) == [
        second
    ]  # forgotten is forgotten
    assert ids(bot.call("getUpdates", offset=second + 1)) == []
    assert sim.confirmed == second
    assert sim.queue.pending() == []


def test_a_poll_confirms_no_update_that_is_still_being_made(sim):
    number = sim.queue.take_id()  # a megabyte takes a while to write
    start = sim.queue.start(0)
    assert sim.queue.get(start, 1) == []
    update = Update(number, "message", b"{}", 0.0)
    sim.queue.put(update)
    assert sim.queue.get(start, 1) == [update]


def test_negative_offset_forgets_what_lies_before(sim, bot):
    pushed = [sim.push_text(str(n)) for n in range(5)]
    assert ids(bot.call("getUpdates", offset=-2)) == pushed[-2:]
    assert ids(bot.call("getUpdates")) == pushed[-2:]
    assert sim.confirmed == pushed[2]


def test_an_offset_from_the_far_future_counts_as_none(sim, bot):
    first = sim.push_text("one")
    assert ids(bot.call("getUpdates", offset=first + 1000)) == [first]


def test_limit_is_held_to_a_hundred(sim, bot):
    for n in range(105):
        sim.push_text(str(n))
    assert len(ids(bot.call("getUpdates", limit=1000))) == 100
    assert len(ids(bot.call("getUpdates", limit=0))) == 1


def test_long_poll_returns_at_once_when_something_comes(sim, bot):
    threading.Timer(0.2, sim.push_text, ["late"]).start()
    start = time.monotonic()
    assert len(ids(bot.call("getUpdates", timeout=4))) == 1
    assert 0.15 < time.monotonic() - start < 2


def test_long_poll_ends_empty(sim, bot):
    start = time.monotonic()
    assert ids(bot.call("getUpdates", timeout=1)) == []
    assert 0.9 < time.monotonic() - start < 2


def test_the_same_offset_again_too_soon_waits_three_seconds(sim, bot):
    start = time.monotonic()
    assert ids(bot.call("getUpdates", offset=5)) == []
    assert time.monotonic() - start < 1
    threading.Timer(0.5, sim.push_text, ["late"]).start()
    assert len(ids(bot.call("getUpdates", offset=5))) == 1  # waited, though timeout is 0
    assert time.monotonic() - start > 0.4


def test_a_second_long_poll_ends_the_first(sim, bot):
    answers = []
    first = threading.Thread(target=lambda: answers.append(bot.call("getUpdates", timeout=5)))
    first.start()
    assert sim.wait(lambda: sim.calls_of("getUpdates"))
    other = Bot(sim)
    threading.Timer(0.2, sim.push_text, ["x"]).start()
    assert len(ids(other.call("getUpdates", timeout=5))) == 1
    other.close()
    first.join(5)
    assert answers[0]["error_code"] == 409
    assert "terminated by other getUpdates" in answers[0]["description"]


def test_a_poll_whose_client_left_is_dropped(sim):
    for _ in range(2):
        bot = Bot(sim, timeout=0.3)
        with pytest.raises(TimeoutError):
            bot.call("getUpdates", timeout=20)
        bot.close()
    assert sim.wait(lambda: all(c.closed_at for c in sim.connections))
    assert all(call.status is None for call in sim.calls)


def test_allowed_updates_filter_what_comes_later(sim, bot):
    bot.call("getUpdates", allowed_updates=["callback_query"])
    sim.push_text("not wanted")
    wanted = sim.push_callback("button")
    assert ids(bot.call("getUpdates", timeout=1)) == [wanted]
    assert sim.queue.filtered == 1
    bot.call("getUpdates", offset=wanted + 1, allowed_updates=[])  # [] is all but a few
    sim.push({"chat_member": {"chat": {"id": 1}}})
    assert len(ids(bot.call("getUpdates", offset=-1))) == 0
    assert sim.queue.filtered == 2


def test_a_webhook_stops_polling(sim, bot):
    bot.call("setWebhook", url="https://e.example/")
    assert "webhook is active" in bot.call("getUpdates")["description"]
    assert bot.call("deleteWebhook")["result"] is True
    assert bot.call("getUpdates")["ok"]


# --- sending


def test_what_a_reader_sees_is_recorded(sim, bot):
    update = sim.push_text("hello", message_thread_id=7)
    asked = ids(bot.call("getUpdates"))
    assert asked == [update]
    answer = bot.call(
        "sendMessage",
        chat_id=USER,
        text="<b>a</b> &lt; <i>b</i>",
        parse_mode="HTML",
        reply_parameters={"message_id": 1},
        message_thread_id=7,
        link_preview_options={"is_disabled": True},
    )
    assert answer["result"]["reply_to_message"]["message_id"] == 1
    (sent,) = sim.sent
    assert (sent.text, sent.reply_to, sent.thread_id) == ("a < b", 1, 7)
    assert sent.preview_disabled
    assert [e["type"] for e in sent.entities] == ["bold", "italic"]


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


def test_drafts_are_previews_in_private_chats(sim, bot):
    """Each refused one leaves nothing; what counts against the flood limit counts for both."""

    def draft(**params):
        return bot.call("sendMessageDraft", **{"chat_id": USER, "draft_id": 7, **params})

    sim.know(USER)
    assert draft()["result"] is True
    assert draft(text="")["ok"]
    assert draft(text="a **b <c")["ok"]
    assert draft(text="<b>x</b>", parse_mode="HTML")["ok"]
    drafts = sim.methods.drafts
    assert [each.text for each in drafts] == ["", "", "a **b <c", "x"]
    assert {each.draft_id for each in drafts} == {7}
    for params, words in (
        ({"draft_id": 0}, "RANDOM_ID_INVALID"),
        ({"chat_id": -100}, "TEXTDRAFT_PEER_INVALID"),
        ({"chat_id": 4711}, "chat not found"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"message_thread_id": 5}, "message thread not found"),
    ):
        sim.know(-100)
        answer = draft(**params)
        assert (answer["ok"], answer["error_code"]) == (False, 400)
        assert words in answer["description"]
    assert len(drafts) == 4
    assert sim.sent == []
    sim.methods.knows_drafts = False
    assert draft()["error_code"] == 404


def test_edits_actions_callbacks_commands(sim, bot):
    sim.push_text("x")
    message_id = bot.call("sendMessage", chat_id=USER, text="one")["result"]["message_id"]
    edit = {"chat_id": USER, "message_id": message_id}
    assert bot.call("editMessageText", text="two", **edit)["result"]["text"] == "two"
    assert "not modified" in bot.call("editMessageText", text="two", **edit)["description"]
    assert (sim.sent[0].text, sim.sent[0].edits) == ("two", 1)
    edit["message_id"] = 1
    assert "can't be edited" in bot.call("editMessageText", text="z", **edit)["description"]
    assert bot.call("sendChatAction", chat_id=USER, action="typing")["ok"]
    assert not bot.call("sendChatAction", chat_id=USER, action="dancing")["ok"]
    update = sim.push_callback("on")
    answer = bot.call("getUpdates", offset=update)["result"][0]["callback_query"]
    assert answer["data"] == "on"
    for good in (True, False):  # a query is answered once
        assert bot.call("answerCallbackQuery", callback_query_id=answer["id"])["ok"] is good
    commands = [{"command": "led", "description": "switch it"}]
    assert bot.call("setMyCommands", commands=json.dumps(commands))["ok"]
    assert sim.methods.commands == commands
    bad = [{"command": "LED!", "description": "x"}]
    assert bot.call("setMyCommands", commands=bad)["description"].endswith("BOT_COMMAND_INVALID")


def test_buttons_are_shown_pressed_and_changed_by_edits(sim, bot):
    sim.push_text("x")
    row = [{"text": "On", "callback_data": "led:on"}, {"text": "Off", "callback_data": "led:off"}]
    link = [{"text": "Docs", "url": "https://e.example/d"}]
    answer = bot.call("sendMessage", chat_id=USER, text="lamp", **under(row, link))["result"]
    assert answer["reply_markup"] == {"inline_keyboard": [row, link]}
    assert markup.labels(sim.sent[0].markup) == [["On", "Off"], ["Docs"]]
    for what in ("On", "led:on"):
        update = sim.press(what)
        query = bot.call("getUpdates", offset=update)["result"][0]["callback_query"]
        assert query["data"] == "led:on"
        assert query["message"]["message_id"] == answer["message_id"]
        assert query["message"]["text"] == "lamp"
    with pytest.raises(ValueError, match="no button 'Docs'"):
        sim.press("Docs")
    told = {"callback_query_id": query["id"], "text": "done"}
    assert bot.call("answerCallbackQuery", **told | {"text": "x" * 201})["description"].endswith(
        "MESSAGE_TOO_LONG"
    )
    assert bot.call("answerCallbackQuery", **told)["ok"]
    assert sim.methods.notices == [(query["id"], "done")]
    edit = {"chat_id": USER, "message_id": answer["message_id"]}
    same = bot.call("editMessageText", text="lamp", **under(row, link), **edit)
    assert "not modified" in same["description"]
    assert bot.call("editMessageText", text="lamp", **under(row), **edit)["ok"]
    assert (
        "not modified" in bot.call("editMessageReplyMarkup", **under(row), **edit)["description"]
    )
    assert bot.call("editMessageReplyMarkup", **under(link), **edit)["ok"]
    with pytest.raises(ValueError, match="no button"):
        sim.press("On")
    assert bot.call("editMessageText", text="dark", **edit)["ok"]
    assert (sim.sent[0].text, sim.sent[0].markup, sim.sent[0].edits) == ("dark", None, 3)
    edit["message_id"] = 99
    assert (
        "message to edit not found" in bot.call("editMessageText", text="z", **edit)["description"]
    )
    wide = [{"text": str(n), "callback_data": str(n)} for n in range(9)]
    bot.call("sendMessage", chat_id=USER, text="wide", **under(wide))
    assert [len(row) for row in markup.labels(sim.sent[1].markup)] == [8, 1]


def test_flood_limits_by_an_imagined_clock():
    now = [0.0]
    limits = Limits(chat_burst=2, clock=lambda: now[0])
    assert [limits.wait_s(1), limits.wait_s(1), limits.wait_s(1)] == [0, 0, 1]
    assert limits.wait_s(2) == 0  # another chat
    now[0] = 0.9
    assert limits.wait_s(1) == 1
    now[0] = 1.0
    assert limits.wait_s(1) == 0
    now[0] = 100.0
    over_all = [limits.wait_s(chat) for chat in range(1, 40)]
    assert over_all.count(0) == 30


def test_flood_is_429_with_retry_after(sim, bot):
    sim.methods.limits = Limits(chat_burst=1)
    sim.push_text("x")
    assert bot.call("sendMessage", chat_id=USER, text="one")["ok"]
    answer = bot.call("sendMessage", chat_id=USER, text="two")
    assert answer["parameters"] == {"retry_after": 1}
    assert answer["description"] == "Too Many Requests: retry after 1"


# --- faults


@pytest.mark.parametrize(
    ("kind", "status"),
    [(k, int(k)) for k in ("400", "401", "403", "404", "409", "429", "500")],
)
def test_error_answers_have_the_servers_shape(sim, bot, kind, status):
    sim.fault(kind, "getMe", count=2, retry_after=3)
    for _ in range(2):
        answer = bot.call("getMe")
        assert (answer["ok"], answer["error_code"]) == (False, status)
    assert bot.call("getMe")["ok"]
    assert len(sim.connections) == 1
    assert [c.faults for c in sim.calls] == [(kind,), (kind,), ()]


def test_html_and_malformed_bodies(sim, bot):
    for kind, status in (("502", 502), ("html", 200), ("malformed", 200), ("503", 503)):
        sim.fault(kind, "getMe")
        response = bot.request("getMe", {})
        text = response.read()
        assert response.status == status
        with pytest.raises(ValueError, match=r"Expecting value|Unterminated|JSON"):
            json.loads(text)


@pytest.mark.parametrize("kind", ["bytes", "chunks", "until-close", "slow", "headers"])
def test_odd_ways_to_send_a_right_answer(sim, bot, kind):
    sim.fault(kind, "getMe", seconds=0.2)
    if kind == "headers":
        bot.connection = socket.create_connection(("127.0.0.1", sim.port), timeout=5)
        bot.connection.sendall(f"GET /bot{sim.token}/getMe HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = bot.connection.makefile("rb").read(64_000)
        assert head.count(b"X-Pad") >= 60
        return
    start = time.monotonic()
    assert bot.call("getMe")["result"]["id"] == 123456789
    assert (time.monotonic() - start > 0.15) == (kind == "slow")
    assert bot.call("getMe")["ok"]
    assert len(sim.connections) == (2 if kind == "until-close" else 1)


def test_close_announced_and_not(sim, bot):
    sim.fault("close-after", "getMe")
    response = bot.request("getMe", {})
    assert response.headers["Connection"] == "close"
    response.read()
    bot.close()
    sim.fault("close-silent", "getMe")
    assert bot.call("getMe")["ok"]
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        bot.call("getMe")
    assert bot.call("getMe")["ok"]
    assert len(sim.connections) == 3


@pytest.mark.parametrize(
    ("kind", "at", "accepted"),
    [
        ("reset", "before", 0),
        ("reset", "lost", 1),
        ("reset", "body", 1),
        ("close", "before", 0),
        ("close", "lost", 1),
        ("truncate", None, 1),
        ("stall", "before", 0),
        ("stall", "body", 1),
    ],
)
def test_broken_answers_and_whether_the_method_ran(sim, bot, kind, at, accepted):
    sim.push_text("x")
    bot.timeout = 0.5
    args = {"at": at} if at else {}
    sim.fault(kind, "sendMessage", seconds=30, **args)
    expected = (OSError, http.client.HTTPException)
    with pytest.raises(expected) as caught:
        bot.call("sendMessage", chat_id=USER, text="one")
    if kind == "reset":
        assert isinstance(caught.value, ConnectionResetError)
    if kind == "truncate" or at == "body" and kind != "reset":
        assert isinstance(caught.value, (http.client.IncompleteRead, TimeoutError))
    bot.close()
    assert len(sim.sent) == accepted
    assert bot.call("sendMessage", chat_id=USER, text="two")["ok"]


def test_refuse_and_come_back_on_the_same_port(sim, bot):
    assert bot.call("getMe")["ok"]
    sim.refuse()
    assert sim.wait(lambda: sim.connections[0].closed_at)
    bot.close()
    with pytest.raises(ConnectionRefusedError):
        bot.call("getMe")
    sim.accept()
    assert bot.call("getMe")["ok"]


def test_after_and_every(sim, bot):
    fault = sim.fault("500", "getMe", count=2, after=1, every=3)
    assert [bot.call("getMe")["ok"] for _ in range(8)] == [1, 0, 1, 1, 0, 1, 1, 1]
    assert fault.hits == 2
    sim.fault("500", "getMe", count=None)
    assert not any(bot.call("getMe")["ok"] for _ in range(3))
    sim.faults.clear()
    assert bot.call("getMe")["ok"]
    with pytest.raises(ValueError, match="no fault"):
        sim.fault("earthquake")


def test_duplicate_repeats_a_confirmed_update(sim, bot):
    first, second = sim.push_text("one"), sim.push_text("two")
    sim.fault("duplicate", "getUpdates", after=1)
    assert ids(bot.call("getUpdates", limit=1)) == [first]
    assert ids(bot.call("getUpdates", offset=second)) == [first, second]
    assert ids(bot.call("getUpdates", offset=second)) == [second]


@pytest.mark.parametrize("at", ["before", "after", "around"])
@pytest.mark.parametrize("order", ["chat-first", "text-first"])
def test_big_updates_hold_the_same_message(sim, bot, at, order):
    sim.push_text("pushed 🦀", pad=200_000, pad_at=at, order=order)
    update = sim.push_text("by fault 🦀")
    sim.fault("big", "getUpdates", size=300_000, at=at, order=order)
    response = bot.request("getUpdates", {})
    raw = response.read()
    pushed, by_fault = json.loads(raw)["result"]
    assert (pushed["message"]["text"], by_fault["message"]["text"]) == ("pushed 🦀", "by fault 🦀")
    assert by_fault["message"]["chat"]["id"] == USER
    assert by_fault["update_id"] == update
    keys = [k for k in by_fault["message"] if k in ("chat", "text", "forward_origin")]
    wanted = ["chat", "text"] if order == "chat-first" else ["text", "chat"]
    wanted.insert({"before": 0, "around": 1, "after": 2}[at], "forward_origin")
    assert keys == wanted
    # the message already padded by push_text is padded again: both are in the answer
    assert 600_000 < len(raw) < 900_000


def test_every_fault_is_described():
    assert len(KINDS) >= 25
    assert all(text and text[0].isalnum() for text in KINDS.values())


# --- what users send


def test_updates_of_every_kind(sim, bot):
    for kind in make.MEDIA:
        sim.push_media(kind)
    sim.push_text("edited", kind="edited_message", edit_date=5)
    sim.push_text("hi @copepod_bot /led@copepod_bot on", chat=make.GROUP)
    sim.push_text("big id", user=2**52 - 1, id_last=True, ascii_=False)
    sim.push({"my_chat_member": {"chat": {"id": 44, "type": "private"}}})
    sim.push_raw(b'{"message":{"text":"raw"},"update_id":UPDATE_ID}')
    answer = bot.call("getUpdates")["result"]
    assert len(answer) == len(make.MEDIA) + 5
    assert len({update["update_id"] for update in answer}) == len(answer)
    group = next(u for u in answer if u.get("message", {}).get("chat", {}).get("id") == make.GROUP)
    marks = {(e["type"], e["offset"], e["length"]) for e in group["message"]["entities"]}
    assert marks == {("mention", 3, 12), ("bot_command", 16, 16)}
    assert list(answer[-3])[-1] == "update_id"
    assert 44 in sim.chats.known


def test_nothing_is_left_behind():
    before = threading.active_count()
    with Simulator() as sim:
        bot = Bot(sim)
        assert bot.call("getMe")["ok"]
        port = sim.port
    bot.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
