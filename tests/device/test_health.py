"""The health server over real sockets: answers, refusals, limits, clients that are too slow."""

import asyncio
import socket
import time

from copepod import health, memory
from copepod import parts
from copepod.net import asyncio_queue
from copepod.stats import Stats


class FakeConfig:
    gateway_host = "127.0.0.1"
    gateway_port = 0


class FakeTelemetry:
    connections = 1


class FakeChannel:
    ready_once = False


class FakeGateway:
    def __init__(self):
        self.config = FakeConfig()
        self.telemetry = FakeTelemetry()
        self.channel = FakeChannel()
        self.stats = Stats()
        self.bus = parts.bus(4, 1024)
        self.seconds = 93


async def exchange(port, request):
    # Send, read to the end of the connection.
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    for part in request:
        try:
            writer.write(part)
            await writer.drain()
        except OSError:  # refused before all of it was sent
            break
        await asyncio.sleep_ms(1)
    while True:
        try:
            data = await reader.read(512)
        except OSError:  # closed with something unread: a reset
            break
        if not data:
            break
        answer += data
    writer.close()
    return answer


def run(test, gateway=None):
    async def main():
        asyncio_queue.install()
        port = await health.start(gateway or FakeGateway())
        assert port
        await test(port)

    asyncio.new_event_loop()
    asyncio.run(main())


def get(path):
    return [b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n"]


def test_health_says_ok_and_uptime():
    async def test(port):
        answer = await exchange(port, get(b"/health"))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer
        assert b"\r\nContent-Type: application/json\r\n" in answer, answer
        assert answer.endswith(b'\r\n\r\n{"status":"ok","uptime":93}\n'), answer

    run(test)


def test_ready_is_503_until_the_first_poll():
    gateway = FakeGateway()

    async def test(port):
        gateway.channel.ready_once = False
        assert (await exchange(port, get(b"/ready"))).startswith(b"HTTP/1.1 503 ")
        gateway.channel.ready_once = True
        assert (await exchange(port, get(b"/ready?now"))).startswith(b"HTTP/1.1 200 ")

    run(test, gateway)


def test_metrics_are_prometheus_text():
    gateway = FakeGateway()
    gateway.stats.received = 7
    gateway.stats.backoffs = 2

    async def test(port):
        answer = await exchange(port, get(b"/metrics"))
        head, body = answer.split(b"\r\n\r\n", 1)
        assert b"text/plain; version=0.0.4" in head
        values = {}
        lines = body.decode().split("\n")
        assert lines.pop() == ""
        for index in range(0, len(lines), 2):
            _, word, name, kind = lines[index].split(" ")
            assert word == "TYPE" and kind == ("counter" if name.endswith("_total") else "gauge")
            told, value = lines[index + 1].split(" ")
            assert told == name
            values[name] = int(value)
        assert values["copepod_updates_total"] == 7
        assert values["copepod_backoffs_total"] == 2
        assert values["copepod_uptime_seconds"] == 93
        assert values["copepod_gc_used_bytes"] > 1000
        assert len([name for name in memory.FIELDS if "copepod_" + name + "_bytes" in values]) >= 3

    run(test, gateway)


def test_refusals():
    async def test(port):
        cases = (
            (get(b"/"), b"404"),
            ([b"POST /health HTTP/1.1\r\n\r\n"], b"405"),
            ([b"hello\r\n\r\n"], b"400"),
            ([b"GET /health SPDY/3\r\n\r\n"], b"400"),
            ([b"GET /" + b"x" * 200 + b" HTTP/1.1\r\n\r\n"], b"431"),
        )
        for request, status in cases:
            answer = await exchange(port, request)
            assert answer.startswith(b"HTTP/1.1 " + status), (request, answer)

    run(test)


def test_request_in_single_bytes_and_long_headers():
    async def test(port):
        request = b"GET /health HTTP/1.1\r\nA: " + b"b" * 300 + b"\r\n\r\n"
        parts = [request[i : i + 1] for i in range(len(request))]
        assert (await exchange(port, parts)).startswith(b"HTTP/1.1 200 ")
        bare = [b"GET /health HTTP/1.1\nHost: x\n\n"]
        assert (await exchange(port, bare)).startswith(b"HTTP/1.1 200 ")

    run(test)


def test_endless_headers_are_cut_off():
    async def test(port):
        parts = [b"GET /health HTTP/1.1\r\n"] + [b"A: " + b"b" * 100 + b"\r\n"] * 40
        answer = await exchange(port, parts[:25])
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431"), answer

    run(test)


def test_slow_clients_are_dropped_and_the_next_is_served():
    saved = health.ticks_add
    health.ticks_add = lambda now, ms: saved(now, 200)  # the deadline, shortened

    async def test(port):
        slow = []
        for _ in range(4):
            sock = socket.socket()
            sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            sock.send(b"GET /hea")
            slow.append(sock)
        await asyncio.sleep_ms(50)
        assert await exchange(port, get(b"/health")) == b""  # all places are taken: closed at once
        await asyncio.sleep_ms(300)
        for sock in slow:
            sock.setblocking(False)
            assert sock.recv(10) == b""  # closed by the server
            sock.close()
        assert (await exchange(port, get(b"/health"))).startswith(b"HTTP/1.1 200 ")

    try:
        run(test)
    finally:
        health.ticks_add = saved


def test_a_taken_port_is_logged_and_nothing_else_fails():
    async def test(port):
        gateway = FakeGateway()
        gateway.config.gateway_port = port
        assert await health.start(gateway) is None

    run(test)


def test_a_hundred_requests_leave_nothing():
    import gc

    async def test(port):
        request = get(b"/metrics")
        for count in range(120):
            await exchange(port, request)
            if count == 20:
                await asyncio.sleep_ms(5)
                gc.collect()
                before_b = gc.mem_alloc()
        await asyncio.sleep_ms(5)
        gc.collect()
        # Less than one object for each: one client's may still be found on the stack.
        assert gc.mem_alloc() - before_b < 1024, gc.mem_alloc() - before_b

    started = time.ticks_ms()
    run(test)
    assert time.ticks_diff(time.ticks_ms(), started) < 20000
