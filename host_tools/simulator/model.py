"""A model's server for development and tests: Chat Completions, streamed, with whatever servers do wrong.

It answers by simple rules (`converse`), or as a test says. Requests are judged as a strict server would
(model_judge.py): one that breaks a rule is answered with 400 and kept in `problems`.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from host_tools.simulator import model_judge
from host_tools.simulator.certs import Authority

# What can go wrong with one request, by the name that fault() takes.
STATUSES = {
    "401": (401, "Incorrect API key provided"),
    "402": (402, "Insufficient credits"),
    "404": (404, "The model does not exist"),
    "429": (429, "Rate limit reached"),
    "500": (500, "The server had an error"),
    "529": (529, "Overloaded"),
    "stream_options": (400, "Unrecognized request argument supplied: stream_options"),
    "tools": (400, "this model does not support tools"),
    "context": (400, "This model's maximum context length is 4096 tokens"),
}
FAULTS = {
    **{name: text for name, (_, text) in STATUSES.items()},
    "page": "502 with an HTML page",
    "disconnect": "the connection is reset before the answer",
    "truncated": "the connection is closed in the middle of the stream",
    "stalled": "silence in the middle of the stream, until the client goes",
    "malformed": "a chunk that is no JSON in the middle of the stream",
    "error": "an error in place of the rest of a stream",
    "endless": "the stream ends without finish_reason and [DONE]",
}


@dataclass
class Reply:
    """What the model says to one request, and in which form it comes."""

    text: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)  # (tool, arguments)
    finish: str | None = None  # "stop" or "tool_calls" if None, "" for none at all
    thought: str = ""  # reasoning_content
    piece: int = 4  # characters in a token
    newline: str = "\n"
    comments: bool = False
    done: bool = True
    usage: bool = True
    stream: bool = True  # False: one JSON document
    whole_calls: bool = False  # Ollama's form: a call is one chunk, each with index 0
    pause: float = 0.0  # between chunks


@dataclass
class Request:
    """One that came, and how far its answer got."""

    body: dict[str, Any]
    headers: dict[str, str]
    began: float
    fault: str = ""
    chunks: int = 0
    complete: bool = False  # all of the answer was given to the connection


def converse(body: dict[str, Any]) -> Reply:
    """An assistant with no key and no network: it does what it understands, and says so."""
    messages = body["messages"]
    last = messages[-1]
    tools = {tool["function"]["name"] for tool in body.get("tools", [])}
    if last["role"] == "tool":
        return Reply(f"Done. This is what came of it:\n\n> {last['content']}".replace("\n", "\n"))
    said = last["content"].strip()
    call = _wanted(said, messages[0]["content"])
    if call is not None and call[0] in tools:
        return Reply(calls=[call])
    count = sum(message["role"] == "user" for message in messages)
    return Reply(
        f"I am no real model, but I heard you: **{said[:500]}**\n\n"
        f"That is question {count} of this conversation. I can use {len(tools)} tools; try "
        "_what time is it_, _how are you_, _remember that the key is under the mat_"
        + (", _turn the lamp on_." if "gpio_write" in tools else ".")
    )


def _wanted(said: str, system: str) -> tuple[str, dict[str, Any]] | None:
    lower = said.lower()
    pins = re.findall(r" ([^()]+?) \((\w+)\)", system.partition("Pins, by name and mode:")[2])
    modes = {name.lower(): (name, mode) for name, mode in pins}
    named = next((modes[name] for name in modes if name in lower), None)
    if named and (found := re.search(r"\b(on|off)\b", lower)) and named[1] == "out":
        return "gpio_write", {"pin": named[0], "on": found[1] == "on"}
    if named and (found := re.search(r"(\d+) ?(%|percent)", lower)):
        return "pwm_set", {"pin": named[0], "percent": int(found[1])}
    if named:
        return ("adc_read" if named[1] == "adc" else "gpio_read"), {"pin": named[0]}
    if found := re.match(r"remember (?:that )?(.+)", said, re.IGNORECASE | re.DOTALL):
        return "memory_write", {"text": found[1]}
    if found := re.match(r"note (.+)", said, re.IGNORECASE | re.DOTALL):
        return "note", {"text": found[1]}
    if found := re.match(r"read (\S+)", said, re.IGNORECASE):
        return "read_file", {"path": found[1]}
    for words, name in (
        ("time|date", "get_time"),
        ("remember", "memory_read"),
        ("how are you|status", "device_status"),
        ("files", "list_dir"),
    ):
        if re.search(rf"\b({words})\b", lower):
            return name, {}
    return None


class ModelServer:
    """Listens on this machine while it is entered; `url` is the api_base for a config."""

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], Reply] = converse,
        *,
        authority: Authority | None = None,
        key: str | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.answer = answer
        self.key = key
        self.names = ["mock"]  # what GET /models lists; nothing: there is no such list
        self.authority = authority
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.connections = 0
        self.on_chunk: Callable[[Request], None] | None = None  # before each one is written
        self._faults: list[tuple[str, float]] = []
        self._condition = threading.Condition()
        self._server = _Server((host, 0), _Handler)
        self._server.model = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True

    @property
    def url(self) -> str:
        """The api_base for a client on this machine."""
        return self.url_for("localhost")

    def url_for(self, host: str) -> str:
        """The api_base for a client that knows this machine as `host`."""
        port = self._server.server_address[1]
        return f"{'https' if self.authority else 'http'}://{host}:{port}/v1"

    def fault(self, kind: str, count: int = 1, retry_after: float = 0) -> None:
        """Let the next `count` requests end so; see FAULTS."""
        if kind not in FAULTS:
            raise ValueError(f"no fault of a model: {kind}")
        self._faults += [(kind, retry_after)] * count

    def wait(self, predicate: Callable[[], Any], timeout: float = 10.0) -> bool:
        """Wait for a fact, asked again whenever something has happened here."""
        with self._condition:
            return bool(self._condition.wait_for(predicate, timeout))

    def changed(self) -> None:
        """Let whoever waits look again."""
        with self._condition:
            self._condition.notify_all()

    def next_fault(self) -> tuple[str, float]:
        """The fault of the request that has just come."""
        return self._faults.pop(0) if self._faults else ("", 0)

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    model: ModelServer

    def get_request(self) -> tuple[socket.socket, Any]:
        raw, address = super().get_request()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.model.connections += 1
        if self.model.authority is not None:
            raw.settimeout(10)
            raw = self.model.authority.context().wrap_socket(
                raw, server_side=True, do_handshake_on_connect=False
            )
        return raw, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news."""


class _Cut(Exception):
    """The connection ends here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def model(self) -> ModelServer:
        """Whose answer it is."""
        assert isinstance(self.server, _Server)
        return self.server.model

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests read `requests`."""

    def do_GET(self) -> None:
        model = self.model
        if model.key is not None and self.headers.get("authorization") != f"Bearer {model.key}":
            self._error(401, "Incorrect API key provided: sk-…")
        elif not self.path.endswith("/v1/models") or not model.names:
            self._error(404, "Not found")
        else:
            rows = [{"id": name, "object": "model", "owned_by": "copepod"} for name in model.names]
            body = json.dumps({"object": "list", "data": rows}).encode()
            self._send(200, "application/json", body, {})

    def do_POST(self) -> None:
        model = self.model
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        found = model_judge.problems(headers, body)
        if model.key is not None and headers.get("authorization") != f"Bearer {model.key}":
            self._error(401, "Incorrect API key provided: sk-…")
            return
        if not self.path.endswith("/chat/completions"):
            found.append(f"no such path: {self.path}")
        if found:
            model.problems += found
            model.changed()
            self._error(400, found[0])
            return
        kind, retry_after = model.next_fault()
        request = Request(json.loads(body), headers, time.monotonic(), kind)
        model.requests.append(request)
        model.changed()
        try:
            self._answer(request, kind, retry_after)
        except _Cut:
            self.close_connection = True
        except OSError:
            self.close_connection = True  # the client has gone
        model.changed()

    def _answer(self, request: Request, kind: str, retry_after: float) -> None:
        if kind in STATUSES:
            status, text = STATUSES[kind]
            self._error(status, text, {"Retry-After": f"{retry_after:g}"} if retry_after else {})
        elif kind == "page":
            self._send(502, "text/html", b"<html>\n{ color: red }\nBad Gateway</html>", {})
        elif kind == "disconnect":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            raise _Cut
        else:
            reply = self.model.answer(request.body)
            if reply.stream:
                self._stream(request, reply, kind)
            else:
                document = next(_documents(reply))
                self._send(200, "application/json", json.dumps(document).encode(), {})
            request.complete = True

    def _stream(self, request: Request, reply: Reply, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunks = list(_chunks(reply))
        middle = len(chunks) // 2
        for number, chunk in enumerate(chunks):
            if number == middle:
                self._middle(kind, request)
                if kind == "endless":
                    break
            if self.model.on_chunk:
                self.model.on_chunk(request)
            if reply.pause:
                time.sleep(reply.pause)
            self._chunk(chunk.replace("\n", reply.newline).encode())
            request.chunks += 1
        self.wfile.write(b"0\r\n\r\n")

    def _middle(self, kind: str, request: Request) -> None:
        if kind == "truncated":
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            raise _Cut
        if kind == "stalled":
            while self.connection.recv(1):  # until the client goes
                pass
            raise _Cut
        if kind == "malformed":
            self._chunk(b'data: {"choices": [{"delta": {"content": oops}}]}\n\n')
        if kind == "error":
            self._chunk(b'data: {"error": {"message": "the graphics card is on fire"}}\n\n')
            self.wfile.write(b"0\r\n\r\n")
            raise _Cut

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _error(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"error": {"message": text, "type": "error", "code": None}}).encode()
        self._send(status, "application/json", body, headers or {})

    def _send(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _usage(reply: Reply) -> dict[str, int]:
    sent, received = 100, 1 + len(reply.text) // 4
    return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}


def _call(number: int, name: str, arguments: Any) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function = {"name": name, "arguments": text}
    return {"id": f"call_{time.monotonic_ns()}_{number}", "type": "function", "function": function}


def _finish(reply: Reply) -> str | None:
    if reply.finish is None:
        return "tool_calls" if reply.calls else "stop"
    return reply.finish or None


def _documents(reply: Reply) -> Iterator[dict[str, Any]]:
    """The answer as one document."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [_call(n, *call) for n, call in enumerate(reply.calls)]
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    yield {"id": "x", "object": "chat.completion", "choices": [choice], "usage": _usage(reply)}


def _chunks(reply: Reply) -> Iterator[str]:
    """The answer as events, each with its blank line."""

    def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        document = {"id": "x", "object": "chat.completion.chunk", "choices": [choice], **more}
        return f"data: {json.dumps(document, ensure_ascii=len(reply.text) % 2 == 0)}\n\n"

    if reply.comments:
        yield ": OPENROUTER PROCESSING\n\n"
    yield event({"role": "assistant", "content": ""})
    for at in range(0, len(reply.thought), reply.piece):
        yield event({"reasoning_content": reply.thought[at : at + reply.piece]})
    for at in range(0, len(reply.text), reply.piece):
        yield event({"content": reply.text[at : at + reply.piece]})
        if reply.comments:
            yield ": keep-alive\n\n"
    for number, (name, arguments) in enumerate(reply.calls):
        call = _call(number, name, arguments)
        if reply.whole_calls:
            yield event({"tool_calls": [{"index": 0, **call}]})
            continue
        text = call["function"]["arguments"]
        first = {**call, "function": {"name": name, "arguments": ""}}
        yield event({"tool_calls": [{"index": number, **first}]})
        for at in range(0, len(text), 7):
            part = {"index": number, "function": {"arguments": text[at : at + 7]}}
            yield event({"tool_calls": [part]})
    if _finish(reply):
        yield event({}, _finish(reply))
    if reply.usage:
        yield f"data: {json.dumps({'id': 'x', 'choices': [], 'usage': _usage(reply)})}\n\n"
    if reply.done:
        yield "data: [DONE]\n\n"
