"""What a run of a test on a board puts aside: its own config and main.py; and how they come back."""

from __future__ import annotations

from host_tools.app.app_files import CONFIG, OWNERS_FILE
from host_tools.install.remote import Remote

ASIDE = ".before-live"  # added to the name of what is put aside
MAIN = "main.py"
SWAPPED = (CONFIG, OWNERS_FILE, MAIN)

# Puts back what a run has put aside, this one or one that was cut off.
RESTORE = """
import os
names = os.listdir()
for name in swapped:
    if name + aside in names:
        os.rename(name + aside, name)
for name in extra:
    if name in names:
        os.remove(name)
"""


def restore(remote: Remote, extra: list[str]) -> None:
    """Put back what a run on this board has put aside."""
    remote.execute(RESTORE, swapped=SWAPPED, aside=ASIDE, extra=extra)
