"""Pairing admits exactly the one who has the code, and writes him into the config."""

import json
import os

from copepod.access import Access
from copepod.pairing import Pairing, new_code

PATH = "build/test_pairing_%d.json" % id(object())


class Message:
    def __init__(self, sender_id, text="", chat_type="private"):
        self.sender_id = sender_id
        self.username = None
        self.text = text
        self.chat_type = chat_type


class Telemetry:
    def __init__(self):
        self.events = []

    def event(self, name, value=0):
        self.events.append((name, value))


def _pairing():
    access = Access([])
    telemetry = Telemetry()
    return access, telemetry, Pairing(access, PATH, telemetry)


def _write(content):
    with open(PATH, "w") as file:
        file.write(content)


def test_the_code_admits_its_sender_and_is_kept():
    access, telemetry, pairing = _pairing()
    _write(json.dumps({"channels": {"telegram": {"token": "t", "extra": 1}}, "wifi": {"ssid": "s"}}))
    assert not pairing.accepts(Message(7, "hello"))
    assert not pairing.accepts(Message(7, pairing.code, "group"))
    msg = Message(7, " " + pairing.code.lower() + "\n")
    assert pairing.accepts(msg)
    assert "paired" in msg.text
    assert access.admits(Message(7))
    assert not access.admits(Message(8))
    with open(PATH) as file:
        found = json.load(file)
    os.remove(PATH)
    assert found["channels"]["telegram"] == {"token": "t", "extra": 1, "allow_from": ["7"]}
    assert found["wifi"] == {"ssid": "s"}
    assert telemetry.events == [("pair", 0), ("pair", 1)]


def test_a_config_that_cant_be_written_is_said():
    access, _, pairing = _pairing()
    msg = Message(7, pairing.code)
    assert pairing.accepts(msg)
    assert "until the next restart" in msg.text
    assert access.admits(Message(7))


def test_five_wrong_codes_make_a_new_one():
    _, telemetry, pairing = _pairing()
    code = pairing.code
    for _ in range(5):
        assert pairing.code == code
        assert not pairing.accepts(Message(7, "no"))
    assert pairing.code != code
    assert not pairing.accepts(Message(7, code))
    assert telemetry.events == [("pair", 0), ("pair", 0)]


def test_codes_differ():
    codes = set([new_code() for _ in range(50)])
    assert len(codes) == 50
    assert len(new_code()) == 8
