"""A doorbell: a push-button between pin 4 and ground. Who rings five times in a minute is told of once."""

from time import ticks_diff, ticks_ms

from copepod.pins import on_pin

QUIET_MS = 60000
told_at = None


@on_pin(4, "falling", debounce_ms=50, pull="up")
def ring(value):
    global told_at
    now = ticks_ms()
    if told_at is not None and ticks_diff(now, told_at) < QUIET_MS:
        return None
    told_at = now
    return "🔔 Somebody is at the door."  # to the bot's owner
