"""Frames: the documented form, the sum, and at most 256 B each."""

import gc
import sys

from copepod import memory, telemetry
from copepod.stats import Stats


class Console:
    """Takes the place of print()'s target."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def _captured(call):
    console = Console()

    def fake_print(*parts, sep=" ", end="\n"):
        console.write(sep.join([str(part) for part in parts]) + end)

    telemetry.print = fake_print
    try:
        call()
    finally:
        del telemetry.print
    return console.text


def _sum(sequence, at_ms, name, values):
    total = 0
    for value in [sequence, at_ms] + list(name.encode()) + values:
        if value == "-":
            value = 0x5A5A
        total = (total * 31 + (int(value) & 0xFFFFFF)) & 0xFFFF
    return total


def test_frame_has_every_field_in_order_and_a_true_sum():
    stats = Stats()
    stats.received = 7
    stats.errors = 2
    writer = telemetry.Telemetry(stats)
    text = _captured(lambda: writer.frame("steady", True))
    human, line = text.strip().split("\n")
    assert human.startswith("[mem steady              ] free="), human
    parts = line.split(" ")
    assert parts[:3] == ["@cp1", "F", "0"], line
    assert parts[4] == "steady"
    names = [part.split("=")[0] for part in parts[5:-1]]
    assert names == list(memory.FIELDS) + ["in", "out", "err", "tls", "back"], names
    values = [part.split("=")[1] for part in parts[5:-1]]
    assert values[9] == "7"
    assert values[11] == "2"
    assert int(values[0]) > 0
    assert int(values[3]) <= int(values[2])
    assert parts[-1] == "*%d" % _sum(0, int(parts[3]), "steady", values)
    assert writer.phases[0][0] == "steady"


def test_a_heap_that_grows_after_steady_is_an_event():
    writer = telemetry.Telemetry(Stats(), collect=False)
    kept = memory.port.gc_free
    try:
        said = _captured(lambda: writer.frame("connected"))
        memory.port.gc_free = lambda mem_free_b: mem_free_b + 100000
        said += _captured(lambda: writer.frame("steady", True))
        assert "gc-grown" not in said
        memory.port.gc_free = lambda mem_free_b: mem_free_b + 110000
        said = _captured(lambda: writer.frame("interval"))
        assert "E 3 " in said and " gc-grown " in said, said
        said = _captured(lambda: writer.frame("interval"))
        assert "gc-grown" not in said, said  # once for each area
    finally:
        memory.port.gc_free = kept


def test_events_share_the_sequence():
    writer = telemetry.Telemetry(Stats(), collect=False)
    first = _captured(lambda: writer.event("tls", 3))
    second = _captured(lambda: writer.frame("interval"))
    parts = first.strip().split(" ")
    assert parts[:3] == ["@cp1", "E", "0"]
    assert parts[4:6] == ["tls", "3"]
    assert parts[6] == "*%d" % _sum(0, int(parts[3]), "tls", [3])
    line = second.strip().split("\n")[1]
    assert line.startswith("@cp1 F 1 ")
    assert "gc_live=-" in line
    assert "gc_run=-" in line


def test_a_frame_allocates_at_most_256_bytes():
    writer = telemetry.Telemetry(Stats(), collect=False)
    writer.frame("interval")
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    writer.frame("interval")
    cost_b = gc.mem_alloc() - before
    gc.enable()
    assert cost_b <= 256, cost_b


def test_mem_free_is_literally_gc_mem_free():
    gc.collect()
    gc.disable()
    reading = memory.read()
    free = gc.mem_free()
    gc.enable()
    assert 0 <= reading[0] - free < 512, (reading[0], free)
    assert reading[3] is None
    collected = memory.read(True)
    assert collected[3] is not None
    assert sys.implementation.name == "micropython"


def test_a_frame_of_wifi_between_two_readings_is_no_growth():
    # gc.mem_free() has the largest block of the system's heap in it, which Wi-Fi may take at any time.
    blocks = [11264, 9728, 9728]
    kept = memory.port.heap

    def heap():
        return (16000, blocks.pop(0), 8000)

    try:
        memory.port.heap = heap
        reading = memory.read()
        assert (reading[6], blocks) == (9728, []), (reading, blocks)
    finally:
        memory.port.heap = kept
