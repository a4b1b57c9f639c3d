"""A thermometer with an alarm: /limit 25 says from when on, and that is kept when the power fails."""

import ds18x20
import onewire
from machine import Pin
from time import sleep_ms

from copepod.bot import bot
from copepod.handlers import on_command
from copepod.timers import every

sensors = ds18x20.DS18X20(onewire.OneWire(Pin(4)))
warned = False


def celsius():
    sensors.convert_temp()
    sleep_ms(750)  # so long a DS18B20 takes
    return max([sensors.read_temp(rom) for rom in sensors.scan()])


@every(60)
def watch():
    global warned
    limit = bot.state.get("limit", 30)
    now = celsius()
    if now > limit and not warned:
        warned = True
        return "🔥 It is **%.1f °C**, more than %g." % (now, limit)  # to the bot's owner
    if now < limit - 1:  # and not at once again when it wavers
        warned = False


@on_command("temperature", "how warm it is")
def temperature(msg):
    return "It is **%.1f °C**." % celsius()


@on_command("limit", "warn above: /limit 25")
def limit(msg):
    bot.state["limit"] = float(msg.args)
    return "I warn above %g °C." % bot.state["limit"]
