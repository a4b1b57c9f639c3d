"""`ds18x20`, pretended: thermometers on one wire. On no board; see onewire.py."""

import onewire


class DS18X20:
    """DS18X20(OneWire(Pin(4))): scan(), convert_temp(), 750 ms later read_temp(rom)."""

    def __init__(self, onewire):
        self.ow = onewire

    def scan(self):
        """Numbers of the thermometers."""
        return self.ow.scan()

    def convert_temp(self):
        """Let them measure."""
        self.ow.reset(True)

    def read_temp(self, rom):
        """Degrees Celsius."""
        self.ow.reset(True)
        temperatures = onewire.found[self.ow.pin.id]
        if rom[1] >= len(temperatures):
            raise onewire.OneWireError
        return temperatures[rom[1]]
