"""The pins that the config has names for, and no others. Memory: dropped after use."""


def number(gateway, name, *modes):
    """The number of the pin, its mode and what else it has; ValueError unless it has one of `modes`."""
    pins = gateway.config.model.pins
    if name not in pins:
        raise ValueError("there is no pin of this name; there are: " + ", ".join(sorted(pins)))
    found = pins[name]
    if found[1] not in modes:
        raise ValueError(
            "the owner has given this pin the mode %s, which is not for that" % found[1]
        )
    return found


def machine():
    """MicroPython's `machine`, or ValueError where there are no pins."""
    try:
        import machine as found
    except ImportError:
        found = None
    if not hasattr(found, "Pin"):
        raise ValueError("this computer has no pins")
    return found


def wire(number):
    """The Pin with this number, nothing else done to it."""
    return machine().Pin(number)


def bus(gateway, name):
    """The I2C bus of this name, on any two pins; ValueError."""
    scl, _, sda = number(gateway, name, "i2c")
    found = machine()
    if not hasattr(found, "SoftI2C"):
        raise ValueError("this board has no I2C")
    return found.SoftI2C(scl=found.Pin(scl), sda=found.Pin(sda), freq=100000)


def address(value):
    """A device's address on a bus; ValueError."""
    if type(value) is not int or not 3 <= value <= 0x77:
        raise ValueError("address: a whole number from 3 to 119")
    return value


def register(value):
    """Whether there is a register to begin at (-1: none); ValueError."""
    if type(value) is not int or not -1 <= value <= 255:
        raise ValueError("register: a whole number from 0 to 255")
    return value >= 0
