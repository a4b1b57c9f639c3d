"""ADC and PWM as on an ESP32. On no board."""

from pretended.line import look, take, tell

_FULL_MV = (950, 1250, 1750, 2450)  # what reads 4095, by attenuation
_readings = {}  # pin -> 0 to 4095, set from outside
_used = set()


def _number(pin):
    return pin if isinstance(pin, int) else pin.id


class ADC:
    """A voltage: ADC(34). `:adc 34 2000` on the console sets what read() gives."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_9BIT, WIDTH_10BIT, WIDTH_11BIT, WIDTH_12BIT = 9, 10, 11, 12

    def __init__(self, pin, atten=0, **more):
        self.id = _number(pin)
        self._atten = atten
        _used.add(self.id)

    def init(self, atten=0, **more):
        """Change the attenuation."""
        self._atten = atten

    def atten(self, atten):
        """Change the attenuation."""
        self._atten = atten

    def width(self, bits):
        """Read always in 12 bits here."""

    def read(self):
        """0 to 4095."""
        look()
        return _readings.get(self.id, 0)

    def read_u16(self):
        """0 to 65535."""
        return self.read() * 65535 // 4095

    def read_uv(self):
        """Microvolts."""
        return self.read() * _FULL_MV[self._atten] * 1000 // 4095


class PWM:
    """Pulses on a pin: PWM(Pin(5), freq=1000, duty_u16=32768)."""

    def __init__(self, dest, freq=None, duty=None, duty_u16=None, duty_ns=None):
        self.id = _number(dest)
        self._freq = 5000
        self._duty = 32768
        self.init(freq, duty, duty_u16, duty_ns)

    def init(self, freq=None, duty=None, duty_u16=None, duty_ns=None):
        """Change frequency and duty."""
        if freq is not None:
            if not 0 < freq <= 40000000:
                raise ValueError("frequency must be from 1Hz to 40MHz")
            self._freq = freq
        if duty is not None:
            duty_u16 = min(duty * 64, 65535)
        if duty_ns is not None:
            duty_u16 = duty_ns * self._freq * 65535 // 1000000000
        if duty_u16 is not None:
            self._duty = min(max(int(duty_u16), 0), 65535)
        tell("pwm", self.id, self._freq, self._duty)

    def freq(self, hz=None):
        """Hertz."""
        return self._freq if hz is None else self.init(freq=hz)

    def duty(self, of_1024=None):
        """0 to 1023."""
        return self._duty // 64 if of_1024 is None else self.init(duty=of_1024)

    def duty_u16(self, of_65536=None):
        """0 to 65535."""
        return self._duty if of_65536 is None else self.init(duty_u16=of_65536)

    def duty_ns(self, width=None):
        """How long it is high, in nanoseconds."""
        if width is not None:
            return self.init(duty_ns=width)
        return self._duty * 1000000000 // (self._freq * 65535)

    def deinit(self):
        """No more pulses."""
        tell("pwm", self.id, 0, 0)


def _read(pin, value):
    pin = int(pin)
    _readings[pin] = min(max(int(value), 0), 4095)
    if pin not in _used:
        raise ValueError("the bot has no ADC on pin %d" % pin)


take("adc", _read)
