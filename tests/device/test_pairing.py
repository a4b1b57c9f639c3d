"""Pairing admits exactly the one who has the code, and writes him into the config."""

import json
import os

from copepod import config, config_edit, pairing
from copepod import parts
from copepod.messages import InboundMessage
from copepod.pairing import Pairing, new_code
from fakes.scratch import written

PATH = "build/test_pairing_%d.json" % id(object())
TOKEN = "123456789:AAExampleExampleExampleExampleExam"


def from_(sender_id, text="", chat_type="private"):
    msg = InboundMessage()
    msg.sender_id = sender_id
    msg.chat_type = chat_type
    msg.text = text
    return msg


class Telemetry:
    def __init__(self):
        self.events = []

    def event(self, name, value=0):
        self.events.append((name, value))


class Clock:
    """The time that pairing.py sees, and the log's lines."""

    def __enter__(self):
        self.ms = 1000
        self.lines = []
        pairing.ticks_ms = lambda: self.ms
        pairing.log = lambda *parts: self.lines.append("".join([str(part) for part in parts]))
        return self

    def __exit__(self, *_):
        from copepod.log import log, ticks_ms

        pairing.ticks_ms = ticks_ms
        pairing.log = log


def offered():
    access = parts.access([])
    telemetry = Telemetry()
    return access, telemetry, Pairing(access, PATH, telemetry)


def read_back():
    with open(PATH, "rb") as file:
        return file.read()


def test_the_code_admits_its_sender_and_is_kept():
    access, telemetry, offer = offered()
    written(PATH, b'{"channels": {"telegram": {"token": "t", "extra": 1}}, "wifi": {"ssid": "s"}}')
    assert offer.hear(from_(7, "hello")) is None
    assert offer.hear(from_(7, offer.code, "group")) is None
    msg = from_(7, " " + offer.code.lower() + "\n")
    assert offer.hear(msg) == "notice" and offer.code is None
    assert "paired" in msg.text
    assert access.admits(from_(7))
    assert not access.admits(from_(8))
    found = json.loads(read_back())
    os.remove(PATH)
    assert found["channels"]["telegram"] == {"token": "t", "extra": 1, "allow_from": ["7"]}
    assert found["wifi"] == {"ssid": "s"}
    assert telemetry.events == [("pair", 0), ("pair", 1)]


def test_only_a_person_pairs():
    access, _, offer = offered()
    msg = from_(7, offer.code)
    msg.is_bot = True
    assert offer.hear(msg) is None
    for kind in ("edited", "callback", None):
        msg = from_(7, offer.code)
        msg.kind = kind
        assert offer.hear(msg) is None
    assert offer.code is not None and not access.allow


def test_a_config_that_cant_be_written_is_said():
    access, _, offer = offered()
    msg = from_(7, offer.code)
    assert offer.hear(msg) == "notice"
    assert "until the next restart" in msg.text
    assert access.admits(from_(7))


def test_nobody_elses_guesses_are_in_the_way_of_the_right_code():
    with Clock() as clock:
        access, telemetry, offer = offered()
        code = offer.code
        for number in range(10000):
            offer.hear(from_(666 + number % 20, "GUESS%d" % number))
            clock.ms += 10
        assert offer.code == code
        assert len(clock.lines) == 2, clock.lines[:10]  # the offer, and that there was a wrong one
        assert offer.hear(from_(7, code)) == "notice"
        assert access.allow == ["7"]
        assert telemetry.events == [("pair", 0), ("pair", 1)]


def test_who_guesses_is_slowed_down_and_told_so():
    with Clock() as clock:
        _, _, offer = offered()
        said = []
        tried = 0
        for _ in range(600):  # ten minutes, one a second
            msg = from_(666, "WRONG")
            before = offer._guessers[0][1] if offer._guessers else 0
            if offer.hear(msg) == "notice":
                said.append(msg.text)
            tried += offer._guessers[0][1] != before
            clock.ms += 999
        assert tried < 12
        assert said[0] == "Too many wrong codes: the next one counts in 10 s."
        assert said[1] == "Too many wrong codes: the next one counts in 20 s."
        # The right one does not count either until then, or guessing would pay.
        _, _, offer = offered()
        for _ in range(5):
            offer.hear(from_(666, "WRONG"))
        assert offer.hear(from_(666, offer.code)) is None
        clock.ms += 10001
        assert offer.hear(from_(666, offer.code)) == "notice"


def test_a_code_lives_ten_minutes():
    with Clock() as clock:
        access, _, offer = offered()
        code = offer.code
        clock.ms += 599999
        assert offer.hear(from_(8, "hello")) is None and offer.code == code
        clock.ms += 1
        msg = from_(7, code)
        assert offer.hear(msg) == "notice"
        assert "expired" in msg.text and not access.allow
        assert offer.code != code and len(clock.lines) == 3
        assert offer.hear(from_(7, offer.code)) == "notice" and access.allow == ["7"]


def test_codes_differ():
    codes = set([new_code() for _ in range(50)])
    assert len(codes) == 50
    assert len(new_code()) == 8


def filled(template, size_b):
    """A config of so many bytes, by a long name for the network."""
    return template.replace(b"FILL", b"x" * (size_b - len(template) + 4))


def test_the_config_stays_as_it_is_and_can_be_read_again():
    compact = (
        b'{"wifi":{"ssid":"FILL","password":""},"channels":{"telegram":{"token":"%s"}}}'
        % TOKEN.encode()
    )
    spaced = compact.replace(b",", b" ,\r\n\t").replace(b":{", b" : {\n")
    escaped = compact.replace(
        b'"wifi"', b'"a\\"}]{\\\\": [{"allow_from": [1]}, -1.5e3 , null], "wifi"'
    )
    listed = compact.replace(b'"token"', b'"allow_from" : [ ] , "token"')
    for template in (compact, spaced, escaped, listed, listed.replace(b"[ ]", b"null")):
        for size_b in (1000, 3900, 4058, 4066):
            before = filled(template, size_b)
            written(PATH, before)
            config.load(PATH)
            config_edit.admit(PATH, ["7000000001"])
            after = read_back()
            assert config.load(PATH).allow_from == ["7000000001"]
            at = after.find(b'["7000000001"]')
            assert before.startswith(after[: after[:at].rfind(b'"allow_from"')])
            assert before.endswith(after[at + 14 :].lstrip(b", "))
    # Where there is no room for it the file is left alone.
    for size_b in (4090, 4096):
        written(PATH, filled(compact, size_b))
        try:
            config_edit.admit(PATH, ["7000000001"])
        except ValueError as error:
            assert "larger than 4096" in str(error)
        else:
            raise AssertionError(size_b)
        assert read_back() == filled(compact, size_b)
        assert config.load(PATH).allow_from == []
    os.remove(PATH)


def test_a_config_that_is_another_by_now():
    good = b'{"channels":{"telegram":{"token":"t","allow_from":[]}}}'
    for content in (
        b"",
        b"[]",
        b"{",
        b'{"channels":[]}',
        b'{"channels":{"telegram":5}}',
        b'{"channels":{"telegram":{}}}',
        good.replace(b"allow", b"\\u0061llow") + b" x",
        good.replace(b"}}}", b',"allow_from":[]}}}'),
        good[:-20],
    ):
        written(PATH, content)
        try:
            config_edit.admit(PATH, ["7"])
        except ValueError:
            assert read_back() == content
            continue
        assert json.loads(read_back())["channels"]["telegram"]["allow_from"] == ["7"]
    os.remove(PATH)
