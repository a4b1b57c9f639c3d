"""A call's parameters as the Bot API reads them, and its refusals."""

from __future__ import annotations

import json
from typing import Any

from host_tools.simulator.http import failure
from host_tools.simulator.updates import Json


class Refused(Exception):
    """An answer that is an error: code, description, parameters."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.response = failure(code, description, **parameters)


def bad(description: str) -> Refused:
    """What is wrong with the call itself."""
    return Refused(400, "Bad Request: " + description)


def flag(value: Any) -> bool:
    """What counts as true."""
    return value is True or str(value).lower() in ("true", "yes", "1")


def number(params: Json, name: str, default: int) -> int:
    """Like the server: what is no number is the default."""
    try:
        return int(str(params.get(name, default)))
    except ValueError:
        return default


def object_of(params: Json, name: str) -> Any:
    """A parameter that is JSON, given as such or as a string of JSON."""
    value = params.get(name)
    if isinstance(value, str) and value:
        try:
            return json.loads(value)
        except ValueError:
            raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None
    return value
