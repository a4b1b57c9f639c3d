"""The HTTP client's requests, to the byte: heads, bodies of every size, escapes, sockets that take little."""

import asyncio
import json
from errno import ENOTCONN

from copepod.net import http_connect
from copepod.net.http import Client
from fakes.http import PATH, FakeSocket, body_of, client_on


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
