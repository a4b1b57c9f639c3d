"""The one TLS session that there is room for: Telegram's is closed for another host. Memory: dropped after use."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from copepod.net import tls
from copepod.once import forget

forget("copepod.net.tls")

_LEAVE_MS = const(20)  # how often to look whether Telegram's connection can be closed


async def context(gateway, path, deadline):
    """Close Telegram's connection as soon as no call is on its way; returns a context with the roots in the file.

    It stays closed while the model's `begun` is true. OSError when it is busy until `deadline`, in ticks_ms.
    """
    gateway.config.model.begun = True
    channel = gateway.channel
    while channel.state != "waiting" and channel.http.is_open():
        if ticks_diff(deadline, ticks_ms()) <= 0:
            raise OSError("the Telegram connection is busy")
        if (
            channel.state == "polling"
        ):  # what nobody has asked for comes in the middle of a long one
            from copepod.telegram import leave

            leave.leave_poll(channel)
            forget("copepod.telegram.leave")
        await asyncio.sleep_ms(_LEAVE_MS)
    channel.http.close()
    with open(path, "rb") as file:
        return tls.context(tls.split_der(file.read()))
