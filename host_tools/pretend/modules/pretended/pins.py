"""Pin and Signal as on an ESP32. A pin is known by its number: two objects of it show the same. On no board."""

from pretended.line import call, look, take, tell

_PINS = 49  # of the largest, an ESP32-S3: GPIO 0 to 48
_levels = {}  # number -> level: what the bot puts out, or what is there from outside
_outside = {}  # number -> level that something outside gives
_outputs = set()
_handlers = {}  # number -> (handler, trigger, Pin)


class Pin:
    """A GPIO: Pin(2, Pin.OUT), Pin(4, Pin.IN, Pin.PULL_UP). What nothing drives reads 1 only with a pull-up."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    DRIVE_0, DRIVE_1, DRIVE_2, DRIVE_3 = 0, 1, 2, 3

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=0, hold=None):
        if isinstance(id, Pin):
            id = id.id
        if not isinstance(id, int) or not 0 <= id < _PINS:
            raise ValueError("invalid pin")
        self.id = id
        _levels.setdefault(id, 0)
        self.init(mode, pull, value=value)

    def __repr__(self):
        return "Pin(%d)" % self.id

    def init(self, mode=-1, pull=-1, *, value=None, drive=0, hold=None):
        """Change what it does."""
        number = self.id
        if mode in (self.OUT, self.OPEN_DRAIN):
            if number not in _outputs:
                _outputs.add(number)
                if value is None:
                    tell("pin", number, _levels[number])
            if value is not None:
                self.value(value, _first=True)
        elif mode == self.IN:
            _outputs.discard(number)
            if number in _outside or pull == self.PULL_UP:
                _levels[number] = _outside.get(number, 1)
            tell("input", number, _levels[number])

    def value(self, x=None, _first=False):
        """The level, 0 or 1; with `x` put it out."""
        if x is None:
            look()
            return _levels[self.id]
        level = 1 if x else 0
        if self.id in _outputs and (_first or _levels[self.id] != level):
            tell("pin", self.id, level)
        _levels[self.id] = level
        return None

    __call__ = value

    def on(self):
        """Put out 1."""
        self.value(1)

    def off(self):
        """Put out 0."""
        self.value(0)

    def toggle(self):
        """Put out the other level."""
        self.value(not _levels[self.id])

    def irq(self, handler=None, trigger=3, priority=1, wake=None, hard=False):
        """Call handler(pin) when the level changes so; None: no more."""
        if handler is None:
            _handlers.pop(self.id, None)
        else:
            _handlers[self.id] = (handler, trigger, self)
        return self


class Signal:
    """A Pin, or its opposite: Signal(pin, invert=True)."""

    def __init__(self, pin, *arguments, invert=False, **more):
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *arguments, **more)
        self._invert = bool(invert)

    def value(self, x=None):
        """Whether it is active, 0 or 1; with `x` make it so."""
        if x is None:
            return self._pin.value() ^ self._invert
        return self._pin.value(bool(x) ^ self._invert)

    __call__ = value

    def on(self):
        """Make it active."""
        self.value(1)

    def off(self):
        """Make it inactive."""
        self.value(0)


def _drive(number, level):
    number = int(number)
    level = 1 if int(level) else 0
    if number in _outputs:
        raise ValueError("pin %d is an output of the bot's" % number)
    _outside[number] = level
    if number not in _levels:
        raise ValueError("the bot has no pin %d" % number)
    before = _levels[number]
    _levels[number] = level
    if before != level and number in _handlers:
        handler, trigger, pin = _handlers[number]
        if trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            call(handler, pin)


take("pin", _drive)
