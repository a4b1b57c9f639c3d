"""The tool gpio_read. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, pin: str):
    """Tell whether a pin is on (high) or off (low).

    pin: the pin's name
    """
    number, use = pins.number(gateway, pin, "in", "up", "down", "out")
    machine = pins.machine()
    if use == "out":
        found = machine.Pin(number)
    elif use == "in":
        found = machine.Pin(number, machine.Pin.IN)
    else:
        found = machine.Pin(
            number, machine.Pin.IN, machine.Pin.PULL_UP if use == "up" else machine.Pin.PULL_DOWN
        )
    return "%s is %s" % (pin, "on" if found.value() else "off")
