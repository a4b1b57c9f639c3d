"""Runs one scenario on one target against the simulator and judges what came back.

    result = run(scenario.load("live"), targets.get("unix"), workdir=path)
    result.ok, result.rows, result.as_dict()

Everything is observed from both ends: the simulator's record of calls and messages, and the
device's console with its telemetry.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from host_tools.scenarios.gateway import files_for, gateway_config
from host_tools.scenarios.result import Result
from host_tools.scenarios.run import Run
from host_tools.scenarios.scenario import Scenario
from host_tools.scenarios.verdict import judge
from host_tools.targets.target import Target

__all__ = ["Result", "Run", "files_for", "gateway_config", "run"]


def run(
    scenario: Scenario,
    target: Target,
    workdir: Path,
    progress: Callable[[str], None] | None = None,
) -> Result:
    """Run a scenario from start to verdict."""
    made = Run(scenario, target, workdir, progress)
    return judge(made, made.run())
