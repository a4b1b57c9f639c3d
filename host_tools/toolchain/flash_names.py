"""The names that lie in a stock ESP32's flash, for the interpreters whose Python heap stands for a board's.

A name that the firmware has costs a board nothing, any other some 18 bytes of the heap for good. So what stands
for a board has the board's names in its program as well, be there use for them or not.
"""

from __future__ import annotations

from pathlib import Path

from host_tools.app import names


def header() -> str:
    """The names in the form of MicroPython's qstrdefs.h."""
    return "".join(f"Q({name})\n" for name in (*names.EVERYWHERE, *names.ESP32))


def argument(work: Path) -> str:
    """Write the header into the folder `work`; returns the argument of make that names it."""
    path = work / "flash_names.h"
    if not path.exists() or path.read_text() != header():  # make looks at its time
        path.write_text(header())
    return f"QSTR_DEFS=qstrdefsport.h {path}"
