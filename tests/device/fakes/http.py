"""A connection of the HTTP client without a server: a socket that gives prepared bytes and keeps what is written."""

import os

import asyncio.core as core
from copepod.net import http_connect
from copepod.net.http import Client

TOKEN = b"123456789:AAExampleExampleExampleExampleExam"
PATH = b"/bot" + TOKEN + b"/"
# How often slower an emulated processor is: see tests/host/firmware/test_device.py.
SLOW = int(os.getenv("COPEPOD_SLOW") or 1)


class FakeSocket:
    """Gives `answer` in pieces of `cut` bytes, then its end or nothing more; keeps what is written."""

    def __init__(self, answer=b"", cut=0, close=False, gaps=True, accept=1 << 30):
        self.answer = memoryview(answer)
        self.cut = cut or len(answer) or 1
        self.ends = close
        self.gaps = gaps  # nothing is there before each piece
        self.gap = gaps
        self.accept = accept  # bytes a write takes; every second write takes none when it is small
        self.sent = b""
        self.writes = 0
        self.closed = False

    def readinto(self, buffer, most=1 << 30):
        if not len(self.answer):
            return 0 if self.ends else None
        if self.gap:
            self.gap = False
            return None
        n = min(self.cut, len(self.answer), len(buffer), most)
        buffer[:n] = self.answer[:n]
        self.answer = self.answer[n:]
        self.gap = self.gaps
        return n

    def write(self, buffer, offset, size):
        self.writes += 1
        if self.accept < 1 << 30 and self.writes % 2:
            return None
        n = min(size, self.accept)
        self.sent += bytes(buffer[offset : offset + n])
        return n

    def close(self):
        self.closed = True


class FakeWaiter:
    def park(self, events, deadline):
        next(core.sleep_ms(0))

    def close(self):
        pass


def client_on(fake):
    client = http_connect.prepare(Client(), "localhost", 8443)
    client._socket = client._raw = fake
    client._waiter = FakeWaiter()
    client._primed = 0
    return client


async def body_of(client, timeout_ms=10000):
    status = await client.response(timeout_ms * SLOW)
    body = b""
    while await client.fill():
        assert client.start < client.end
        if len(body) < 20000:
            body += bytes(client.buffer[client.start : client.end])
    assert not await client.fill()
    return status, body
