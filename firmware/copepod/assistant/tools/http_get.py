"""The tool http_get. Memory: dropped after use; a connection's two windows and a kilobyte meanwhile."""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.assistant.window import Connection
from copepod.net import http_connect
from copepod.once import forget

_MOST_B = const(900)
_FARTHEST_B = const(262144)
_WHOLE_MS = const(10000)


async def run(gateway, url: str, offset: int = 0):
    """Get up to 900 bytes of what an HTTP address says.

    url: such as http://home.local:8123/api/states, at one of the hosts that the owner has listed
    offset: the byte to begin at
    """
    tls, host, port, path = _parts(gateway.config.model, url)
    if type(offset) is not int or not 0 <= offset <= _FARTHEST_B:
        raise ValueError("offset: a whole number up to %d" % _FARTHEST_B)
    deadline = ticks_add(ticks_ms(), _WHOLE_MS)
    http: "Any" = http_connect.prepare(Connection(), host, port)
    http.CONNECT_MS = _WHOLE_MS
    try:
        if tls:
            from copepod.assistant import alone

            forget("copepod.assistant.alone")
            http.tls = await alone.context(gateway, gateway.config.model.hosts_ca, deadline)
        await http_connect.connect(http, b"G")
        return await _got(http, path, offset, deadline)
    except (OSError, ValueError) as error:
        raise ValueError("%s can't be asked: %s" % (host, error))
    finally:
        http.close()
        http.tls = None
        forget("copepod.net.http_connect")
        if tls:
            gateway.config.model.begun = False
            gateway.wake_channel.set()


def _parts(model, url):
    # What the address consists of; ValueError unless its host is listed.
    scheme, _, rest = url.partition("://") if type(url) is str else ("", "", "")
    if scheme not in ("http", "https"):
        raise ValueError("url: an address such as http://192.168.1.5/status")
    at = len(rest)
    for mark in "/?#":
        found = rest.find(mark)
        if 0 <= found < at:
            at = found
    place = rest[:at].lower()
    path = rest[at:].partition("#")[0]
    if place not in [host.lower() for host in model.hosts]:
        raise ValueError(
            "the owner has not listed this host; listed are: " + ", ".join(model.hosts)
        )
    if path[:1] != "/":
        path = "/" + path
    if len(path) > 240:
        raise ValueError("url: the path is too long")
    for byte in path.encode():
        if not 32 < byte < 127:
            raise ValueError("url: write %-codes for blanks and other characters")
    host, colon, port = place.partition(":")
    tls = scheme == "https"
    if tls and not model.hosts_ca:
        raise ValueError("the owner has given no root certificate for https://")
    return tls, host, int(port) if colon else 443 if tls else 80, path


async def _got(http, path, offset, deadline):
    http.begin_head()
    http.write(b"GET ")
    http.write(path)
    http.write(b" HTTP/1.1\r\nHost: ")
    http.write(http.host)
    if http.port != 443 and http.port != 80:
        http.write(b":")
        http.write_int(http.port)
    http.write(b"\r\nAccept: */*\r\nUser-Agent: Copepod\r\nConnection: close\r\n\r\n")
    http.sent()
    status = await http.response(max(0, ticks_diff(deadline, ticks_ms())))
    http.silence(deadline)
    data = bytearray()
    more = False
    while await http.fill():
        n = http.end - http.start
        skip = min(offset, n)
        offset -= skip
        room = _MOST_B - len(data)
        data.extend(
            memoryview(http.buffer)[http.start + skip : http.start + skip + min(n - skip, room)]
        )
        if n - skip > room:
            more = True
            break
    from copepod.net import json_text

    text = json_text.text(data, 0, len(data), len(data), True)
    return "%sstatus %d\n\n%s%s" % (
        "" if status == 200 else "not what was asked for: ",
        status,
        text,
        "\n(more follows)" if more else "",
    )
