"""A gateway that a script in the background has started, where SIGINT is ignored, ends when it is asked to."""

from __future__ import annotations

import signal
import subprocess
import sys

from host_tools.paths import ROOT

STOPS = """\
import os
from pathlib import Path
from host_tools.targets.process import ProcessDevice

command = ["sh", "-c", "echo begun; exec sleep 60"]
device = ProcessDevice(command, dict(os.environ), Path.cwd(), "sleep")
assert device.wait(lambda: "begun" in device.text(), 20)
print(device.stop())
"""


def test_it_is_asked_and_not_killed() -> None:
    command = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-c", STOPS]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) == -signal.SIGINT
