"""Fake `machine`: RTC with its memory, the watchdog and resets of the ESP32 port.

- RTC.memory() is noise (here: whatever a test puts there) after power-on, and outlives a reset;
- WDT resets the board when it is not fed, and can't be stopped, only made anew with another time;
- reset() is HARD_RESET at the next start, as a panic is;
- a Pin is one object for each number; irq() has no `hard`, and its handler runs between two bytecodes: here with the
  heap locked, so that it can't allocate. drive() is what happens outside of the chip.
"""

import micropython

from fakes.world import Reset, world

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_memory = b""
_cause = PWRON_RESET
_watchdog_ms = None
_watchdog_left_ms = 0
datetimes = []
resets = []


class RTC:
    """The real-time clock."""

    def datetime(self, now):
        """Set the clock."""
        assert len(now) == 8 and 1 <= now[3] <= 7, now
        datetimes.append(now)

    def memory(self, data=None):
        """Read or write what outlives a reset."""
        global _memory
        if data is None:
            return _memory
        if len(data) > 2048:
            raise ValueError("buffer too long")
        _memory = bytes(data)
        return None


class WDT:
    """The task watchdog."""

    def __init__(self, id=0, timeout=5000):
        global _watchdog_ms, _watchdog_left_ms
        if id != 0 or timeout < 1000:
            raise ValueError("WDT timeout too short")
        if timeout > 4294967:
            raise ValueError("overflows the timer's 32 bits of microseconds")
        _watchdog_ms = _watchdog_left_ms = timeout

    def feed(self):
        """Begin to count anew."""
        global _watchdog_left_ms
        _watchdog_left_ms = _watchdog_ms


class Pin:
    """A pin that can be read and watched."""

    IN = 1
    OUT = 3
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    _all = {}

    def __new__(cls, number, mode=-1, pull=-1):
        """Return the pin of that number."""
        if type(number) is not int or not 0 <= number <= 39:
            raise ValueError("invalid pin")
        if number not in cls._all:
            cls._all[number] = made = super().__new__(cls)
            made.level = 0
            made.handler = None
        return cls._all[number]

    def __init__(self, number, mode=-1, pull=-1):
        self.number = number
        self.mode = mode
        self.pull = pull
        if pull == self.PULL_UP:
            self.level = 1

    def value(self):
        """Read it."""
        return self.level

    def irq(self, handler=None, trigger=3):
        """Have `handler` called with the pin at such an edge."""
        self.handler = handler
        self.trigger = trigger

    def drive(self, level):
        """Let somebody outside change its level."""
        before = self.level
        self.level = level
        edge = self.IRQ_RISING if level > before else self.IRQ_FALLING if level < before else 0
        if self.handler and self.trigger & edge:
            micropython.heap_lock()
            try:
                self.handler(self)
            finally:
                micropython.heap_unlock()


def _step(ms):
    global _watchdog_left_ms
    if _watchdog_ms is not None:
        _watchdog_left_ms -= ms
        if _watchdog_left_ms <= 0:
            _restart(WDT_RESET)


def _restart(cause):
    global _cause, _watchdog_ms
    _cause = cause
    _watchdog_ms = None
    resets.append(cause)
    raise Reset(cause)


def reset():
    """Restart the board."""
    _restart(HARD_RESET)


def reset_cause():
    """Return why the board started."""
    return _cause


def starts(cause, memory=None):
    """Let the next start have this cause, and find this in RTC memory."""
    global _cause, _memory, _watchdog_ms
    _cause = cause
    _watchdog_ms = None
    if memory is not None:
        _memory = memory


def watchdog_ms():
    """Return the watchdog's time, None while it is off."""
    return _watchdog_ms


def power_on():
    """Begin anew: memory is noise."""
    starts(PWRON_RESET, bytes((i * 37 + 11) & 0xFF for i in range(128)))
    datetimes.clear()
    Pin._all.clear()
    resets.clear()
    world.waiters.append(_step)
