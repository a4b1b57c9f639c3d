"""The tool ds18x20_read. Memory: dropped after use."""

import asyncio

from micropython import const

from copepod.assistant import pins

_MEASURES_MS = const(750)


async def run(gateway, pin: str):
    """Measure temperatures with DS18B20 thermometers.

    pin: the name of their pin
    """
    wire = pins.wire(pins.number(gateway, pin, "ds18x20")[0])
    try:
        import ds18x20
        import onewire
    except ImportError:
        raise ValueError("this firmware has no driver for it")
    sensors = ds18x20.DS18X20(onewire.OneWire(wire))
    found = sensors.scan()
    if not found:
        raise ValueError("no thermometer answers")
    sensors.convert_temp()
    await asyncio.sleep_ms(_MEASURES_MS)
    rows = []
    for rom in found:
        name = "".join(["%02x" % byte for byte in rom])
        try:
            celsius: "Any" = sensors.read_temp(rom)
            rows.append("%s: %.1f °C" % (name, celsius))
        except Exception:  # a sum that is wrong, or nothing any more
            rows.append(name + ": does not answer")
    return "\n".join(rows)
