"""Functions of bot.py that a pin's change calls, and the task that does so. Memory: 0.1 kB a pin, and its function.

from copepod.pins import on_pin

@on_pin(4, "falling", debounce_ms=50, pull="up")
async def bell(value):
    return "Somebody is at the door."  # to the owner

The interrupt only notes that something has changed, and when: it allocates nothing. The task waits for that beside
the sockets, in the poller that asyncio waits in.
"""

import io
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod import registry, unasked
from copepod.net.wait import READ
from copepod.once import forget

_POLL = const(3)  # MP_STREAM_POLL, what a poller asks a stream
_IDLE_MS = const(3600000)
_AGAIN_MS = const(50)  # how often to look whether a function has come to its end
_EDGES = ("falling", "rising", "both")  # a pin's value after the edge is its place here


def on_pin(pin, edge="falling", debounce_ms=50, pull=None):
    """Call a function, async or not, with the pin's value (0 or 1) after an edge: "falling", "rising" or "both".

    `pin` is machine.Pin's id, `pull` is "up", "down" or None. What changes for less than `debounce_ms` is no edge,
    so the call comes that much later; with 0 each edge counts, those that come faster than the loop turns as one.
    ValueError names the argument; RuntimeError where the machine has no pins.
    """
    if edge not in _EDGES:
        raise ValueError(
            'on_pin(%r): edge %r: expected "falling", "rising" or "both"' % (pin, edge)
        )
    if type(debounce_ms) is not int or not 0 <= debounce_ms <= 10000:
        raise ValueError("on_pin(%r): debounce_ms %r: expected 0 to 10000" % (pin, debounce_ms))
    if pull not in ("up", "down", None):
        raise ValueError('on_pin(%r): pull %r: expected "up", "down" or None' % (pin, pull))
    try:
        from machine import Pin
    except ImportError:
        raise RuntimeError("on_pin(%r): this machine has no pins (machine.Pin)" % pin)

    def register(function):
        line = Line()
        if pull is None:
            line.pin = Pin(pin, Pin.IN)
        else:
            line.pin = Pin(pin, Pin.IN, Pin.PULL_UP if pull == "up" else Pin.PULL_DOWN)
        line.function = function
        line.edge = _EDGES.index(edge)
        line.debounce_ms = debounce_ms
        line.changed = False
        line.changed_ms = 0
        if not pins.lines:
            registry.starts.append(pins.run)
        pins.lines.append(line)
        return function

    return register


class Line:
    """A pin that is watched."""

    pin: "Any"
    function: "Any"
    edge: int  # 0 falling, 1 rising, 2 both
    debounce_ms: int
    value: int  # the last one that held for so long
    changed: bool  # there was an edge that nobody has looked at
    changed_ms: "Any"  # when the last one was

    def listen(self):
        """Begin to note edges."""
        pin = self.pin
        self.value = pin.value()
        trigger = (pin.IRQ_FALLING, pin.IRQ_RISING, pin.IRQ_FALLING | pin.IRQ_RISING)
        # What bounces has both edges.
        pin.irq(self.note, trigger[2 if self.debounce_ms else self.edge])

    def note(self, _):
        """The interrupt: there was an edge. Allocates nothing."""
        self.changed_ms = ticks_ms()
        self.changed = True
        pins.changed = True

    def look(self):
        """Call the function if there was an edge that counts; returns in how many ms to look again, or None."""
        if not self.changed:
            return None
        left_ms = self.debounce_ms - ticks_diff(ticks_ms(), self.changed_ms)
        if left_ms > 0:
            return left_ms
        if unasked.at_work(self.function):
            return _AGAIN_MS
        self.changed = False  # first, so that an edge from now on counts again
        value = self.pin.value()
        if self.debounce_ms == 0:
            unasked.begin(self.function, value if self.edge == 2 else self.edge)
        elif value != self.value:
            self.value = value
            if self.edge in (2, value):
                unasked.begin(self.function, value)
        return None


class Pins(io.IOBase):
    """All that are watched: a stream that can be read once one has changed, and what its task awaits."""

    lines: list
    changed: bool  # one of them has, since the task last looked
    waits: bool
    wake_ms: "Any"
    waiter: "Any"

    def ioctl(self, request, events):
        """What a poller asks: there is something to read. Allocates nothing."""
        if request != _POLL:
            return -1
        return events & READ if self.changed and self.waits else 0

    async def run(self):
        """Call the functions of pins that have changed, for ever. Begins at the first poll."""
        self._begin()
        while True:
            self.changed = False
            wait_ms = _IDLE_MS
            for line in self.lines:
                again_ms = line.look()
                if again_ms is not None:
                    wait_ms = min(wait_ms, again_ms)
            self.wake_ms = ticks_add(ticks_ms(), wait_ms)
            await self

    def _begin(self):
        # A function of its own, so that no frame that lives on refers to the module.
        from copepod.net import waiter

        forget("copepod.net.waiter")
        self.waiter = waiter.new_waiter(self)
        for line in self.lines:
            line.listen()

    def __iter__(self) -> "Any":
        return self

    __await__ = __iter__

    def __next__(self):
        if self.waits:
            self.waits = False
            raise StopIteration
        self.waits = True
        self.waiter.park(READ, self.wake_ms)


pins = Pins()
pins.lines = []
pins.changed = pins.waits = False
