"""What holds for all tests: those that take longest begin first, and what they start heeds SIGINT."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Longest first, with TARGETS=all; all others follow in their order. Else one worker has a long one when no other
# has anything left.
LONGEST = (
    "firmware/test_device.py",
    "firmware/test_device_shipped.py",
    "scenarios/test_scenarios.py",
    "measure/test_budgets.py",
    "targets/test_rv32.py",
    "targets/test_rv32_faults.py",
    "firmware/test_assistant_schedule.py",
    "firmware/test_assistant_drafts.py",
    "firmware/test_bot_update.py",
    "firmware/test_assistant_models.py",
    "firmware/test_assistant_faults.py",
    "firmware/test_gateway.py",
    "test_contributing.py",
    "firmware/test_parallel.py",
    "toolchain/test_toolchain.py",
    "targets/test_whole_board.py",
    "firmware/test_bot_page.py",
    "firmware/test_bot_update_cut.py",
    "test_types.py",
    "targets/test_esp32_target.py",
    "install/test_deploy.py",
    "install/test_flash.py",
    "install/test_workspace.py",
    "measure/test_rv32_memory.py",
    "measure/test_rv32_bench.py",
)

# Where they are started in the background of a script SIGINT is ignored, by everything that they start, too; what
# has a handler is begun anew by exec, and this one ignores it as before.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, lambda *_: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest-xdist hands out files in the order of their first tests (--no-loadscope-reorder)."""
    place = {HERE / name: number for number, name in enumerate(LONGEST)}
    if missing := [str(path) for path in place if not path.exists()]:
        raise pytest.UsageError(f"conftest.py: LONGEST names what is not there: {missing}")
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))
