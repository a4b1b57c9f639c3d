"""The config and the files of a gateway that talks to the simulator."""

from __future__ import annotations

from typing import Any

from host_tools.simulator import Simulator
from host_tools.targets.target import Target


def gateway_config(sim: Simulator, target: Target, extra: dict[str, Any]) -> dict[str, Any]:
    """The gateway's config for this simulator; `extra` is laid over it."""
    config: dict[str, Any] = {
        "channels": {
            "telegram": {
                "enabled": True,
                "token": sim.token,
                "allow_from": ["*"],
                "base_url": sim.url_for(target.address),
                "poll_timeout_s": 10,
            }
        },
        "telemetry": {"interval_s": 1},
    }
    if sim.tls:
        config["tls"] = {"ca": "roots.der"}
    return _merge(config, extra)


def files_for(sim: Simulator) -> dict[str, bytes]:
    """What the config of `gateway_config` refers to."""
    return {"roots.der": sim.ca_der} if sim.tls else {}


def _merge(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in extra.items():
        below = out.get(key)
        out[key] = _merge(below, value) if isinstance(below, dict) else value
    return out
