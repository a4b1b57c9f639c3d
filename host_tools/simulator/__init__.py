"""A Bot API server for development and tests: TLS, real acknowledgement rules, fault injection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host_tools.simulator.bot import Sent
    from host_tools.simulator.connection import Call
    from host_tools.simulator.server import Simulator

__all__ = ["Call", "Sent", "Simulator"]

_PLACES = {
    "Call": "host_tools.simulator.connection",
    "Sent": "host_tools.simulator.bot",
    "Simulator": "host_tools.simulator.server",
}


def __getattr__(name: str) -> object:
    """Import on first use, so that judge.py alone stays light."""
    if name in _PLACES:
        import importlib

        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(name)
