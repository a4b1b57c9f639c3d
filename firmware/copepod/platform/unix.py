"""Unix, macOS, Windows: the record is a file beside the config. Memory: the record, once."""

import os

from copepod.log import log
from copepod.platform import record
from copepod.platform.record import (  # noqa: F401
    crashes_load,
    crashes_store,
    last_error_load,
    last_error_store,
    last_id_load,
    last_id_store,
)

name = "unix"
has_wifi = False
sets_clock = False  # the system keeps the clock; net/clock.py only looks at it
GC_THRESHOLD_B = -1  # the heap has one fixed size, the collector runs when it is full

_heap_b = (None, None, None)
_file = None


def start(config_path):
    """Open the record beside the config (`config.json.state`) and take over what it holds."""
    global _file
    path = config_path + ".state"
    if _file:
        _file.close()
    try:
        try:
            _file = open(path, "r+b")
        except OSError:
            _file = open(path, "w+b")
        found = _file.read(record.SIZE_B)
    except OSError as error:
        _file = None
        found = b""
        log("state", path, " can't be kept (", error, "): a crash may send an answer twice")
    record.begin(found, _save)


def _save(data):
    # One write at one place: after kill -9 the file holds the record before it or after it.
    if _file:
        _file.seek(0)
        _file.write(data)


def heap():
    """Return (free, largest free block, least ever free) of the system's heap; None: unknown."""
    return _heap_b


def gc_free(mem_free_b):
    """Return what of `gc.mem_free()` lies in the GC heap; on this port, all of it."""
    return mem_free_b


def died():
    """Return why the last run ended without a word, or None: a process can't tell."""
    return None


def reset_reason():
    """Return why the machine started, in words, or None where it can't be known."""
    return None


def watchdog_start(timeout_ms):
    """Start the watchdog where there is one: watchdog_feed() must then come more often."""


def watchdog_feed():
    """Say that the gateway is alive; after ten minutes of it the crash count starts anew."""
    record.alive()


def watchdog_rest():
    """Let the watchdog wait for an hour, because nothing will feed it (the REPL has the board)."""


def reset():
    """Restart, on purpose; here: leave with EX_TEMPFAIL, so that a supervisor starts us again."""
    crashes_store(crashes_load(), False)
    raise SystemExit(75)


def set_clock(seconds):
    """Set the clock, in seconds of this port's epoch; here the system does that itself."""


def write_atomic(path, data):
    """Replace the file at `path` by `data` (bytes): whatever happens, it holds the old or the new.

    OSError when it can't be done; the old file is then unharmed. The new one can be read by its
    owner only, since the config holds the token.
    """
    temporary = path + ".new"
    with open(temporary, "wb") as file:
        if hasattr(os, "putenv"):  # MicroPython has no chmod
            os.putenv("COPEPOD_FILE", temporary)
            os.system('chmod 600 "$COPEPOD_FILE"')
        file.write(data)
        file.flush()  # which is fsync() here
    os.rename(temporary, path)
