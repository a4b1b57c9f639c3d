"""Waters a plant: a moisture probe on ADC pin 34, a pump behind pin 5. Never longer than a few seconds."""

import asyncio

from machine import ADC, Pin

from copepod.handlers import on_command
from copepod.timers import every

probe = ADC(Pin(34), atten=ADC.ATTN_11DB)
pump = Pin(5, Pin.OUT, value=0)
DRY = 2600  # of 4095; a probe in water reads about 1200: try yours
PUMP_S = 2


async def water():
    pump.on()
    try:
        await asyncio.sleep(PUMP_S)  # the bot goes on answering
    finally:
        pump.off()  # whatever happens


@every(3600)
async def look():
    if probe.read() > DRY:
        await water()
        return "🌱 The soil was dry: I have watered."


@on_command("soil", "how wet the soil is")
def soil(msg):
    return "The probe reads %d: %s." % (probe.read(), "dry" if probe.read() > DRY else "wet")


@on_command("water", "water now")
async def now(msg):
    await water()
    return "Done."
