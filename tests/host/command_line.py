"""The command line, run in the test's own process: no second to start an interpreter."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import NamedTuple

from host_tools import cli


class Run(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def copepod(*arguments: object) -> Run:
    """Run `copepod …`; what it starts (esptool, mpremote, MicroPython) are real processes."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    saved = sys.argv
    sys.argv = ["copepod", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as error:
        status = int(error.code or 0)
    finally:
        sys.argv = saved
    return Run(status, out.getvalue(), err.getvalue())
