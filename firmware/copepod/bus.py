"""The message bus: two queues bounded in messages and in bytes. Memory: one list each, made at start.

A queue never drops: put() says False when it is full and the caller keeps the message (back-pressure).
"""

from micropython import const

ROOM_MS = const(100)  # how often to ask again for room in a full queue


class Queue:
    """A ring of at most `capacity` messages that hold at most `most_b` bytes of text together.

    One message larger than `most_b` is taken when the queue is empty, so that nothing can be stuck.
    `filled` and `freed` are signals (anything with set()) for whoever waits, or None.
    Counters: published, consumed, high_water (messages), high_water_b (bytes), waits (refusals).
    """

    capacity: int
    most_b: int
    filled: "Any"
    freed: "Any"
    published: int
    consumed: int
    high_water: int
    high_water_b: int
    waits: int
    used_b: int  # bytes of text in it
    ring: list
    first: int  # where in it the oldest message is

    def __len__(self):
        return self.published - self.consumed

    def room(self, size_b=0):
        """True when a message of `size_b` bytes would be taken now."""
        count = self.published - self.consumed
        return count == 0 or (count < self.capacity and self.used_b + size_b <= self.most_b)

    def put(self, message):
        """Append `message`; False, and counted as a wait, when there is no room. Allocates nothing."""
        size_b = message.size_b()
        if not self.room(size_b):
            self.waits += 1
            return False
        count = self.published - self.consumed
        self.ring[(self.first + count) % self.capacity] = message
        self.published += 1
        self.used_b += size_b
        if count >= self.high_water:
            self.high_water = count + 1
        if self.used_b > self.high_water_b:
            self.high_water_b = self.used_b
        if self.filled is not None:
            self.filled.set()
        return True

    def get(self):
        """Remove and return the oldest message, or None when there is none. Allocates nothing."""
        if self.published == self.consumed:
            return None
        first = self.first
        message = self.ring[first]
        self.ring[first] = None
        self.first = (first + 1) % self.capacity
        self.consumed += 1
        self.used_b -= message.size_b()
        if self.freed is not None:
            self.freed.set()
        return message


class Bus:
    """Two Queues, made by parts.py."""

    inbound: "Any"
    outbound: "Any"
