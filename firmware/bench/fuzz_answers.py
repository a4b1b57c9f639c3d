"""Mutated HTTP answers through the client and the calls of the Bot API."""

import asyncio
from asyncio import core  # pyright: ignore[reportAttributeAccessIssue]
import fuzz_cases

from copepod import assembly
from copepod.net import http_connect
from copepod.net.http import Client
from copepod.stats import Stats
from copepod.telegram import methods
from copepod.telegram.methods import Refused, Stop
from copepod.textbuffer import TextBuffer

METHODS = (
    methods.GET_ME,
    methods.GET_UPDATES,
    methods.SEND_MESSAGE,
    methods.SEND_ACTION,
    methods.ANSWER_CALLBACK,
    methods.SET_COMMANDS,
)
LONGEST_MS = 3601000  # that a flood limit is believed


class Answer:
    """A socket that has `data` to say, in pieces, and ends."""

    def __init__(self, data, cut):
        self.data = memoryview(data)
        self.cut = cut
        self.gap = True

    def readinto(self, buffer, most=1 << 30):
        self.gap = not self.gap
        if self.gap:
            return None
        size = min(self.cut, len(self.data), len(buffer), most)
        buffer[:size] = self.data[:size]
        self.data = self.data[size:]
        return size

    def write(self, buffer, offset, size):
        return size

    def close(self):
        pass


class Waiter:
    def park(self, events, deadline):
        next(core.sleep_ms(0))

    def close(self):
        pass


http: "Any" = http_connect.prepare(Client(), "localhost", 8443)
call = assembly.api(
    http, "123456789:AAExampleExampleExampleExampleExam", TextBuffer(bytearray(12320)), Stats()
)
call.reader.bot_id = 123456789
call.reader.at_name = "@copepod_bot"


def sink(msg):
    msg.discard()
    return True


async def one(data, number):
    method = METHODS[number % len(METHODS)]
    http.close()
    call.begin(method)
    call.text(b"{}")
    http._socket = http._raw = Answer(data, 1 + number * 37 % 1460)
    http._waiter = Waiter()
    http._primed = 0
    await http.flush()
    call.answered(await http.response(10000), sink if method == methods.GET_UPDATES else None)
    while await http.fill():
        call.read()
    return call.result()


def check(data, number):
    good = False
    try:
        good = asyncio.run(one(data, number))
        assert good in (True, False)
    except (OSError, ValueError, Refused):
        pass
    except Stop:
        assert call.method == methods.GET_ME, "the token is given up for another call's answer"
    assert 0 <= call.held_ms(call.key) < LONGEST_MS
    return good


fuzz_cases.run(check)
