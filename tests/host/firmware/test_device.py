"""Every device test file, run under the MicroPython of each target in $TARGETS: on the source here, on the
tree that a board gets by test_device_shipped.py, since these two take longest of all.

By hand: MICROPYPATH=firmware:.frozen micropython tests/device/run.py tests/device/test_bus.py [name]
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from host_tools.paths import ROOT
from host_tools.toolchain import locate

DEVICE = ROOT / "tests/device"
FILES = sorted(DEVICE.glob("test_*.py"))
UNIX_BUILDS = ("unix", "unix32", "unix64", "riscv64")  # those with a file system and sys.argv
SLOW = {"riscv64": 10}  # an emulated processor: so much more time for everything
HEAP = {"unix": "1M", "unix64": "1M", "riscv64": "1M", "unix32": "1M"}


def wanted() -> list[str]:
    """The targets asked for that can run a test file."""
    names = os.environ.get("TARGETS", "unix").replace(",", " ").split()
    return [name for name in UNIX_BUILDS if name in names or "all" in names]


def slower(target: str) -> Any:
    """The parameter, with the time that its processor needs."""
    return pytest.param(target, marks=pytest.mark.timeout(30 * SLOW.get(target, 1)))


@pytest.mark.parametrize("target", [slower(target) for target in wanted()])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_under_micropython(path: Path, target: str) -> None:
    run_file(path, target, ROOT, ROOT / "firmware")


def run_file(path: Path, target: str, place: Path, tree: Path) -> None:
    """Run one file of `place`/tests/device under MicroPython, with the application in `tree`."""
    command = [
        *locate.runner(target),
        str(locate.interpreter(target)),
        "-X",
        f"heapsize={HEAP[target]}",
        "tests/device/run.py",
        f"tests/device/{path.name}",
    ]
    slow = SLOW.get(target, 1)
    environment = os.environ | {
        "MICROPYPATH": f"{tree}:.frozen",
        "COPEPOD_SLOW": str(slow),
        "COPEPOD_TREE": "source" if place == ROOT else "shipped",
    }
    run = subprocess.run(
        command,
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=25 * slow,  # what it said is told within the test's own time
        check=False,
    )
    last = run.stdout.rstrip().rpartition("\n")[2]
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert " 0 failed" in last, last
    assert int(last.split()[0]) > 0, "no test in the file"
