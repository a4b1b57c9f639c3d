"""The bare-metal RV32 port's reading of its two heaps, with a fake of the machine's own module."""

import gc
import sys

from fakes.world import install

from copepod import memory


class Virt:
    """What the machine tells: a list of the largest free blocks, one for each time it is asked."""

    def __init__(self, largest_b):
        self.largest_b = largest_b

    def _next(self):
        return self.largest_b.pop(0) if len(self.largest_b) > 1 else self.largest_b[0]

    def heap_info(self):
        return (131072, 50000, self._next(), 3000)

    def new_split(self):
        return self._next()


def begin(*largest_b):
    install()
    sys.modules["virt"] = Virt(list(largest_b))
    sys.modules.pop("copepod.platform.rv32", None)
    from copepod.platform import rv32

    return rv32


def test_what_the_heap_could_take_is_not_what_it_has():
    port = begin(20000)
    assert list(port.heap()) == [50000, 20000, 3000]
    assert port.heap() is port.heap()
    assert port.gc_free(20000 + 1234) == 1234


def test_a_heap_of_fixed_size_takes_nothing():
    port = begin(0, 20000)
    port.heap()
    assert port.gc_free(1234) == 1234


def test_a_frame_after_the_reading_is_no_growth():
    port = begin(20000, 20000, 20000, 12832)  # made, before gc.mem_free(), after it; then lwIP takes a frame
    kept = memory.port
    memory.port = port
    try:
        reading = memory.read()
        assert reading[1] == reading[0] - 20000, list(reading)
        assert reading[6] == 20000
    finally:
        memory.port = kept


def test_what_would_have_pythons_heap_grow_finds_no_memory():
    port = begin(8)
    port.need(1000)
    try:
        port.need(1 << 29)
        raise AssertionError("it takes the C heap's")
    except MemoryError:
        pass


def test_a_frame_that_is_freed_between_two_readings_is_not_pythons():
    port = begin(20000, 1000, 300000)  # made, before gc.mem_free(), and after it
    port.need(1000)
    port = begin(20000, 1000, 300000)
    try:
        port.need(gc.mem_free() - 200000)
        raise AssertionError("it takes what a frame has left")
    except MemoryError:
        pass
