"""The tool gpio_write. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, pin: str, on: bool):
    """Switch an output pin on or off.

    pin: the pin's name
    on: true for on
    """
    if type(on) is not bool:
        raise ValueError("on: true or false")
    number, _ = pins.number(gateway, pin, "out")
    machine = pins.machine()
    machine.Pin(number, machine.Pin.OUT, value=1 if on else 0)
    return "%s is %s" % (pin, "on" if on else "off")
