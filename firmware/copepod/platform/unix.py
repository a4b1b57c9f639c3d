"""Unix, macOS, Windows: the record is a file beside the config. Memory: the record, once."""

from copepod.log import log
from copepod.platform import record

name = "unix"
has_wifi = False
sets_clock = False  # the system keeps the clock; net/clock.py only looks at it
keeps_after_tls = False
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


def need(size_b):
    """MemoryError where `size_b` bytes more would have Python's heap grow. Here it has its size."""


def watchdog_feed():
    """Say that the gateway is alive; after ten minutes of it the crash count starts anew."""
    record.alive()


def reset():
    """Restart, on purpose; here: leave with EX_TEMPFAIL, so that a supervisor starts us again."""
    record.crashes_store(record.crashes_load(), False)
    raise SystemExit(75)


def _nothing(_=None):
    """Do nothing and return None: what a board does and tells, and a process does not."""


network_on = _nothing  # (): switches the network on, where it takes memory of the system's heap
network_up = _nothing  # (): waits a moment for the address, where nobody else does
died = _nothing  # () -> why the last run ended without a word
reset_reason = _nothing  # () -> why the machine started, in words
watchdog_start = _nothing  # (timeout_ms): from then on watchdog_feed() must come more often
watchdog_rest = _nothing  # (): nobody will feed it any more, the REPL has the board
set_clock = _nothing  # (seconds), in seconds of this port's epoch
