"""What is noted of a bot.py that is to be tried: see trial.py. Memory: dropped after each use.

    .trial/bot.py    is tried as long as it is there; nothing else says so
    .trial/marker    [the owner's id, the update that brought it, how often it was started]
"""

import json
import os

from micropython import const

from copepod.once import forget

_MARKER = const(".trial/marker")


def waiting():
    """Whether there is a bot.py to be tried."""
    try:
        os.stat(".trial/bot.py")
    except OSError:
        return False
    return True


def load():
    """(owner's id, update id, starts) of the last one, be it over or not; None, None, 0 where nothing can be read."""
    try:
        with open(_MARKER) as file:
            owner, update_id, starts = json.load(file)
        return owner, update_id, int(starts)
    except (OSError, ValueError, TypeError):
        return None, None, 0


def store(owner, update_id, starts):
    """Write the marker. OSError."""
    from copepod.platform import files

    forget("copepod.platform.files")
    files.write_atomic(_MARKER, json.dumps([owner, update_id, starts]).encode())
