"""Memory budgets (tests/budgets.toml): what they are, and who is to blame when one is broken.

A broken budget is told with the phase and the component that grew, beside what results/ recorded
when the figures were last written (`make bench audit`).
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from host_tools.console.frames import Frame
from host_tools.paths import RESULTS, ROOT

FILE = ROOT / "tests" / "budgets.toml"
PHASES = ("baseline", "config-loaded", "bus-created", "connected", "steady")


def load() -> dict[str, Any]:
    """The table."""
    return tomllib.loads(FILE.read_text())


def recorded(name: str, target: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """results/<name>-<target>.json, or None if nobody has written it."""
    path = folder / f"{name}-{target}.json"
    return json.loads(path.read_text()) if path.exists() else None


def grown(found: dict[str, float], before: dict[str, float]) -> list[str]:
    """The entries that are larger than before, the largest growth first, as text."""
    both = [(found[name] - before.get(name, 0), name) for name in found]
    return [
        f"{name} grew by {more:,.0f} B to {found[name]:,.0f} B"
        for more, name in sorted(both, reverse=True)
        if more > 0
    ]


def blame(kind: str, found: dict[str, float], before: dict[str, float] | None) -> str:
    """Which phase or component broke a budget: what grew if there is a record, else the shares."""
    shares = ", ".join(f"{name} {value:,.0f} B" for name, value in found.items())
    if before is None:
        return f"by {kind} (nothing recorded to compare with): {shares}"
    more = grown(found, before)
    return f"{kind} that grew: {'; '.join(more) or 'none'} (now: {shares})"


def live_phases(frames: list[Frame]) -> dict[str, float]:
    """Live heap of each named phase that was reached, and of the last frame."""
    named = {f.phase: float(f["gc_live"] or 0) for f in frames if f.phase in PHASES}
    if frames:
        named["last"] = float(frames[-1]["gc_live"] or 0)
    return named
