"""Memory frames and events on the console (docs/telemetry.md). Memory: at most 256 B per frame.

A frame is a line for people and a line for machines, both written piece by piece: no line is ever
built as a string.
"""

import micropython
from time import ticks_ms

from micropython import const

from copepod import memory
from copepod.stats import Stats  # noqa: F401  whoever has the one has the other

_ABSENT = const(0x5A5A)
_NAME_WIDTH = const(20)
# What stands in the line for people, and where it is in a reading. A tuple's strings are not interned.
_SHOWN = (("] free=", 0), ("  used=", 2), ("  live=", 3), ("  idf=", 5), ("  idf-largest=", 6))
_GROWN_B = const(8192)  # less than the smallest area, more than what Wi-Fi takes between two readings


class Telemetry:
    """Writes frames and events with one sequence number for both.

    `collect`: run the collector in each frame, so that gc_live is there.
    `mem_info`: let micropython.mem_info() print its summary after each frame.
    """

    def __init__(self, stats, collect=True, mem_info=False):
        self.stats = stats
        self.collect = collect
        self.mem_info = mem_info
        self.connections = 0  # TLS (or plain) connections opened, set by the channel
        self.phases = []  # (name, gc_used, gc_live, idf_free) of the named phases, for /mem
        self._sequence = 0
        self._sum = 0
        self._total_b = None  # of the GC heap when the gateway became steady

    def _number(self, value):
        if value is None:
            print(end="-")
            value = _ABSENT
        else:
            print(value, end="")
        self._sum = (self._sum * 31 + (value & 0xFFFFFF)) & 0xFFFF

    def _start(self, kind, name):
        print(end=kind)
        self._sum = 0
        self._number(self._sequence)
        print(end=" ")
        self._number(ticks_ms() & 0x3FFFFFFF)  # pyright: ignore[reportOperatorIssue]
        print("", name, end="")
        total = self._sum
        for byte in name.encode():
            total = (total * 31 + byte) & 0xFFFF
        self._sum = total
        self._sequence += 1

    def _end(self):
        print(" *", self._sum, sep="")

    def event(self, name, value=0):
        """Write one event line: a mark in time with one int."""
        self._start("@cp1 E ", name)
        print(end=" ")
        self._number(value)
        self._end()

    def frame(self, phase, keep=False):
        """Write one frame. `keep` notes it as one of the named phases that /mem shows."""
        reading = memory.read(self.collect)
        self._human(phase, reading)
        self._start("@cp1 F ", phase)
        index = 0
        for field in memory.FIELDS:
            self._field(field, reading[index])
            index += 1
        stats = self.stats
        self._field("in", stats.received)
        self._field("out", stats.answered)
        self._field("err", stats.errors)
        self._field("tls", self.connections)
        self._field("back", stats.backoffs)
        self._end()
        if self.mem_info:
            micropython.mem_info()
        self._watch(phase, reading[8])
        if keep:
            self.phases.append((phase, reading[2], reading[3], reading[5]))

    def _watch(self, phase, total_b):
        # Python's heap was to have its last area before the gateway became steady: see room.py.
        if phase == "steady":
            self._total_b = total_b
        elif self._total_b is not None and total_b > self._total_b + _GROWN_B:
            self._total_b = total_b
            self.event("gc-grown", total_b)

    def _field(self, name, value):
        print("", name, end="=")  # sys.stdout.write would be a bound method, for each field
        self._number(value)

    def _human(self, phase, reading):
        print("[mem", phase, end="")
        for _ in range(_NAME_WIDTH - len(phase)):
            print(end=" ")
        for label, field in _SHOWN:
            value = reading[field]
            if value is not None:
                print(end=label)
                limit = 100000
                while limit > value and limit > 1:
                    print(end=" ")
                    limit //= 10
                print(value, end=" B")
        print()
