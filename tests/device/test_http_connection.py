"""The HTTP client over real sockets: connections kept and lost, addresses, deadlines, and what it costs."""

import asyncio
import gc
import socket
import sys
from errno import ECONNREFUSED, ETIMEDOUT
from time import ticks_diff, ticks_ms

from copepod.net import asyncio_queue, http_connect
from copepod.net.http import Client
from fakes.http import PATH, SLOW, TOKEN, body_of

PORT = 41000 + ticks_ms() % 20000


class Server:
    """Serves each connection with `script(reader, writer)`; requests() are what it read."""

    def __init__(self, script):
        self.script = script
        self.connections = 0

    async def start(self):
        global PORT
        while True:
            PORT += 1
            try:
                self.server = await asyncio.start_server(self.serve, "127.0.0.1", PORT)
                break
            except OSError:
                pass
        self.port = PORT
        return self

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            await self.script(reader, writer, self.connections)
        except (OSError, EOFError):
            pass
        writer.close()
        await writer.wait_closed()

    async def stop(self):
        self.server.close()
        await self.server.wait_closed()


async def read_request(reader):
    """Read one chunked request; returns its first line, b"" when the client has gone."""
    first = line = await reader.readline()
    while line and line != b"\r\n":
        line = await reader.readline()
    while line:
        size = int(str(await reader.readline(), "utf8"), 16)
        await reader.readexactly(size + 2)
        if not size:
            break
    return first


OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


async def post(client, body=b"{}", timeout_ms=10000):
    if not client.alive():
        await http_connect.connect(client)
    client.begin(PATH, b"getMe")
    client.write(body)
    await client.flush()
    return await body_of(client, timeout_ms)


def serving(script, test, install=True):
    """Run test(client) against a server that serves every connection with `script`."""

    async def main():
        server = await Server(script).start()
        client = http_connect.prepare(Client(), "127.0.0.1", server.port)
        try:
            await test(client, server)
        finally:
            client.close()
            await server.stop()

    asyncio.new_event_loop()
    if install:
        assert asyncio_queue.install()
    try:
        asyncio.run(main())
    finally:
        asyncio.new_event_loop()


async def keep_alive(reader, writer, number):
    while await read_request(reader):
        writer.write(OK)
        await writer.drain()


def test_one_connection_serves_many_requests():
    async def test(client, server):
        await http_connect.connect(client)
        for _ in range(20):
            assert await post(client) == (200, b'{"ok":true}')
        assert client.connections == server.connections == 1
        assert client.requests == 20

    serving(keep_alive, test)
    serving(keep_alive, test, install=False)


def test_a_connection_that_the_server_closed_is_opened_again():
    async def once(reader, writer, number):
        await read_request(reader)
        writer.write(OK)
        await writer.drain()

    async def test(client, server):
        for i in range(3):
            assert await post(client) == (200, b'{"ok":true}')
            await asyncio.sleep_ms(20)
        assert client.connections == server.connections == 3

    serving(once, test)


def failing(script, errno=None, timeout_ms=10000):
    """The error that a request ends with, and after how many ms."""
    found = []

    async def test(client, server):
        started = ticks_ms()
        try:
            await post(client, timeout_ms=timeout_ms)
        except (OSError, ValueError) as error:
            assert TOKEN.decode() not in str(error)
            found.append(error)
            found.append(ticks_diff(ticks_ms(), started))

    serving(script, test)
    assert found, "no error"
    if errno is not None:
        assert found[0].errno == errno, found
    return found


def test_the_server_goes_away_before_the_answer():
    async def rude(reader, writer, number):
        await read_request(reader)

    assert isinstance(failing(rude)[0], ValueError)


def test_deadline_of_a_silent_server():
    async def silent(reader, writer, number):
        await read_request(reader)
        await asyncio.sleep_ms(1000)

    _, elapsed_ms = failing(silent, ETIMEDOUT, 150 // SLOW)
    assert 140 <= elapsed_ms < 8000


def test_deadline_of_a_server_that_drips():
    async def dripping(reader, writer, number):
        await read_request(reader)
        for c in OK:
            writer.write(bytes([c]))
            await writer.drain()
            await asyncio.sleep_ms(20)

    _, elapsed_ms = failing(dripping, ETIMEDOUT, 200 // SLOW)
    assert 190 <= elapsed_ms < 8000


def test_deadline_of_a_body_that_never_ends():
    async def endless(reader, writer, number):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 100)
            await writer.drain()

    _, elapsed_ms = failing(endless, ETIMEDOUT, 200 // SLOW)
    assert 190 <= elapsed_ms < 8000


def test_refused():
    async def test(client, server):
        await server.stop()
        started = ticks_ms()
        try:
            await http_connect.connect(client)
            raise AssertionError("connected")
        except OSError as error:
            assert error.errno == ECONNREFUSED
        assert client.connections == 0
        assert ticks_diff(ticks_ms(), started) < 8000
        server.server = (await Server(keep_alive).start()).server

    serving(keep_alive, test)


def test_each_address_has_its_time():
    class Resolver:
        """Puts an address that never answers before the real one."""

        def __init__(self, silent):
            self.silent = silent
            self.socket = socket.socket
            self.SOCK_STREAM = socket.SOCK_STREAM

        def getaddrinfo(self, host, port, family, kind):
            found = socket.getaddrinfo(host, port, family, kind)
            return socket.getaddrinfo(host, self.silent, family, kind) + found

    async def test(client, server):
        full = socket.socket()
        port = server.port + 1
        while True:
            try:
                full.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
                break
            except OSError:
                port += 1
        full.listen(0)
        waiting = []
        for _ in range(4):  # with its queue full, a listening socket answers no more
            other = socket.socket()
            other.setblocking(False)
            try:
                other.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            except OSError:
                pass
            waiting.append(other)
        http_connect.socket = Resolver(port)
        client.CONNECT_MS = 150
        started = ticks_ms()
        try:
            await http_connect.connect(client)
        finally:
            http_connect.socket = socket
            for other in waiting:
                other.close()
            full.close()
        assert 140 <= ticks_diff(ticks_ms(), started) < 8000
        assert await post(client) == (200, b'{"ok":true}')

    serving(keep_alive, test)


def test_a_server_that_does_not_read():
    async def deaf(reader, writer, number):
        await asyncio.sleep_ms(3000)

    async def test(client, server):
        client.STALL_MS = 100
        await http_connect.connect(client)
        started = ticks_ms()
        client.begin(PATH, b"x")
        part = b"x" * (client.WINDOW_B // 2)
        try:
            for _ in range(100000):
                client.write(part)
            raise AssertionError("took it all")
        except OSError as error:
            assert error.errno == ETIMEDOUT
        assert ticks_diff(ticks_ms(), started) < 8000  # the buffers in between are filled first

    serving(deaf, test)


def test_a_long_request_does_not_wait_for_delayed_acknowledgements():
    async def test(client, server):
        text = b"x" * 3000
        await http_connect.connect(client)
        times_ms = []
        for _ in range(30):
            started = ticks_ms()
            client.begin(PATH, b"x")
            client.write(b'"')
            client.write_json(text, 0, 3000)
            client.write(b'"')
            await client.flush()
            await body_of(client)
            times_ms.append(ticks_diff(ticks_ms(), started))
        times_ms.sort()
        assert SLOW > 1 or times_ms[5] < 35, times_ms  # 40 ms and more without TCP_NODELAY

    serving(keep_alive, test)


def test_closing_twice_and_unused():
    client = http_connect.prepare(Client(), "localhost", 1)
    client.close()
    client.close()
    assert not client.alive()


def test_garbage_of_a_request():
    async def test(client, server):
        body = b'{"chat_id":7000000001,"text":"' + b"x" * 60 + b'"}'

        async def rounds(count):
            for _ in range(count):
                client.begin(PATH, b"sendMessage")
                client.write(body)
                await client.flush()
                status = await client.response(2000)
                assert status == 200
                while await client.fill():
                    pass

        await http_connect.connect(client)
        await rounds(5)
        gc.collect()
        gc.disable()
        before_b = gc.mem_alloc()
        await rounds(100)
        both_b = gc.mem_alloc() - before_b
        gc.enable()
        return both_b

    async def measured(client, server):
        grown.append(await test(client, server))

    # The server runs in this heap too: it is told apart by answering without a request.
    grown = []

    async def canned(reader, writer, number):
        window = bytearray(4096)
        while True:
            while writer.s.readinto(window) is None:
                await asyncio.sleep_ms(0)
            writer.s.write(OK)

    serving(canned, measured)
    per_request_b = grown[0] / 100
    print("  %d B a request, connection kept" % per_request_b)
    assert per_request_b <= (80 if sys.maxsize > 1 << 31 else 48), grown


def test_a_new_connection_leaves_nothing():
    async def once(reader, writer, number):
        await read_request(reader)
        writer.write(OK)
        await writer.drain()

    async def test(client, server):
        sizes = []
        for i in range(40):
            await post(client)
            await asyncio.sleep_ms(5)
            if i in (9, 39):
                for _ in range(3):
                    await asyncio.sleep_ms(5)
                    gc.collect()
                sizes.append(gc.mem_alloc())
        assert sizes[1] - sizes[0] < 1024, sizes

    serving(once, test)
