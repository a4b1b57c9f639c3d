"""The HTTP client: requests to the byte, answers cut anywhere, limits, deadlines, garbage."""

import asyncio
import gc
import json
import os
import socket
import sys
from errno import ECONNREFUSED, ENOTCONN, ETIMEDOUT
from time import ticks_diff, ticks_ms

import asyncio.core as core
from copepod.net import asyncio_queue, http_connect
from copepod.net.http import Client

TOKEN = b"123456789:AAExampleExampleExampleExampleExam"
PATH = b"/bot" + TOKEN + b"/"
SLOW = int(os.getenv("COPEPOD_SLOW") or 1)  # an emulated processor: see tests/host/firmware/test_device.py
PORT = 41000 + ticks_ms() % 20000


class FakeSocket:
    """Gives `answer` in pieces of `cut` bytes, then its end or nothing more; keeps what is written."""

    def __init__(self, answer=b"", cut=0, close=False, gaps=True, accept=1 << 30):
        self.answer = memoryview(answer)
        self.cut = cut or len(answer) or 1
        self.ends = close
        self.gaps = gaps  # nothing is there before each piece
        self.gap = gaps
        self.accept = accept  # bytes a write takes; every second write takes none when it is small
        self.sent = b""
        self.writes = 0
        self.closed = False

    def readinto(self, buffer, most=1 << 30):
        if not len(self.answer):
            return 0 if self.ends else None
        if self.gap:
            self.gap = False
            return None
        n = min(self.cut, len(self.answer), len(buffer), most)
        buffer[:n] = self.answer[:n]
        self.answer = self.answer[n:]
        self.gap = self.gaps
        return n

    def write(self, buffer, offset, size):
        self.writes += 1
        if self.accept < 1 << 30 and self.writes % 2:
            return None
        n = min(size, self.accept)
        self.sent += bytes(buffer[offset : offset + n])
        return n

    def close(self):
        self.closed = True


class FakeWaiter:
    def park(self, events, deadline):
        next(core.sleep_ms(0))

    def close(self):
        pass


def client_on(fake):
    client = http_connect.prepare(Client(), "localhost", 8443)
    client._socket = client._raw = fake
    client._waiter = FakeWaiter()
    client._primed = 0
    return client


async def body_of(client, timeout_ms=10000):
    status = await client.response(timeout_ms * SLOW)
    body = b""
    while await client.fill():
        assert client.start < client.end
        if len(body) < 20000:
            body += bytes(client.buffer[client.start : client.end])
    assert not await client.fill()
    return status, body


def get(answer, cut=0, close=False):
    """What the client makes of the bytes `answer`: (status, body, connection still open)."""
    fake = FakeSocket(answer, cut, close)
    client = client_on(fake)

    async def main():
        status, body = await body_of(client)
        return status, body, not fake.closed

    return asyncio.run(main())


def everywhere(answer, expected, close=False):
    for cut in range(len(answer) + 1):
        found = get(answer, cut, close)
        assert found == expected, (cut, found)


def refused(answer, close=True):
    for cut in (0, 1 if len(answer) < 200 else 100, 7 if len(answer) < 200 else 150):
        try:
            found = get(answer, cut, close)
        except ValueError as error:
            assert "token" not in str(error)
            continue
        raise AssertionError((answer, found))


# Answers ---------------------------------------------------------------------------------------


def test_content_length():
    everywhere(
        b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\n"
        b'content-LENGTH:  11 \r\n\r\n{"ok":true}',
        (200, b'{"ok":true}', True),
    )
    everywhere(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", (200, b"hi", True))
    everywhere(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", (404, b"", True))


def test_chunked():
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n1;ext=1\r\n,\r\n0006\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
    )
    everywhere(answer, (200, b"hello, world", True))
    large = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n"
        + b"x" * 5000
        + b"\r\n0\r\n\r\n"
    )
    for cut in (0, 1, 1000, 1024, 1025):
        assert get(large, cut) == (200, b"x" * 5000, True)


def test_until_the_end_of_the_connection():
    everywhere(
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>no</html>", (502, b"<html>no</html>", False), True
    )
    everywhere(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", (200, b"hi", False))


def test_connection_close():
    everywhere(
        b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nhi", (200, b"hi", False)
    )
    # More than the answer: this connection can't be trusted any more.
    assert get(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200") == (
        200,
        b"hi",
        False,
    )


def test_answers_without_a_body():
    everywhere(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", (404, b"", True))
    everywhere(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (200, b"", True))
    everywhere(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        (200, b"hi", True),
    )


def test_limits():
    long_head = b"HTTP/1.1 200 OK\r\n" + b"X-Some-Header: and its value\r\n" * 60
    assert get(long_head + b"Content-Length: 2\r\n\r\nhi", 300) == (200, b"hi", True)
    for size in list(range(Client.WINDOW_B - 6, Client.WINDOW_B + 3)) + [3 * Client.WINDOW_B, 16000]:  # noqa: RUF005
        passed = b"HTTP/1.1 200 OK\r\nX: " + b"y" * size + b"\r\nContent-Length: 2\r\n\r\nhi"
        assert get(passed, 100) == (200, b"hi", True)
    refused(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 17000 + b"\r\nContent-Length: 2\r\n\r\nhi")
    refused(b"HTTP/1.1 200 " + b"y" * 2000 + b"\r\nContent-Length: 2\r\n\r\nhi")
    refused(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 3000 + b"\r\n")
    refused(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 900 + b"\r\n") * 30 + b"\r\n")
    refused(b"x" * 2000)
    refused(b"HTTP/1.1 100 Continue\r\n\r\n" * 200 + b"HTTP/1.1 200 OK\r\n\r\n" * 0)


def test_not_http():
    for answer in (
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 xyz\r\n\r\n",
        b"HTTP/1.1 2000000000000\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhi!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFF\r\n",
    ):
        refused(answer)


def test_cut_short():
    for answer in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"0123456789" * 2,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ):
        for end in range(len(answer)):
            refused(answer[:end])


def test_a_body_of_many_windows_lets_others_run():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    fake = FakeSocket(head + b"x" * 100000, 1000, gaps=False)
    client = client_on(fake)
    turns = [0]

    async def other():
        while True:
            turns[0] += 1
            await asyncio.sleep_ms(0)

    async def main():
        task = asyncio.create_task(other())
        size = 0
        assert await client.response(1000) == 200
        while await client.fill():
            size += client.end - client.start
        task.cancel()
        assert size == 100000

    asyncio.run(main())
    assert turns[0] >= 5, turns


# Requests --------------------------------------------------------------------------------------


def parse(raw):
    """Take a request apart: (request line, headers, body)."""
    head, body = raw.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    headers = {}
    for line in lines[1:]:
        name, value = line.split(b":", 1)
        assert name not in headers
        headers[name.lower()] = value.strip()
    assert headers[b"transfer-encoding"] == b"chunked" and b"content-length" not in headers
    whole = b""
    while True:
        size, body = body.split(b"\r\n", 1)
        size = int(str(size, "utf8"), 16)
        assert body[size : size + 2] == b"\r\n"
        whole += body[:size]
        body = body[size + 2 :]
        if not size:
            break
    assert body == b""
    return lines[0], headers, whole


def sent_by(write, accept=1 << 30):
    """The bytes of a request whose body `write(client)` writes."""
    fake = FakeSocket(accept=accept)
    client = client_on(fake)

    async def main():
        client.begin(PATH, b"sendMessage")
        write(client)
        await client.flush()

    asyncio.run(main())
    return fake.sent


def test_small_request():
    raw = sent_by(lambda client: client.write(b'{"limit":1}'))
    line, headers, body = parse(raw)
    assert line == b"POST " + PATH + b"sendMessage HTTP/1.1"
    assert headers[b"host"] == b"localhost:8443"
    assert headers[b"content-type"] == b"application/json"
    assert json.loads(body) == {"limit": 1}
    assert len(raw) < 250


def test_bodies_of_every_size():
    for size in list(range(700, 900)) + [1016, 1017, 1018, 2040, 5000]:
        text = "0123456789" * (size // 10) + "x" * (size % 10)

        def write(client):
            client.write(b'{"text":"')
            client.write_json(text.encode(), 0, len(text))
            client.write(b'","n":')
            client.write_int(7)
            client.write(b"}")

        body = parse(sent_by(write))[2]
        assert json.loads(body) == {"text": text, "n": 7}, size


def test_pieces_across_the_windows_end():
    for shift in range(90):

        def write(client):
            client.write(b'{"pad":"')
            client.write_json(b"p" * (770 + shift), 0, 770 + shift)
            client.write(b'","a":')
            client.write_int(-1234567890123)
            client.write(b',"text":"')
            data = 'q"\\\n\t\x01\x7f\xe9\u20ac\U0001f980'.encode()
            client.write_json(data, 0, len(data))
            client.write('","str":"ascii"}')

        _, _, body = parse(sent_by(write))
        found = json.loads(body)
        assert found["a"] == -1234567890123 and found["str"] == "ascii"
        assert found["text"] == 'q"\\\n\t\x01\x7f\xe9\u20ac\U0001f980', shift


def test_every_byte_is_escaped():
    text = "".join(chr(c) for c in range(256))
    data = text.encode()

    def write(client):
        client.write(b'"')
        client.write_json(data, 0, 100)
        client.write_json(memoryview(data), 100, len(data))
        client.write(b'"')

    assert json.loads(parse(sent_by(write))[2]) == text


def test_integers():
    numbers = [
        0,
        7,
        10,
        99,
        100,
        -1,
        2**29 - 1,
        2**29,
        2**31,
        -(2**29),
        4503599627370495,
        -1002147483647,
        2**63,
    ]

    def write(client):
        client.write(b"[0")
        for number in numbers + numbers:
            client.write(b",")
            client.write_int(number)
        client.write(b"]")

    assert json.loads(parse(sent_by(write))[2]) == [0] + numbers + numbers


def test_a_socket_that_takes_little():
    def write(client):
        client.write(b'{"text":"')
        client.write_json(b"0123456789" * 300, 0, 3000)
        client.write(b'"}')

    for accept in (7, 100, 1000):
        assert len(json.loads(parse(sent_by(write, accept))[2])["text"]) == 3000


def test_second_request_and_another_path():
    fake = FakeSocket()
    client = client_on(fake)

    async def main():
        for path, size in ((PATH, 3), (PATH, 3), (b"/other/", 3), (PATH, 3000), (PATH, 3)):
            fake.sent = b""
            fake.answer = memoryview(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            fake.cut = 100
            fake.gap = True
            client.begin(path, b"x")
            client.write(b'"')
            client.write_json(b"b" * size, 0, size)
            client.write(b'"')
            await client.flush()
            line, _, body = parse(fake.sent)
            assert line == b"POST " + path + b"x HTTP/1.1", line
            assert json.loads(body) == "b" * size
            assert await body_of(client) == (200, b"hi")

    asyncio.run(main())
    assert client.requests == 5


def test_a_head_that_does_not_fit():
    client = client_on(FakeSocket())
    try:
        client.begin(b"/" * 1100, b"x")
        raise AssertionError("accepted")
    except ValueError as error:
        assert "//" not in str(error)


def test_a_piece_that_does_not_fit():
    client = client_on(FakeSocket())
    client.begin(PATH, b"x")
    client.write(b"x" * (client.WINDOW_B // 2))
    try:
        client.write(b"x" * (client.WINDOW_B // 2 + 1))
        raise AssertionError("accepted")
    except ValueError as error:
        assert "xx" not in str(error)


def test_nothing_to_write_to():
    client = http_connect.prepare(Client(), "localhost", 1)
    client.begin(PATH, b"x")
    try:
        client.write_json(b"x" * 2000, 0, 2000)
        raise AssertionError("accepted")
    except OSError as error:
        assert error.errno == ENOTCONN


# Over real sockets -----------------------------------------------------------------------------


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
