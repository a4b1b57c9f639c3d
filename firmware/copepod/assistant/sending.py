"""Connects to the model and sends a request. Memory: dropped after use.

With https:// the Telegram connection is closed for it: there is room for one TLS session. With http:// it stays.
"""

import asyncio
import gc
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.assistant.request import Count, head, write
from copepod.assistant.window import Connection
from copepod.net import http_connect
from copepod.once import forget

forget("copepod.assistant.request")
forget("copepod.net.http_connect")

_TYPING_MS = const(2000)  # longest that this may keep the question waiting
_SHOWN_MS = const(20)  # at whether that was shown


async def send(asking, tools):
    """Send the request over `asking.http`, which is made, and opened, if need be."""
    model = asking.model
    endpoint = asking.endpoint
    http = asking.http
    if http is None or not http.alive():
        http = await _connected(asking)
    # First counted, then sent: nothing else runs meanwhile.
    count = Count(http)
    write(count, model, endpoint, asking.session, tools)
    asking.asked_b = count.total_b()
    head(http, endpoint, asking.asked_b)
    write(http, model, endpoint, asking.session, tools)
    http.sent()


async def _connected(asking):
    endpoint = asking.endpoint
    context = None
    if endpoint.tls:
        await _show_typing(asking)
        from copepod.assistant import alone

        forget("copepod.assistant.alone")
        deadline = ticks_add(ticks_ms(), asking.left_ms())
        context = await alone.context(asking.gateway, endpoint.ca, deadline)
        del alone
    http: "Any" = asking.http
    if http is None:
        http = http_connect.prepare(Connection(), endpoint.host, endpoint.port)
        http._head = None  # of all requests, which request.py writes anew
        asking.http = http
    http.tls = context
    http.CONNECT_MS = min(Connection.CONNECT_MS, asking.silence_ms())
    gc.collect()  # what TLS will need should be in one piece
    await http_connect.connect(http)
    return http


async def _show_typing(asking):
    # Before Telegram is left the chat sees that its question is worked on.
    channel = asking.gateway.channel
    if asking.http is None and channel.http.is_open() and asking.msg.kind != "callback":
        channel.typing_since = asking.gateway.worker.since_ms
        channel.typing_at = began_ms = ticks_ms()
        asking.gateway.wake_channel.set()
        while channel.typing_at == began_ms:
            if ticks_diff(ticks_ms(), began_ms) > _TYPING_MS:
                break
            await asyncio.sleep_ms(_SHOWN_MS)
