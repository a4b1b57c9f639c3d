"""Memory frames and events on the console (docs/telemetry.md). Memory: at most 256 B per frame.

A frame is a line for people and a line for machines, both written piece by piece: no line is ever
built as a string.
"""

import micropython
import sys
from time import ticks_ms

from micropython import const

from copepod import memory

_ABSENT = const(0x5A5A)
_NAME_WIDTH = const(20)
_COUNTERS = ("in", "out", "err", "tls", "back")


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

    def _number(self, value):
        if value is None:
            sys.stdout.write("-")
            value = _ABSENT
        else:
            print(value, end="")
        self._sum = (self._sum * 31 + (value & 0xFFFFFF)) & 0xFFFF

    def _start(self, kind, name):
        write = sys.stdout.write
        write(kind)
        self._sum = 0
        self._number(self._sequence)
        write(" ")
        self._number(ticks_ms() & 0x3FFFFFFF)  # pyright: ignore[reportOperatorIssue]
        write(" ")
        write(name)
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
        sys.stdout.write(" ")
        self._number(value)
        self._end()

    def frame(self, phase, keep=False):
        """Write one frame. `keep` notes it as one of the named phases that /mem shows."""
        reading = memory.read(self.collect)
        self._human(phase, reading)
        write = sys.stdout.write
        self._start("@cp1 F ", phase)
        index = 0
        for field in memory.FIELDS:
            write(" ")
            write(field)
            write("=")
            self._number(reading[index])
            index += 1
        stats = self.stats
        index = 0
        for field in _COUNTERS:
            write(" ")
            write(field)
            write("=")
            if index == 0:
                value = stats.received
            elif index == 1:
                value = stats.answered
            elif index == 2:
                value = stats.errors
            elif index == 3:
                value = self.connections
            else:
                value = stats.backoffs
            self._number(value)
            index += 1
        self._end()
        if self.mem_info:
            micropython.mem_info()
        if keep:
            self.phases.append((phase, reading[2], reading[3], reading[5]))

    def _human(self, phase, reading):
        write = sys.stdout.write
        write("[mem ")
        write(phase)
        for _ in range(_NAME_WIDTH - len(phase)):
            write(" ")
        write("] free=")
        self._padded(reading[0])
        write(" B  used=")
        self._padded(reading[2])
        write(" B")
        if reading[3] is not None:
            write("  live=")
            self._padded(reading[3])
            write(" B")
        if reading[5] is not None:
            write("  idf=")
            self._padded(reading[5])
            write(" B  idf-largest=")
            self._padded(reading[6])
            write(" B")
        write("\n")

    def _padded(self, value):
        limit = 100000
        while limit > value and limit > 1:
            sys.stdout.write(" ")
            limit //= 10
        print(value, end="")
