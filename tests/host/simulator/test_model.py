"""The model's server: the form of its streams, its faults, and what it refuses."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from host_tools.simulator.model import FAULTS, ModelServer, Reply

SYSTEM = {"role": "system", "content": "x\n\nPins, by name and mode: lamp (out) fan (pwm)"}
TOOL = {
    "type": "function",
    "function": {
        "name": "gpio_write",
        "description": "d",
        "parameters": {"type": "object", "properties": {}},
    },
}


def body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "stream": True, "messages": [SYSTEM, *messages], **more}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def post(server: ModelServer, document: Any, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(
        "localhost", int(server.url.split(":")[2].split("/")[0])
    )
    try:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        connection.request(
            "POST", "/v1/chat/completions", data, {"Content-Type": "application/json", **headers}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def deltas(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.decode().splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                yield choice["delta"]


def test_a_text_is_streamed() -> None:
    with ModelServer(lambda request: Reply("Grüße 🦐", comments=True)) as server:
        status, data = post(server, body(user("hi")))
    assert status == 200
    assert "".join(delta.get("content") or "" for delta in deltas(data)) == "Grüße 🦐"
    assert data.endswith(b"data: [DONE]\n\n")
    assert b": keep-alive" in data
    assert server.requests[0].complete
    assert server.problems == []


def test_it_does_what_it_understands() -> None:
    with ModelServer() as server:
        _, data = post(server, body(user("turn the lamp on"), tools=[TOOL]))
        parts = [call for delta in deltas(data) for call in delta.get("tool_calls", [])]
        assert parts[0]["function"]["name"] == "gpio_write"
        text = "".join(part["function"]["arguments"] for part in parts)
        assert json.loads(text) == {"pin": "lamp", "on": True}
        call = {**parts[0], "function": {"name": "gpio_write", "arguments": text}}
        call.pop("index")
        told = {"role": "assistant", "content": None, "tool_calls": [call]}
        result = {"role": "tool", "tool_call_id": call["id"], "content": "lamp is on"}
        status, data = post(server, body(user("turn the lamp on"), told, result, tools=[TOOL]))
        assert status == 200
        assert "lamp is on" in "".join(delta.get("content") or "" for delta in deltas(data))
        assert server.problems == []


@pytest.mark.parametrize(
    ("request_body", "problem"),
    [
        (b"{", "no JSON"),
        (body(user("x"), n=2), "unknown key n"),
        ({**body(user("x")), "stream": False}, "stream"),
        (body(), "last message"),
        ({**body(user("x")), "messages": [user("x")]}, "system message comes first"),
        (body({"role": "user", "content": None}), "content"),
        (body({**user("x"), "at": 1}), "unknown keys"),
        (body({"role": "tool", "tool_call_id": "1", "content": "x"}), "no call waits"),
        (body(user("x"), tools=[]), "tools must not be empty"),
        (body(user("x"), tools=[{"type": "function"}]), "no tool"),
        (
            body(
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "1", "function": {"name": "a", "arguments": "{}"}}],
                },
                user("x"),
            ),
            "have no result",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused(request_body: Any, problem: str) -> None:
    with ModelServer() as server:
        status, data = post(server, request_body)
    assert status == 400
    assert problem in json.loads(data)["error"]["message"]
    assert server.problems
    assert server.requests == []


def test_the_key_is_asked_for() -> None:
    with ModelServer(key="right") as server:
        assert post(server, body(user("x")), Authorization="Bearer wrong")[0] == 401
        assert post(server, body(user("x")), Authorization="Bearer right")[0] == 200


@pytest.mark.parametrize("kind", sorted(FAULTS.keys() - {"stalled"}))
def test_every_fault_is_one_and_passes(kind: str) -> None:
    with ModelServer(lambda request: Reply("some words of an answer")) as server:
        server.fault(kind)
        try:
            status, data = post(server, body(user("x")))
        except (http.client.HTTPException, OSError):
            status, data = 0, b""
        assert status != 200 or b"[DONE]" not in data or b"oops" in data
        status, data = post(server, body(user("x")))
        assert status == 200
        assert data.endswith(b"[DONE]\n\n")
    with pytest.raises(ValueError, match="no fault"):
        server.fault("nothing")
