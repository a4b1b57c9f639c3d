"""Makes a Client and opens its connection: see http.py. Memory: dropped after use."""

import errno
import select
import socket
from time import ticks_add, ticks_ms

from micropython import const

from copepod.net.wait import READ, WRITE
from copepod.net.waiter import Until, new_waiter
from copepod.once import forget

forget("copepod.net.waiter")

_LOOK_MS = const(100)  # until TLS is up it nearly always waits for the server; a look now and then serves the rest


def prepare(client, host, port, tls=None):
    """Give a new client its windows and its fields; returns it."""
    client.host = host
    client.port = port
    client.tls = tls
    client.connections = 0  # opened so far
    client.requests = 0
    client.buffer = bytearray(client.WINDOW_B)
    client.start = client.end = 0  # the body bytes that fill() found
    client._view = memoryview(client.buffer)
    client._tx = bytearray(client.WINDOW_B)
    client._n = 0
    client._path = None  # the path that stands in the window
    name = host if port == 443 or port == 80 else host + ":" + str(port)
    client._head = (
        b" HTTP/1.1\r\nHost: " + name.encode() + b"\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n12345"  # the place of the size line
    )
    client._socket = client._raw = client._waiter = None
    client._big = client._big_text = None  # the last large int that was written
    client._stop = StopIteration()  # what an await is told: nothing, or the value that is usual
    client._stop_200 = StopIteration(200)
    client._stop_true = StopIteration(True)
    client.close()
    return client


async def connect(client, first=b"P"):
    """Open the connection of `client`, TLS handshake included; an open one is closed before.

    `first` is the first byte of the request that will follow. Each address of the host is tried for CONNECT_MS.
    getaddrinfo blocks, everything else lets other tasks run.
    Allocates about 1 kB. OSError, or ValueError for a certificate, when none can be reached.
    """
    client.close()
    found = socket.getaddrinfo(client.host, client.port, 0, socket.SOCK_STREAM)
    while True:
        try:
            await _open(client, found.pop(0), ticks_add(ticks_ms(), client.CONNECT_MS), first)
            break
        except OSError:
            client.close()
            if not found:
                raise
    client.connections += 1


async def _open(client, info, deadline, first):
    client._raw = client._socket = raw = socket.socket(info[0], info[1], info[2])
    raw.setblocking(False)
    # IPPROTO_TCP, TCP_NODELAY (lwIP alone has a number of its own for it): the last part of a request does not wait
    # for the acknowledgement of the part before it, which servers delay by 40 ms.
    try:
        raw.setsockopt(6, getattr(socket, "TCP_NODELAY", 1), 1)
    except OSError:
        pass  # a port that can't
    try:
        raw.connect(info[-1])
    except OSError as error:
        if error.errno != errno.EINPROGRESS:
            raise
    # The raw socket is what is polled, also under TLS: it has a file number, so that a Unix poll() sleeps instead of
    # asking every millisecond. TLS may hold bytes that it already read, so each wait comes after a read that found
    # nothing.
    client._waiter = waiter = new_waiter(raw)
    poll = select.poll()
    poll.register(raw, WRITE)
    while not poll.poll(0):
        await Until(waiter, WRITE, deadline)
    if client.tls is not None:
        client._socket = client.tls.wrap_socket(
            raw, server_hostname=client.host, do_handshake_on_connect=False
        )
    # The first byte of the first request drives the handshake: a write is done once TLS is.
    while not client._socket.write(first):
        await Until(waiter, READ, deadline, _LOOK_MS)
    client._primed = 1


def hurry(client):
    """Let response() raise ETIMEDOUT now, if nothing of the answer has come; False if it has."""
    if client._waiter is None or client._framing or client._head_b or client._at != client._limit:
        return False
    client._deadline = client._waiter.deadline = ticks_ms()
    return True
