"""A report each morning, by the clock of the config's `tz`: the coldest and the warmest of the last day."""

import dht
from machine import Pin

from copepod.handlers import on_command
from copepod.timers import daily, every

sensor = dht.DHT22(Pin(15))
coldest = warmest = None


@every(300)
def measure():
    global coldest, warmest
    sensor.measure()
    now = sensor.temperature()
    coldest = now if coldest is None else min(coldest, now)
    warmest = now if warmest is None else max(warmest, now)


@daily("07:30")
def report():
    global coldest, warmest
    if coldest is None:
        return "Good morning. I have measured nothing."
    told = "Good morning. Since yesterday: **%.1f** to **%.1f °C**." % (coldest, warmest)
    coldest = warmest = None
    return told


@on_command("air", "temperature and humidity now")
def air(msg):
    sensor.measure()
    return "%.1f °C, %.0f %% humidity." % (sensor.temperature(), sensor.humidity())
