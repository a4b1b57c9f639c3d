"""The tool i2c_read. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, bus: str, address: int, length: int = 1, register: int = -1):
    """Read bytes from a device on an I2C bus; the answer is hexadecimal.

    bus: the bus's name
    address: the device's address, such as 118 for 0x76
    length: how many bytes, 1 to 64
    register: the register to begin at, 0 to 255, if it has some
    """
    if type(length) is not int or not 1 <= length <= 64:
        raise ValueError("length: a whole number from 1 to 64")
    wires = pins.bus(gateway, bus)
    try:
        if pins.register(register):
            data = wires.readfrom_mem(pins.address(address), register, length)
        else:
            data = wires.readfrom(pins.address(address), length)
    except OSError:
        raise ValueError("no device answers at 0x%02x" % address)
    return " ".join(["%02x" % byte for byte in data])
