"""The model behind `make run`: MODEL=mock for one with no key and no network, an address, or a provider's name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from host_tools.errors import UserError
from host_tools.install import model, model_root
from host_tools.simulator.model import ModelServer
from host_tools.targets.target import Target

HEAPS = {64: "256k", 32: "160k"}  # a turn from .mpy files needs more than the gateway alone
PINS = {"lamp": 2, "fan": {"pin": 5, "mode": "pwm"}, "door": {"pin": 4, "mode": "up"}}


def heap(env: Mapping[str, str], target: Target) -> str | None:
    """The heap for a gateway with a model; None: as ever."""
    return HEAPS[target.word_bits] if env.get("MODEL") and target.settable_heap else None


class Assistant(NamedTuple):
    """What a model adds to the gateway's config, and the files that it names."""

    config: dict[str, Any]
    files: dict[str, bytes]


@contextlib.contextmanager
def of(env: Mapping[str, str], target: Target) -> Iterator[Assistant]:
    """What MODEL, MODEL_NAME and API_KEY say; nothing without MODEL. UserError in one line.

    An https:// host's root is found as for a board, and is the only one that the gateway trusts for it.
    """
    given = env.get("MODEL", "")
    if not given:
        yield Assistant({}, {})
    elif given == "mock":
        with ModelServer(host=target.listen) as server:
            yield Assistant(_config(server.url_for(target.address), "mock", ""), {})
    else:
        try:
            base = model.address(given)
        except UserError as error:
            raise UserError(f"MODEL is mock, or: {error}") from None
        if not env.get("MODEL_NAME"):
            raise UserError("MODEL_NAME is not set: the model's name, as its server lists it")
        name = model.name_for_board(env["MODEL_NAME"], base)
        made = _config(base, name, model.key_of(env.get("API_KEY", "")))
        found = model.of_values(made)
        assert found is not None
        files = {}
        if found.tls:
            files[model_root.FILE] = model_root.find(found.host, found.port).der
            made["tls"] = {"model_ca": model_root.FILE}
        yield Assistant(made, files)


def _config(base: str, name: str, key: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"model_name": "model", "model": name, "api_base": base}
    if key:
        entry["api_keys"] = [key]
    return {"model_list": [entry], "hardware": {"pins": PINS}}
