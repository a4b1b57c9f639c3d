"""The tool neopixel_set. Memory: dropped after use."""

from copepod.assistant import pins


def run(gateway, pin: str, colors: str):
    """Set the colours of a strip of NeoPixel lights.

    pin: the strip's name
    colors: one for all lights, such as ff8000, or one for each from the first on, with blanks between; 000000 is off
    """
    number, _, count = pins.number(gateway, pin, "neopixel")
    given = colors.replace("#", "").split() if type(colors) is str else []
    if not 1 <= len(given) <= count:
        raise ValueError("colors: 1 to %d colours" % count)
    wire = pins.wire(number)
    wire.init(pins.machine().Pin.OUT)
    try:
        import neopixel
    except ImportError:
        raise ValueError("this firmware has no driver for it")
    strip = neopixel.NeoPixel(wire, count)
    for at in range(count):
        color = given[0] if len(given) == 1 else given[at] if at < len(given) else "000000"
        try:
            if len(color) != 6:
                raise ValueError
            strip[at] = tuple([int(color[i : i + 2], 16) for i in (0, 2, 4)])
        except ValueError:
            raise ValueError("colors: six hexadecimal digits each, such as ff8000")
    strip.write()
    return "%d lights are set" % count
