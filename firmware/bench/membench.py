"""The study's five phases and a sixth, format and split, on the device. Memory: what it measures.

    import membench
    membench.main(1000, 0)      # messages of the burst, gc.threshold() in bytes (0: the port's)

Each phase is a telemetry frame (docs/telemetry.md), then a line `@bench <phase> runs us`:
collections so far and the microseconds in them, `-` where the interpreter can't tell. After each
the device sleeps, so that somebody outside can read what the process holds.
"""

import gc

ALONE_B = gc.mem_alloc()  # the interpreter and this file's code

import asyncio
import sys
from time import sleep_ms, ticks_diff, ticks_us

from micropython import const

from copepod import arena
from copepod.stats import Stats
from copepod.telemetry import Telemetry

try:
    import gcstat  # pyright: ignore[reportMissingImports]: `copepod toolchain` builds it in
except ImportError:
    gcstat = None

_PAUSE_MS = const(250)
_CAPACITY = const(16)
_BUS_B = const(8192)
_TEXT = "The tide turns at six and the reef is quiet until the moon is up."
_PARAGRAPH = "# Tides\n\nThe **tide** turns at _six_, `read()` says so: a<b&c>d.\n\n- one\n- two\n\n"
_SCRIPTS = ("tide over the reef ", "прилив через риф ", "潮水带着桡足类穿过珊瑚礁 ", "🦐🌊🐚🪸 ")


class Bench:
    """The phases, in order; what one makes the next ones need, so it is kept."""

    def __init__(self, threshold_b):
        self.telemetry = Telemetry(Stats(), True, True)
        self.threshold_b = threshold_b
        self.produced = self.consumed = 0

    def phase(self, name):
        """Tell the memory now, and wait."""
        runs = gcstat.runs() if gcstat else "-"
        spent_us = gcstat.us() if gcstat else "-"
        self.telemetry.frame(name)
        print("@bench", name, runs, spent_us)
        sleep_ms(_PAUSE_MS)

    def baseline(self):
        gc.collect()
        sleep_ms(_PAUSE_MS)
        self.phase("1-baseline")

    def config(self, path):
        from copepod import config

        self.settings = config.load(path, arena.buffer)
        del config
        del sys.modules["copepod.config"]
        if self.threshold_b:
            gc.threshold(self.threshold_b)
        self.phase("2-config-loaded")

    def bus(self):
        from copepod import messages
        from copepod import parts
        from copepod.signal import Signal

        self.message = messages.InboundMessage
        self.filled = Signal()
        self.freed = Signal()
        self.queues = parts.bus(_CAPACITY, _BUS_B, self.filled, self.freed)
        self.phase("3-bus-created")

    async def produce(self, count):
        """Publish `count` messages with the study's seven keys as fields."""
        inbound = self.queues.inbound
        for number in range(count):
            message = self.message()
            message.update_id = number
            message.message_id = number
            message.sender_id = 123456789
            message.username = "tidepool"
            message.first_name = "Ada"
            message.chat_type = "private"  # is_group and peer_kind
            message.chat_id = 123456789  # peer_id
            message.text = _TEXT
            while not inbound.put(message):
                await self.freed
            self.produced += 1

    async def consume(self, count):
        """Take `count` messages and look at each."""
        inbound = self.queues.inbound
        while self.consumed < count:
            message = inbound.get()
            if message is None:
                await self.filled
            elif message.text is _TEXT:
                self.consumed += 1

    async def burst(self, count):
        consumer = asyncio.create_task(self.consume(count))
        await self.produce(count)
        await consumer

    def format(self):
        """One answer of 4,096 units in each script, and one that takes several messages."""
        from copepod.text.markdown import Formatter

        self.formatter = formatter = Formatter(arena.buffer)
        self.html_b = self.pieces = 0
        for words in _SCRIPTS:
            count = 4096 // len(words)
            if words == _SCRIPTS[-1]:
                count //= 2  # two UTF-16 units a character
            self._answer(formatter, words, count)
        self._answer(formatter, _PARAGRAPH, 240)
        self.phase("6-format-and-split")
        print("(Pieces: %d, bytes of HTML: %d)" % (self.pieces, self.html_b))

    def _answer(self, formatter, part, count):
        # `part`, `count` times, as an answer that is still being written would come.
        formatter.begin()
        for _ in range(count):
            taken = formatter.feed(part)
            whole = len(memoryview(part))
            while taken < whole:
                self._pieces(formatter)
                taken += formatter.feed(part, taken)
        formatter.finish()
        self._pieces(formatter)

    def _pieces(self, formatter):
        while formatter.ready():
            formatter.write(self._sink)
            formatter.drop()
            self.pieces += 1

    def _sink(self, buffer, start, end):
        self.html_b += end - start


def main(count, threshold_b=0, path="config.json"):
    """Run every phase with a burst of `count` messages."""
    print("(Interpreter and benchmark alone: %d B)" % ALONE_B)
    bench = Bench(threshold_b)
    bench.baseline()
    bench.config(path)
    bench.bus()
    started_us = ticks_us()
    asyncio.run(bench.burst(count))
    spent_us = ticks_diff(ticks_us(), started_us)
    bench.phase("4-after-burst")
    print("(Burst: %d us)" % spent_us)
    print("(Messages produced: %d, consumed: %d)" % (bench.produced, bench.consumed))
    gc.collect()
    gc.collect()
    sleep_ms(500)
    bench.phase("5-steady-state")
    bench.format()
