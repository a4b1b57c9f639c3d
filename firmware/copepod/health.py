"""GET /health, /ready, /metrics for probes and Prometheus. Memory: 1 kB for each of 4 clients.

Imported only when gateway.health is true. A request is read through a 128-byte window; a client
has five seconds in all, whatever it does, and the answer ends with the connection.
"""

import asyncio
import os
from errno import ECONNRESET
from time import ticks_add, ticks_ms

from micropython import const

from copepod import memory
from copepod.log import log
from copepod.net.wait import READ, WRITE
from copepod.net.waiter import Until, new_waiter

_CLIENTS = const(4)
_DEADLINE_MS = const(5000)
_WINDOW_B = const(128)  # the request line must fit
_REQUEST_B = const(2048)
_PORT_TRIES = const(20)

_STATUS = {
    200: "200 OK",
    400: "400 Bad Request",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    431: "431 Request Header Fields Too Large",
    503: "503 Service Unavailable",
}


async def start(gateway):
    """Listen on gateway.host and gateway.port (0: a free one); return it, or None: there is none.

    The gateway does its work without this server too, so a port that is taken is only logged.
    """
    failure = None
    host = getattr(gateway.config, "gateway_host", "127.0.0.1")
    wanted = getattr(gateway.config, "gateway_port", 18790)
    server = _Server(gateway)
    for _ in range(1 if wanted else _PORT_TRIES):
        # MicroPython has no getsockname(): a port that is to be told must be chosen here.
        port = wanted or 49152 + (int.from_bytes(os.urandom(2), "little") & 0x3FFF)
        try:
            await asyncio.start_server(server.serve, host, port, _CLIENTS)
        except OSError as error:
            failure = error
            continue
        log("health", "http://", host, ":", port, "/health /ready /metrics")
        return port
    log("health", "can't listen on ", host, ":", wanted, ": ", failure, ": change gateway.port")
    return None


class _Server:
    def __init__(self, gateway):
        self.gateway = gateway
        self.clients = 0

    async def serve(self, stream, _):
        if self.clients >= _CLIENTS:
            stream.s.close()
            return
        self.clients += 1
        client = _Client(stream.s)
        try:
            await self._answer(client, await client.request())
        except OSError:
            pass  # gone or too slow
        finally:
            self.clients -= 1
            client.close()

    async def _answer(self, client, path):
        ready = self.gateway.channel.ready_once
        if isinstance(path, int):
            await client.head(path, "text/plain")
        elif path == b"/health":
            await client.head(200, "application/json")
            await client.write('{"status":"ok","uptime":%d}\n' % self.gateway.seconds)
        elif path == b"/ready":
            await client.head(200 if ready else 503, "application/json")
            await client.write('{"status":"ready"}\n' if ready else '{"status":"not ready"}\n')
        elif path == b"/metrics":
            await client.head(200, "text/plain; version=0.0.4")
            await self._metrics(client)
        else:
            await client.head(404, "text/plain")

    async def _metrics(self, client):
        gateway = self.gateway
        stats = gateway.stats
        await client.metric("uptime_seconds", gateway.seconds)
        await client.metric("updates_total", stats.received)
        await client.metric("messages_sent_total", stats.answered)
        await client.metric("errors_total", stats.errors)
        await client.metric("handler_errors_total", stats.handler_errors)
        await client.metric("backoffs_total", stats.backoffs)
        await client.metric("flood_waits_total", stats.flood_waits)
        await client.metric("repeats_total", stats.repeated)
        await client.metric("strangers_total", stats.strangers)
        await client.metric("connections_total", gateway.telemetry.connections)
        await client.metric("queue_high_water", gateway.bus.inbound.high_water)
        reading = memory.read()
        for index in range(len(memory.FIELDS)):
            if reading[index] is not None:
                await client.metric(memory.FIELDS[index] + "_bytes", reading[index])


class _Client:
    """One connection with one deadline for all that is read and written."""

    def __init__(self, sock):
        self.sock = sock
        self.waiter = new_waiter(sock)
        self.deadline = ticks_add(ticks_ms(), _DEADLINE_MS)

    def close(self):
        self.waiter.close()
        self.sock.close()

    async def request(self):
        # Read to the end of the headers; return the path (bytes), or the status of a refusal.
        buffer = bytearray(_WINDOW_B)
        view = memoryview(buffer)
        held = total = 0
        path = None
        while True:
            count = self.sock.readinto(view[held:])
            if count is None:
                await Until(self.waiter, READ, self.deadline)
                continue
            if count == 0:
                raise OSError(ECONNRESET)
            held += count
            total += count
            if path is None:
                end = buffer.find(b"\n", 0, held)
                if end >= 0:
                    parts = bytes(view[:end]).split()
                    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):
                        path = 400
                    else:
                        path = parts[1].split(b"?")[0] if parts[0] == b"GET" else 405
                elif held == _WINDOW_B:
                    path = 431
            if path is not None:
                if buffer.find(b"\r\n\r\n", 0, held) >= 0 or buffer.find(b"\n\n", 0, held) >= 0:
                    return path
                if total > _REQUEST_B:
                    return 431
                if held > 3:  # the end may be cut in two
                    buffer[0:3] = view[held - 3 : held]
                    held = 3

    async def write(self, text):
        view = memoryview(text)
        while len(view):
            count = self.sock.write(view)
            if count is None:
                await Until(self.waiter, WRITE, self.deadline)
            else:
                view = view[count:]

    async def head(self, status, kind):
        await self.write("HTTP/1.1 " + _STATUS[status] + "\r\nConnection: close\r\nContent-Type: ")
        await self.write(kind + "\r\n\r\n")
        if status >= 400 and status != 503:
            await self.write(_STATUS[status] + "\n")

    async def metric(self, name, value):
        kind = "counter" if name.endswith("_total") else "gauge"
        await self.write("# TYPE copepod_%s %s\ncopepod_%s %d\n" % (name, kind, name, value))
