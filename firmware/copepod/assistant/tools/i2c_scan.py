"""The tool i2c_scan. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, bus: str):
    """List the addresses of the devices on an I2C bus.

    bus: the bus's name
    """
    found = pins.bus(gateway, bus).scan()
    return " ".join(["0x%02x" % address for address in found]) or "nothing answers"
