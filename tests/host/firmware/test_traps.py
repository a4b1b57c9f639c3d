"""Take each handling of a board's trap out of the firmware and see that a device test notices.

A test that passes with the handling gone proves nothing about it. traps.txt lists the handlings:
the file, the lines, what stands there when they are taken out, and the device tests that must fail
then. They run under the Unix MicroPython against the fakes in tests/device/fakes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from host_tools.paths import ROOT

MICROPYTHON = Path(sys.executable).with_name("micropython")  # the wheel's

RUNNER = """
import sys
firmware, tests, module = sys.argv[1:4]
sys.path[:0] = [firmware, tests]
module = __import__(module)
for name in sys.argv[4:]:
    try:
        getattr(module, name)()
    except BaseException as error:
        print("FAILED", name, type(error).__name__, error)
    else:
        print("PASSED", name)
"""


ABOUT = {
    "esp32_seldom": "esp32",
    "record": "esp32",
    "last_error": "esp32",
    "ntp": "clock",
    "crash": "boot",
}


class Trap(NamedTuple):
    """One handling, and the firmware without it."""

    file: str
    name: str
    tests: tuple[str, ...]
    handling: str
    without: str

    @property
    def module(self) -> str:
        """The device test that is about this file: copepod/net/wifi.py -> test_wifi."""
        stem = Path(self.file).stem
        if stem == "files":
            return "test_esp32" if self.tests == ("test_write_atomic",) else "test_unix"
        return "test_" + ABOUT.get(stem, stem)


def read_traps(text: str) -> list[Trap]:
    """Parse traps.txt."""
    traps: list[Trap] = []
    for line in text.splitlines():
        if line.startswith("@"):
            file, name, tests = (part.strip() for part in line[1:].split("|"))
            traps.append(Trap(file, name, tuple(tests.split()), "", ""))
        elif line.startswith("-"):
            traps[-1] = traps[-1]._replace(handling=f"{traps[-1].handling}{line[1:]}\n")
        elif line.startswith("+"):
            traps[-1] = traps[-1]._replace(without=f"{traps[-1].without}{line[1:]}\n")
        elif not line.startswith("#"):
            raise ValueError(f"traps.txt: {line!r}")
    return traps


TRAPS = read_traps(Path(__file__).with_name("traps.txt").read_text())


def run_tests(firmware: Path, module: str, tests: tuple[str, ...]) -> dict[str, str]:
    """Run these device tests of `module` against `firmware`; test name -> the line about it."""
    command = [
        str(MICROPYTHON),
        "-X",
        "heapsize=4m",
        "-c",
        RUNNER,
        str(firmware),
        str(ROOT / "tests/device"),
        module,
        *tests,
    ]
    run = subprocess.run(  # in the copy, where a test without its handling may leave something
        command, cwd=firmware, capture_output=True, text=True, timeout=25, check=False
    )
    lines = [line for line in run.stdout.splitlines() if line.startswith(("FAILED ", "PASSED "))]
    assert len(lines) == len(tests), run.stdout + run.stderr
    return {line.split(" ", 2)[1]: line for line in lines}


def test_with_every_handling_the_tests_pass():
    wanted: dict[str, set[str]] = {}
    for trap in TRAPS:
        wanted.setdefault(trap.module, set()).update(trap.tests)
    for module, tests in wanted.items():
        for line in run_tests(ROOT / "firmware", module, tuple(sorted(tests))).values():
            assert line.startswith("PASSED "), line


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.name for trap in TRAPS])
def test_without_the_handling_a_test_fails(trap: Trap, tmp_path: Path):
    firmware = tmp_path / "firmware"
    shutil.copytree(
        ROOT / "firmware",
        firmware,
        ignore=shutil.ignore_patterns("typings", "__pycache__", "text", "telegram"),
    )
    source = firmware / trap.file
    text = "\n" + source.read_text()
    found = text.count("\n" + trap.handling)
    assert found == 1, f"{trap.file} has these lines {found} times:\n{trap.handling}"
    source.write_text(text.replace("\n" + trap.handling, "\n" + trap.without)[1:])
    for line in run_tests(firmware, trap.module, trap.tests).values():
        assert line.startswith("FAILED "), f"without {trap.name}: {line}"
