"""HTTP/1.1 by hand, server side, so that what goes wrong can be chosen to the byte.

`read_request` is strict: what a real front end would refuse raises BadRequest, so that a client
under test learns of it. `encode` builds an answer whole; how it is sent is the server's business.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from host_tools.simulator.files import MAX_UPLOAD_B, BadForm, parse

MAX_LINE = 8192
MAX_HEADERS = 64
MAX_BODY = MAX_UPLOAD_B + (1 << 20)  # a file of that size and what goes with it

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class BadRequest(Exception):
    """The client broke HTTP; the connection is closed after saying so."""


class TooLarge(Exception):
    """A body that no front end takes: 413, and the connection is closed."""


@dataclass
class Request:
    """One request, its body decoded into parameters."""

    verb: str
    path: str
    headers: dict[str, str]
    params: dict[str, Any]
    body: bytes
    keep_alive: bool


@dataclass
class Response:
    """One answer, before it is written."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    updates: list[Any] | None = None  # getUpdates: rendered later, since their bytes are tested


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError:
        raise BadRequest("a line is longer than 8192 bytes") from None
    if len(line) > MAX_LINE:
        raise BadRequest("a line is longer than 8192 bytes")
    return line[:-2]


async def read_head(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection without its body, or None at its orderly end.

    Raises BadRequest, and asyncio.IncompleteReadError when the client left in the middle.
    """
    try:
        first = await _line(reader)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    parts = first.split(b" ")
    if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise BadRequest(f"request line {first[:60]!r}")
    headers: dict[str, str] = {}
    while line := await _line(reader):
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise BadRequest(f"header line {line[:60]!r}")
        if len(headers) >= MAX_HEADERS:
            raise BadRequest("more than 64 headers")
        headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
    if "host" not in headers and parts[2] == b"HTTP/1.1":
        raise BadRequest("no Host header")
    verb = parts[0].decode("latin-1")
    url = urlsplit(parts[1].decode("latin-1"))
    wish = headers.get("connection", "").lower()
    keep = wish != "close" if parts[2] == b"HTTP/1.1" else wish == "keep-alive"
    params = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(verb, unquote(url.path), headers, params, b"", keep)


async def read_body(reader: asyncio.StreamReader, request: Request) -> None:
    """Read the body of a request and what it says. Raises as read_head does."""
    request.body = await _body(reader, request.headers)
    request.params.update(_decode(request.body, request.headers.get("content-type", "")))


async def read_some(reader: asyncio.StreamReader, request: Request, size: int | None) -> None:
    """Read so many bytes of a body; without `size` the half of one whose length is known."""
    half = int(request.headers.get("content-length", "2")) // 2
    request.body = await reader.readexactly(half if size is None else min(half, size))


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    coding = headers.get("transfer-encoding", "").lower()
    length = headers.get("content-length")
    if coding and length is not None:
        raise BadRequest("both Content-Length and Transfer-Encoding")
    if coding:
        if coding != "chunked":
            raise BadRequest(f"transfer coding {coding!r}")
        return await _chunks(reader)
    if length is None:
        return b""
    if length.isdigit() and int(length) > MAX_BODY:
        raise TooLarge
    if not length.isdigit():
        raise BadRequest(f"Content-Length {length!r}")
    return await reader.readexactly(int(length))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size_text = (await _line(reader)).partition(b";")[0].strip()
        try:
            size = int(size_text, 16)
        except ValueError:
            raise BadRequest(f"chunk size {size_text!r}") from None
        if size < 0 or len(body) + size > MAX_BODY:
            raise BadRequest(f"chunk size {size_text!r}")
        if size == 0:
            while await _line(reader):
                pass
            return bytes(body)
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise BadRequest("a chunk does not end where its size says")


def _decode(body: bytes, content_type: str) -> dict[str, Any]:
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/json":
        try:
            value = json.loads(body)
        except ValueError as error:  # UnicodeDecodeError is one of them
            raise BadRequest(f"body is no JSON: {error}") from None
        if not isinstance(value, dict):
            raise BadRequest("body is JSON, but no object")
        return value
    if kind == "multipart/form-data":
        try:
            return dict(parse(body, content_type))
        except BadForm as error:
            raise BadRequest(f"multipart: {error}") from None
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    raise BadRequest(f"Content-Type {content_type!r}")


def head(response: Response, *, length: int | None, close: bool = False) -> bytes:
    """Status line and headers; `length` None leaves the length out."""
    lines = [
        f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}",
        "Server: nginx/1.18.0",
        f"Content-Type: {response.content_type}",
        "Connection: " + ("close" if close else "keep-alive"),
    ]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# Sizes that put chunk borders anywhere, one-byte chunks included.
ODD_SIZES = (1, 2, 3, 1, 7, 64, 5, 255, 1, 1021)


def chunked(body: bytes) -> bytes:
    """The body as odd chunks with extensions, upper and lower case sizes and a trailer."""
    out = bytearray()
    at = turn = 0
    while at < len(body):
        size = min(ODD_SIZES[turn % len(ODD_SIZES)], len(body) - at)
        number = f"{size:X}" if turn % 2 else f"{size:04x}"
        extension = ";name=value" if turn % 3 == 0 else ""
        out += f"{number}{extension}\r\n".encode() + body[at : at + size] + b"\r\n"
        at += size
        turn += 1
    return bytes(out) + b"0\r\nX-Trailer: yes\r\n\r\n"


def ok(result: Any) -> Response:
    """`{"ok":true,"result":…}` in the server's compact form."""
    return Response(200, _json({"ok": True, "result": result}))


def failure(code: int, description: str, **parameters: Any) -> Response:
    """`{"ok":false,"error_code":…}`, with `parameters` when there are any."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    headers = []
    if parameters:
        body["parameters"] = parameters
    if "retry_after" in parameters:
        headers.append(("Retry-After", str(parameters["retry_after"])))
    return Response(code, _json(body), headers=headers)


def html(status: int) -> Response:
    """The page that a front end sends by itself."""
    title = f"{status} {REASONS[status]}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Response(status, page.encode(), content_type="text/html")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
