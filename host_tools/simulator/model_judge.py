"""What is wrong with a Chat Completions request, as a strict server would say."""

from __future__ import annotations

import json
import re
from typing import Any

KEYS = {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"}
KEYS |= {"temperature", "tools"}
MESSAGE_KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls"},
    "tool": {"role", "content", "tool_call_id"},
}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def problems(headers: dict[str, str], body: bytes) -> list[str]:
    """Every rule that the request breaks; none for a good one."""
    found = []
    if "transfer-encoding" in headers or "content-length" not in headers:
        found.append("the length must be told: Content-Length, not chunked")
    if not headers.get("content-type", "").startswith("application/json"):
        found.append("Content-Type must be application/json")
    try:
        request = json.loads(body, parse_constant=_no_constant)
    except (ValueError, UnicodeDecodeError) as error:
        return [*found, f"the body is no JSON: {error}"]
    if not isinstance(request, dict):
        return [*found, "the body is no object"]
    found += [f"unknown key {key}" for key in sorted(request.keys() - KEYS)]
    if not isinstance(request.get("model"), str) or not request["model"]:
        found.append("model must be a name")
    if request.get("stream") is not True:
        found.append("stream must be true")
    if not 0 <= request.get("temperature", 1) <= 2:
        found.append("temperature must be from 0 to 2")
    for tool in request.get("tools", []):
        found += tool_problems(tool)
    if "tools" in request and not request["tools"]:
        found.append("tools must not be empty")
    return found + message_problems(request.get("messages"))


def tool_problems(tool: Any) -> list[str]:
    """What is wrong with one tool's schema."""
    try:
        function, parameters = tool["function"], tool["function"]["parameters"]
        good = (
            tool["type"] == "function"
            and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function["name"])
            and isinstance(function["description"], str)
            and parameters["type"] == "object"
            and isinstance(parameters["properties"], dict)
            and set(parameters.get("required", [])) <= parameters["properties"].keys()
            and all("type" in value for value in parameters["properties"].values())
        )
    except (KeyError, TypeError):
        good = False
    return [] if good else [f"no tool: {json.dumps(tool)[:200]}"]


def message_problems(messages: Any) -> list[str]:
    """What is wrong with the messages, their order included."""
    if not isinstance(messages, list) or not messages:
        return ["messages must be a list"]
    found: list[str] = []
    owed: list[str] = []  # ids of calls that have no result yet
    for number, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in MESSAGE_KEYS:
            found.append(f"messages[{number}]: no message")
            continue
        extra = message.keys() - MESSAGE_KEYS[role]
        if extra:
            found.append(f"messages[{number}]: unknown keys {sorted(extra)}")
        if (role == "system") != (number == 0):
            found.append(f"messages[{number}]: the system message comes first, and once")
        content, calls = message.get("content"), message.get("tool_calls")
        if not isinstance(content, str) and not (content is None and calls):
            found.append(f"messages[{number}]: content must be a string")
        if role == "tool":
            if owed[:1] != [message.get("tool_call_id")]:
                found.append(f"messages[{number}]: a result that no call waits for")
            owed = owed[1:]
            continue
        if owed:
            found.append(f"messages[{number}]: {len(owed)} calls before it have no result")
        owed = []
        for call in calls or []:
            try:
                if not isinstance(json.loads(call["function"]["arguments"]), dict):
                    raise ValueError
                owed.append(call["id"])
            except (KeyError, TypeError, ValueError):
                found.append(f"messages[{number}]: no call: {json.dumps(call)[:200]}")
    if owed or messages[-1].get("role") not in ("user", "tool"):
        found.append("the last message must be a question or the last call's result")
    return found
