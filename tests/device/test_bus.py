"""The bus: bounded in messages and bytes, in order, never a silent loss."""

from copepod import parts

PURE = True


class Message:
    def __init__(self, size_b):
        self.size = size_b

    def size_b(self):
        return self.size


class Counter:
    def __init__(self):
        self.count = 0

    def set(self):
        self.count += 1


def test_order_and_counters():
    queue = parts.queue(3, 1000)
    messages = [Message(1) for _ in range(8)]
    out = []
    for message in messages:
        while not queue.put(message):
            out.append(queue.get())
    while len(queue):
        out.append(queue.get())
    assert out == messages
    assert queue.get() is None
    assert (queue.published, queue.consumed, queue.high_water) == (8, 8, 3)
    assert queue.waits == 5
    assert queue.used_b == 0


def test_full_by_count_refuses_and_keeps_what_it_has():
    queue = parts.queue(2, 1000)
    first, second = Message(1), Message(1)
    assert queue.put(first)
    assert queue.put(second)
    assert not queue.put(Message(1))
    assert queue.get() is first
    assert queue.put(Message(1))
    assert queue.get() is second


def test_full_by_bytes():
    queue = parts.queue(16, 100)
    assert queue.put(Message(60))
    assert not queue.put(Message(41))
    assert queue.put(Message(40))
    assert queue.high_water_b == 100
    queue.get()
    assert queue.used_b == 40


def test_one_message_over_the_limit_passes_alone():
    queue = parts.queue(16, 100)
    assert queue.put(Message(5000))
    assert not queue.put(Message(1))
    assert queue.get().size == 5000
    assert queue.put(Message(1))


def test_signals():
    filled, freed = Counter(), Counter()
    queue = parts.queue(1, 100, filled, freed)
    queue.put(Message(1))
    queue.put(Message(1))
    assert filled.count == 1
    queue.get()
    queue.get()
    assert freed.count == 1


def test_capacity_must_hold_a_message():
    try:
        parts.queue(0, 100)
    except ValueError:
        return
    raise AssertionError("a queue without room was made")


def test_bus_has_two_queues():
    bus = parts.bus(4, 100)
    bus.inbound.put(Message(3))
    assert len(bus.inbound) == 1
    assert len(bus.outbound) == 0


def test_put_and_get_allocate_nothing():
    try:
        from micropython import heap_lock, heap_unlock
    except ImportError:
        return  # CPython has no such lock; MicroPython runs this for real
    queue = parts.queue(4, 1000)
    message = Message(1)
    queue.put(message)
    queue.get()
    heap_lock()
    try:
        for _ in range(100):
            queue.put(message)
            queue.get()
    finally:
        heap_unlock()
