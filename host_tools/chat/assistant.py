"""The model behind `make run`: MODEL=mock for one with no key and no network, or an api_base of one's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from host_tools.errors import UserError
from host_tools.simulator.model import ModelServer
from host_tools.targets.target import Target

HEAPS = {64: "256k", 32: "160k"}  # a turn from .mpy files needs more than the gateway alone
PINS = {"lamp": 2, "fan": {"pin": 5, "mode": "pwm"}, "door": {"pin": 4, "mode": "up"}}


def heap(env: Mapping[str, str], target: Target) -> str | None:
    """The heap for a gateway with a model; None: as ever."""
    return HEAPS[target.word_bits] if env.get("MODEL") and target.settable_heap else None


@contextlib.contextmanager
def config(env: Mapping[str, str], target: Target) -> Iterator[dict[str, Any]]:
    """What MODEL, MODEL_NAME and API_KEY add to the gateway's config; nothing without MODEL.

    Of https:// models only a board has the root certificate (docs/assistant.md), so here it is http://.
    """
    model = env.get("MODEL", "")
    if not model:
        yield {}
    elif model == "mock":
        with ModelServer(host=target.listen) as server:
            yield _config(server.url_for(target.address), "mock", "")
    elif model.startswith("http://"):
        if not env.get("MODEL_NAME"):
            raise UserError("MODEL_NAME is not set: the model's name, as `ollama list` shows it")
        yield _config(model, env["MODEL_NAME"], env.get("API_KEY", ""))
    else:
        raise UserError("MODEL is mock, or an address such as http://localhost:11434/v1")


def _config(base: str, name: str, key: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"model_name": "model", "model": name, "api_base": base}
    if key:
        entry["api_keys"] = [key]
    return {"model_list": [entry], "hardware": {"pins": PINS}}
