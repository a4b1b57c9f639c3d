"""Mutated answers to getUpdates through the reader of updates, and what it hands over through the doors behind it."""

import fuzz_cases

from copepod import parts
from copepod.pairing import Pairing
from copepod.received import Received
from copepod.telegram.ceiling import Ceiling
from copepod.telegram.edits import Edits
from copepod.telegram.schema import reader as new_reader
from copepod.textbuffer import TextBuffer

KINDS = (None, "message", "edited", "callback")
GOOD = (
    b'{"ok":true,"result":[{"update_id":77,"message":{"message_id":3,"text":"still \\u6f6e",'
    b'"from":{"id":9},"chat":{"id":9,"type":"private"}}}]}'
)


class Scarce(TextBuffer):
    """There is no memory for a str of more than 2 kB while `scarce`."""

    scarce = False

    def read(self):
        if self.scarce and (self.size_b or 0) > 2000:
            raise MemoryError
        return super().read()


class Telemetry:
    def event(self, name, value=0):
        pass


buffer = Scarce(bytearray(12320))
reader = new_reader(buffer, 123456789, "@copepod_bot")
reader.message = Received  # what handlers get can do more than the echo's
gates = (parts.access([]), parts.access(["*"]), parts.access(["7000000001", "ada1"]))
pairing = Pairing(parts.access([]), "/nowhere/config.json", Telemetry())
edits = Edits()
ceiling = Ceiling()
window = bytearray(1460)


def units(text):
    return len(text) + len([None for c in text if ord(c) > 0xFFFF])


def look(msg):
    """Everything that the gateway and a handler may do with a message."""
    assert msg.kind in KINDS, msg.kind
    for number in (msg.update_id, msg.chat_id, msg.sender_id):
        assert type(number) is int or msg.kind is None, number
    for text in (msg.username, msg.first_name, msg.callback_id, msg.reply_text, msg.chat_type):
        assert text is None or type(text) is str and units(text) <= 4096, text
    if msg.kind is None:
        return
    for gate in gates:
        gate.admits(msg)
    ceiling.admits(msg)
    assert 0 <= msg.size_b() <= 4 * 12320
    try:
        edits.news(msg)
        pairing.hear(msg)
        assert units(msg.text) <= 4096 + 400
        msg.text.encode()
        assert type(msg.args) is str and (msg.command or not msg.args)
    except MemoryError:
        assert buffer.scarce
    assert msg.command is None or msg.kind == "message" and 0 < len(msg.command) <= 64


def read(data, cut, most):
    seen = []

    def sink(msg):
        seen.append(msg.update_id)
        look(msg)
        msg.discard()
        return len(seen) < most

    reader.begin(sink)
    try:
        for at in range(0, len(data), cut):
            size = min(cut, len(data) - at)
            window[:size] = data[at : at + size]
            start = 0
            while start < size:
                start = reader.feed(window, start, size)
        reader.finish()
    except ValueError:
        pass
    return seen


def check(data, number):
    buffer.scarce = number % 3 == 0
    seen = read(data, 1 + number * 37 % 1460, 3 if number % 5 == 0 else 1000)
    buffer.scarce = False
    assert read(GOOD, 1460, 2) == [77] and reader.ok, "the next answer is read wrongly"
    return bool(seen)


fuzz_cases.run(check)
