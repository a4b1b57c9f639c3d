"""The tool i2c_write. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, bus: str, address: int, data: str, register: int = -1):
    """Write bytes to a device on an I2C bus.

    bus: the bus's name
    address: the device's address, such as 118 for 0x76
    data: 1 to 64 bytes, hexadecimal, such as f4 27
    register: the register to begin at, 0 to 255, if it has some
    """
    try:
        digits = data.replace(" ", "")
        if len(digits) % 2 or not 2 <= len(digits) <= 128:
            raise ValueError
        found = bytes([int(digits[at : at + 2], 16) for at in range(0, len(digits), 2)])
    except (ValueError, AttributeError):
        raise ValueError("data: 1 to 64 bytes in hexadecimal, such as f4 27")
    wires = pins.bus(gateway, bus)
    try:
        if pins.register(register):
            wires.writeto_mem(pins.address(address), register, found)
        else:
            wires.writeto(pins.address(address), found)
    except OSError:
        raise ValueError("no device answers at 0x%02x" % address)
    return "%d bytes written" % len(found)
