"""One line of `copepod doctor`: what was looked at, what was found, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One line. `ok` None: could not be looked at, or is no matter."""

    name: str
    ok: bool | None
    found: str
    remedy: str = ""
