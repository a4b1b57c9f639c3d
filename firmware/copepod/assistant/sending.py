"""Connects to the model and sends a request. Memory: dropped after use.

With https:// the Telegram connection is closed for it: there is room for one TLS session. With http:// it stays.
"""

import asyncio
import gc
from time import ticks_diff, ticks_ms

from micropython import const

from copepod.assistant import request
from copepod.assistant.window import Connection, Count
from copepod.net import http_connect
from copepod.once import forget

forget("copepod.assistant.request")
forget("copepod.net.http_connect")

_TYPING_MS = const(2000)  # longest that this may keep the question waiting
_LEAVE_MS = const(20)  # how often to look whether Telegram's connection can be closed


async def send(asking, tools):
    """Send the request over `asking.http`, which is made, and opened, if need be."""
    model = asking.model
    http = asking.http
    if http is None or not http.alive():
        http = await _connected(asking)
    # First counted, then sent: nothing else runs meanwhile.
    count = Count(http)
    request.write(count, model, asking.session, tools)
    asking.asked_b = count.total_b()
    request.head(http, model, asking.asked_b)
    request.write(http, model, asking.session, tools)
    http.sent()


async def _connected(asking):
    model = asking.model
    context = None
    if model.tls:
        await _make_room(asking)
        context = _context(model.ca)
    http = asking.http
    if http is None:
        http = http_connect.prepare(Connection(), model.host, model.port)
        asking.http = http
    http.tls = context
    gc.collect()  # what TLS will need should be in one piece
    await http_connect.connect(http)
    return http


async def _make_room(asking):
    # Telegram's connection is closed as soon as no call is on its way; before that the chat sees that it types.
    channel = asking.gateway.channel
    if asking.http is None and channel.http.is_open():
        channel.typing_since = asking.gateway.worker.since_ms
        channel.typing_at = began_ms = ticks_ms()
        asking.gateway.wake_channel.set()
        while channel.typing_at == began_ms:
            if ticks_diff(ticks_ms(), began_ms) > _TYPING_MS:
                break
            await asyncio.sleep_ms(_LEAVE_MS)
    asking.model.begun = True
    while channel.state != "waiting" and channel.http.is_open():
        if asking.left_ms() <= 0:
            raise OSError("the Telegram connection is busy")
        await asyncio.sleep_ms(_LEAVE_MS)
    channel.http.close()


def _context(path):
    from copepod.net import tls

    forget("copepod.net.tls")
    with open(path, "rb") as file:
        return tls.context(tls.split_der(file.read()))
