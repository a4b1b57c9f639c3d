"""The simulator's faults, each as a plain client meets it, and whether the method has run all the same."""

import http.client
import json
import socket
import time

import pytest
from simulator_client import bot, ids, sim  # noqa: F401

from host_tools.simulator.faults import KINDS
from host_tools.simulator.updates import USER


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
