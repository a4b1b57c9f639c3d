"""How the channel gets its connection and its first poll. Memory: dropped after use."""

import gc
import os
from time import ticks_ms

from micropython import const

from copepod import registry
from copepod.once import forget
from copepod.net import link
from copepod.platform import port

_ASKED_MS = const(1000)


async def ready(channel):
    """Bring up the link and the clock, as far as they are not."""
    config = channel.gateway.config
    channel.state = "linking"
    await link.up(config)
    channel.alive_ms = ticks_ms()
    if config.tls:
        from copepod.net import clock

        forget("copepod.net.clock")
        channel.clock_day = await clock.ready(channel.clock_day)
        if channel.clock_day is None:
            raise OSError("clock not set")


async def connect(channel):
    """Open the connection."""
    from copepod.net import http_connect

    forget("copepod.net.http_connect")
    channel.state = "connecting"
    model = channel.gateway.config.model
    while model is not None and model.begun:  # there is room for one TLS session: the model's
        channel.alive_ms = ticks_ms()
        await channel.gateway.wake_channel.limit(_ASKED_MS)
    telemetry = channel.gateway.telemetry
    gc.collect()  # what TLS will need should be in one piece
    await http_connect.connect(channel.http)
    telemetry.connections = channel.http.connections
    telemetry.event("tls", channel.http.connections)


def write_allowed(call):
    """Write what updates the first poll asks for."""
    call.text(b',"allowed_updates":["message","callback_query"')
    call.text(b',"edited_message"]' if registry.edits else b"]")


def first_poll(channel):
    """The first poll has succeeded. Nothing is loaded from now on, unless it fails: see arena.py."""
    gateway = channel.gateway
    gc.threshold(gateway.config.memory_gc_threshold or port.GC_THRESHOLD_B)
    first = not channel.ready_once
    channel.steady = channel.ready_once = True
    channel.menu_at = ticks_ms()
    gateway.telemetry.event("poll", 0)
    gateway.telemetry.frame("steady", True)
    if first:
        unsent = _left(gateway.config.path + ".unsent.jsonl")
        if unsent or registry.starts:
            from copepod import starts

            starts.begin(gateway, unsent)
            forget("copepod.starts")


def _left(path):
    # The path, if a run before has left something there: see durable.py.
    try:
        return path if os.stat(path)[6] else None
    except OSError:
        return None
