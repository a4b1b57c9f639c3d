"""A language model that repeats what was said: an OpenAI-compatible server on the loopback address.

What a gateway of another make needs to answer at all. It thinks nothing and takes no time, so that
what is measured is the gateway.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "echo"


def said(request: dict[str, Any]) -> str:
    """The newest text of the user in a request for /chat/completions."""
    for message in reversed(request.get("messages", [])):
        if message.get("role") == "user":
            content = message.get("content", "")
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content)
    return ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        """The list of models."""
        self._answer({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        """A completion, whole or in one piece of a stream."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.endswith("/chat/completions"):
            self.send_error(404)
            return
        request = json.loads(body)
        assert isinstance(self.server, _Server)
        self.server.asked += 1
        text = said(request)
        head = {"id": "1", "created": int(time.time()), "model": MODEL}
        if request.get("stream"):
            delta = {"role": "assistant", "content": text}
            pieces = [
                {"delta": delta, "finish_reason": None},
                {"delta": {}, "finish_reason": "stop"},
            ]
            lines = [
                json.dumps(
                    head | {"object": "chat.completion.chunk", "choices": [{"index": 0} | p]}
                )
                for p in pieces
            ]
            self._send(
                "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]), "text/event-stream"
            )
            return
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        self._answer(head | {"object": "chat.completion", "choices": [choice], "usage": usage})

    def _answer(self, value: dict[str, Any]) -> None:
        self._send(json.dumps(value), "application/json")

    def _send(self, text: str, kind: str) -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    asked = 0  # completions


class ModelServer:
    """`with ModelServer() as model:` serves at `model.base_url` until the block ends."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="model", daemon=True
        )

    @property
    def base_url(self) -> str:
        """What OpenAI's libraries call the base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def asked(self) -> int:
        """How many completions were asked for."""
        return self._server.asked

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
