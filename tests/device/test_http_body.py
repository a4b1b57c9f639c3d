"""A body of known length: it waits while the system's heap is short, and goes on when it is not."""

import asyncio

from copepod.net import http_body

BYTES = 2000


class Wire:
    """The client's connection, which takes everything; `low` looks at the system's heap find little of it."""

    STALL_MS = 10000
    low = 0

    def __init__(self):
        self._tx = bytearray(512)
        self._socket = self
        self.taken = []

    def write(self, buf, start, size):
        assert not self.low, "written while a frame would find no memory"
        self.taken.append(size)
        return size

    def heap(self):
        if self.low:
            self.low -= 1
            return [9000, 3000, 0]
        return [17000, 10240, 0]


class Source:
    """Gives `left` bytes, and has the heap run low after each window."""

    left = BYTES

    def __init__(self, wire):
        self.wire = wire

    def readinto(self, view):
        n = min(len(view), self.left)
        self.left -= n
        self.wire.low = 3
        return n


def test_nothing_is_written_while_a_frame_would_find_no_memory():
    wire = Wire()
    real = http_body.port
    http_body.port = wire
    try:
        assert asyncio.run(http_body.Body(wire).stream(Source(wire), BYTES))
    finally:
        http_body.port = real
    assert sum(wire.taken) == BYTES
    assert wire.low == 0
