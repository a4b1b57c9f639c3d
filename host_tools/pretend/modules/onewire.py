"""`onewire`, pretended: the bus of DS18x20 thermometers. On no board; see pretended/line.py."""

from pretended.line import look, take

_FAMILY = 0x28  # of a DS18B20
found = {}  # pin -> temperatures of the sensors there, set from outside: `:ds18x20 4 21.5 19`


class OneWireError(Exception):
    """Nothing answers."""


class OneWire:
    """OneWire(Pin(4)). Each sensor's number is its place on the bus."""

    def __init__(self, pin):
        self.pin = pin

    def reset(self, required=False):
        """Whether a sensor answers."""
        look()
        there = self.pin.id in found
        if required and not there:
            raise OneWireError
        return there

    def scan(self):
        """Numbers of the sensors, eight bytes each."""
        look()
        count = len(found.get(self.pin.id, ()))
        return [bytearray((_FAMILY, place, 0, 0, 0, 0, 0, 0)) for place in range(count)]


def _set(pin, *temperatures):
    found[int(pin)] = [float(temperature) for temperature in temperatures]


take("ds18x20", _set)
