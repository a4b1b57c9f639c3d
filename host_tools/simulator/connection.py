"""One client's connection: reads requests, lets faults strike, answers, keeps the record."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from host_tools.simulator import http
from host_tools.simulator.faults import ANSWERS, Fault
from host_tools.simulator.http import BadRequest, Request, Response, TooLarge, failure
from host_tools.simulator.updates import Json

if TYPE_CHECKING:
    from host_tools.simulator.server import Simulator

KEEP_RESPONSE_B = 4096  # of each answer, in the record


@dataclass
class Call:
    """One request and what became of it."""

    method: str
    params: Json
    connection: int
    at: float  # monotonic seconds, when the request was complete
    verb: str = "POST"
    size: int = 0  # bytes of request body
    status: int | None = None  # None: no answer was sent
    response: bytes = b""
    done_at: float | None = None
    faults: tuple[str, ...] = ()


@dataclass
class Connection:
    """One accepted connection (with TLS: after the handshake)."""

    number: int
    opened_at: float
    tls: str | None = None
    closed_at: float | None = None
    calls: int = 0
    error: str | None = None


class Protocol(asyncio.StreamReaderProtocol):
    """A stream protocol that tells when the client is gone, also in the middle of a long poll."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone = asyncio.Event()

    def eof_received(self) -> bool | None:
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        super().connection_lost(exc)


class Session:
    """Serves one connection until it ends."""

    def __init__(
        self, sim: Simulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.sim = sim
        self.reader = reader
        self.writer = writer
        protocol = writer.transport.get_protocol()
        assert isinstance(protocol, Protocol)
        self.gone = protocol.gone
        tls = writer.get_extra_info("ssl_object")
        self.record = sim.new_connection(tls.version() if tls else None)

    async def run(self) -> None:
        try:
            while await self._one():
                pass
        except TooLarge:
            self.record.error = "413"
            with contextlib.suppress(OSError):
                await self._send(failure(413, "Request Entity Too Large"), [], close=True)
        except BadRequest as error:
            self.sim.protocol_errors.append(str(error))
            self.record.error = str(error)
            with contextlib.suppress(OSError):
                await self._send(failure(400, f"Bad Request: {error}"), [], close=True)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
            self.record.error = repr(error)
            if isinstance(error, ssl.SSLError):
                self.sim.tls_errors.append(str(error))
        finally:
            self.record.closed_at = time.monotonic()
            self.writer.transport.abort()
            self.sim.changed()

    async def _one(self) -> bool:
        """One request and its answer; False when the connection is to end."""
        request = await http.read_head(self.reader)
        if request is None:
            return False
        self.record.calls += 1
        method, ready = self._route(request)
        faults = self.sim.faults.for_call(method)
        broken = next((fault for fault in faults if fault.args.get("at") == "upload"), None)
        if broken is None:
            await http.read_body(self.reader, request)
        else:
            await http.read_some(self.reader, request, broken.args.get("size"))
        now, size = time.monotonic(), len(request.body)
        call = Call(method, request.params, self.record.number, now, request.verb, size)
        call.faults = tuple(fault.kind for fault in faults)
        self.sim.note(call)
        if broken is not None:
            if broken.kind == "reset":
                self._reset()
            return False
        by_kind = {fault.kind: fault for fault in faults}
        for kind in ("refuse", "reset", "close", "stall", "slow"):
            if kind in by_kind and not await self._before(by_kind[kind]):
                return False
        refused = ready if method != "file" else None  # no fault makes a wrong token right
        response = refused or self._replaced(by_kind) or ready
        if response is None:
            response = await self._run(method, request.params, by_kind)
            if response is None:  # the client left while its poll waited
                return False
        keep = request.keep_alive and not {"close-after", "until-close", "503"} & set(by_kind)
        call.status = response.status
        call.response = response.body[:KEEP_RESPONSE_B]
        try:
            alive = await self._send(response, faults, close=not keep)
        finally:
            call.done_at = time.monotonic()
            self.sim.changed()
        return keep and alive

    def _route(self, request: Request) -> tuple[str, Response | None]:
        """The method that a path names, and the answer if that is not the method's own."""
        path = request.path
        if path.startswith("/file/bot"):
            token, _, place = path[9:].partition("/")
            file = self.sim.methods.files.at(place) if token == self.sim.token else None
            if file is None or request.verb not in ("GET", "HEAD"):
                return "file", failure(404, "Not Found")
            return "file", Response(200, file.data, content_type="application/octet-stream")
        if not path.startswith("/bot"):
            return path[:60], failure(404, "Not Found")
        token, slash, method = path[4:].partition("/")
        if not slash:
            return path[:60], failure(404, "Not Found")
        if token == self.sim.token:
            return method, None
        if ":" not in token or len(token) > 80 or not token.partition(":")[0].isdigit():
            return method, failure(401, "Unauthorized: invalid token specified")
        return method, failure(401, "Unauthorized")

    async def _before(self, fault: Fault) -> bool:
        """Faults that strike before the method runs; False when the connection is over."""
        if fault.kind == "slow":
            return await self._wait(fault.args.get("seconds", 1.0))
        if fault.kind == "refuse":
            self.sim.refuse(fault.args.get("seconds", 2.0))
            return False
        if fault.args.get("at", "before") != "before":
            return True
        if fault.kind == "stall":
            await self._wait(fault.args.get("seconds", 60.0))
        elif fault.kind == "reset":
            self._reset()
        return False

    def _replaced(self, by_kind: dict[str, Fault]) -> Response | None:
        """The answer of a fault that replaces the method's own."""
        kind = next((kind for kind in by_kind if kind in ANSWERS), None)
        if kind is None:
            return None
        args = by_kind[kind].args
        if kind == "429":
            wait = int(args.get("retry_after", 1))
            return failure(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        if kind == "malformed":
            return Response(
                200, b'{"ok":true,"result":[{"update_id":1,"message":{"text":"broken off he'
            )
        if kind == "html":
            return http.html(200)
        if kind in ("502", "503"):
            return http.html(int(kind))
        usual = {
            "400": "Bad Request: chat not found",
            "401": "Unauthorized",
            "403": "Forbidden: bot was blocked by the user",
            "404": "Not Found",
            "409": "Conflict: terminated by other getUpdates request; make sure that only one "
            "bot instance is running",
            "500": "Internal Server Error",
        }
        return failure(int(kind), args.get("description", usual[kind]))

    async def _run(self, method: str, params: Json, by_kind: dict[str, Fault]) -> Response | None:
        """Run the method, giving up if the client leaves in the middle."""
        running = asyncio.ensure_future(self.sim.methods.call(method, params))
        leaving = asyncio.ensure_future(self.gone.wait())
        try:
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not running.done():
                running.cancel()
        if not running.done() or running.cancelled():
            with contextlib.suppress(asyncio.CancelledError):
                await running
            return None
        response = running.result()
        if response.updates is not None:
            response.body = self.sim.render(response.updates, by_kind)
        return response

    async def _send(self, response: Response, faults: list[Fault], *, close: bool) -> bool:
        """Write an answer the way that the faults ask for; False: the connection is over."""
        by_kind = {fault.kind: fault for fault in faults}
        body = response.body
        payload = body
        length: int | None = len(body)
        if "headers" in by_kind:
            response.headers += [(f"X-Pad-{n}", "p" * 1000) for n in range(64)]
        if "chunks" in by_kind:
            response.headers.append(("Transfer-Encoding", "chunked"))
            payload, length = http.chunked(body), None
        elif "until-close" in by_kind:
            length, close = None, True
        data = http.head(response, length=length, close=close) + payload
        start = len(data) - len(payload)
        for kind in ("reset", "close", "stall"):
            if kind in by_kind:
                await self._break(by_kind[kind], data, start)
                return False
        if "truncate" in by_kind:
            await self._write(data[: start + len(payload) // 2])
            await self._finish()
            return False
        if "bytes" in by_kind:
            for piece in _each(data):
                await self._write(piece)
                await asyncio.sleep(0)
        else:
            await self._write(data)
        if close or "close-silent" in by_kind:
            await self._finish()
            return False
        return True

    async def _break(self, fault: Fault, data: bytes, start: int) -> None:
        """The method ran; its answer is lost whole ("lost") or in the middle of its body."""
        if fault.args.get("at") == "body":
            await self._write(data[: start + (len(data) - start) // 2])
        if fault.kind == "stall":
            await self._wait(fault.args.get("seconds", 60.0))
        elif fault.kind == "reset":
            await asyncio.sleep(0.02)  # let what was written arrive before the reset drops it
            self._reset()
        else:
            await self._finish()

    async def _write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def _finish(self) -> None:
        """Close in order: what was written arrives, then TLS close_notify and FIN."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self.writer.wait_closed(), 2)

    async def _wait(self, seconds: float) -> bool:
        """Sleep, unless the client leaves; True when it is still there."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)
        return not self.gone.is_set()

    def _reset(self) -> None:
        """Close so that the client gets RST."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            linger = struct.pack("ii", 1, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


def _each(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        yield data[at : at + 1]


def recorder(note: Callable[[str], None]) -> type[ssl.SSLObject]:
    """An SSLObject that tells of the alerts that clients send; asyncio keeps them to itself."""

    class Recorder(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                note(str(error))
                raise

    return Recorder
