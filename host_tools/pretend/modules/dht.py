"""`dht`, pretended: temperature and humidity. On no board; see pretended/line.py."""

import errno

from pretended.line import look, take

_measured = {}  # pin -> (temperature, humidity), set from outside: `:dht 15 21.5 40`


class DHT22:
    """DHT22(Pin(15)): measure(), then temperature() and humidity(). OSError without a sensor."""

    def __init__(self, pin):
        self.pin = pin
        self._now = (0.0, 0.0)

    def measure(self):
        """Ask the sensor."""
        look()
        if self.pin.id not in _measured:
            raise OSError(errno.ETIMEDOUT)
        self._now = _measured[self.pin.id]

    def temperature(self):
        """Degrees Celsius."""
        return self._now[0]

    def humidity(self):
        """Percent."""
        return self._now[1]


class DHT11(DHT22):
    """The same in whole numbers."""

    def temperature(self):
        """Degrees Celsius."""
        return int(self._now[0])

    def humidity(self):
        """Percent."""
        return int(self._now[1])


def _set(pin, temperature, humidity="50"):
    _measured[int(pin)] = (float(temperature), float(humidity))


take("dht", _set)
