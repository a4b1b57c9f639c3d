"""What a run of a scenario amounts to: its tally, its rows of the verdict, its frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from host_tools.console.frames import Frame


@dataclass
class Row:
    """One line of the verdict. `ok` None: told, not judged."""

    label: str
    value: str
    limit: str = ""
    ok: bool | None = None


@dataclass
class Tally:
    """What became of the numbered messages."""

    sent: int = 0
    delivered: int = 0  # updates that went out in an answer to getUpdates
    answered: int = 0
    lost: int = 0
    duplicates: int = 0
    disordered: int = 0
    altered: int = 0  # answered with another text
    dropped: int = 0  # formatting that the server silently left out
    rejected: int = 0
    pieces: int = 0  # messages that the answers took
    kills: int = 0
    outages: int = 0
    repeated: list[int] = field(default_factory=list)  # answers that each kill led to again
    latencies_ms: list[float] = field(default_factory=list)  # delivery to acceptance
    per_message_ms: float = 0.0  # wall time from first delivery to last answer, by answers


@dataclass
class Result:
    """A run: tallies, telemetry, and the verdict."""

    scenario: str
    target: str
    tally: Tally
    rows: list[Row]
    frames: list[Frame]
    figures: dict[str, Any]
    console: str
    seconds: float

    @property
    def ok(self) -> bool:
        return all(row.ok is not False for row in self.rows)

    @property
    def failures(self) -> list[Row]:
        return [row for row in self.rows if row.ok is False]

    def as_dict(self) -> dict[str, Any]:
        """For results/*.json."""
        tally = {k: v for k, v in vars(self.tally).items() if k != "latencies_ms"}
        return {
            "scenario": self.scenario,
            "target": self.target,
            "ok": self.ok,
            **self.figures,
            "messages": tally,
            "verdict": [vars(row) for row in self.rows],
            "phases": [frame.as_dict() for frame in self.frames if frame.phase != "interval"],
            "seconds": round(self.seconds, 2),
        }
