"""Timer, WDT and RTC as on an ESP32. On no board."""

import asyncio
import time

from pretended.line import call


class Timer:
    """Timer(0).init(period=1000, callback=f): f(timer) every so many milliseconds."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **more):
        self._task = None
        if more:
            self.init(**more)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None):
        """Begin anew."""
        self.deinit()
        if freq > 0:
            period = int(1000 / freq)
        if period <= 0:
            raise ValueError("period must be positive")
        self._task = asyncio.create_task(self._run(mode, period, callback))

    def deinit(self):
        """No more calls."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def _run(self, mode, period, callback):
        while True:
            await asyncio.sleep_ms(period)
            if callback:
                call(callback, self)
            if mode == self.ONE_SHOT:
                return


class WDT:
    """A watchdog that never bites."""

    def __init__(self, id=0, timeout=5000):
        pass

    def feed(self):
        """Do nothing."""


class RTC:
    """This computer's clock."""

    def datetime(self, new=None):
        """(year, month, day, weekday, hours, minutes, seconds, microseconds); it can't be set."""
        year, month, day, hour, minute, second, weekday, _ = time.gmtime()[:8]
        return (year, month, day, weekday, hour, minute, second, 0)

    def memory(self, data=None):
        """Bytes that outlive a reset on a board, and here the process does not."""
        global _kept
        if data is None:
            return _kept
        _kept = bytes(data)
        return None


_kept = b""
