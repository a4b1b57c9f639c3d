"""The HTTP client's answers: each form of a body cut anywhere, limits, garbage, and that others run meanwhile."""

import asyncio

from copepod.net.http import Client
from fakes.http import FakeSocket, body_of, client_on


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
