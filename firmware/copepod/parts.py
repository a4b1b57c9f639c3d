"""Makes the bus and who may talk to the bot: see assembly.py. Memory: dropped after use, once at start."""

from copepod.access import Access
from copepod.bus import Bus, Queue


def bus(capacity, most_b, wake_worker=None, wake_channel=None):
    """The inbound and the outbound queue."""
    made = Bus()
    made.inbound = queue(capacity, most_b, wake_worker, wake_channel)
    made.outbound = queue(capacity, most_b, wake_channel)
    return made


def queue(capacity, most_b, filled=None, freed=None):
    """An empty Queue."""
    if capacity < 1:
        raise ValueError
    made = Queue()
    made.capacity = capacity
    made.most_b = most_b
    made.filled = filled
    made.freed = freed
    made.published = made.consumed = made.high_water = made.high_water_b = made.waits = 0
    made.used_b = made.first = 0
    made.ring = [None] * capacity
    return made


def access(allow):
    """An Access for the entries of `allow`."""
    made = Access()
    made.allow = list(allow)
    made.open = "*" in made.allow
    made.ids = [int(entry) for entry in made.allow if entry.isdigit()]
    return made
