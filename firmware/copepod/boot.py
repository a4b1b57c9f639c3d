"""Power-on: a moment for Ctrl-C, safe mode after three crashes, the gateway. Memory: the port's record."""

import time

from micropython import const

from copepod import arena  # noqa: F401  before anything else takes a part of the heap
from copepod.log import log
from copepod.once import forget
from copepod.platform import port, record

_CONFIG = "/config.json"
_WINDOW_MS = const(2000)
_CRASHES_MAX = const(3)


def main(config_path=_CONFIG):
    """Run the gateway until it ends or Ctrl-C stops it, then leave the board to the REPL."""
    try:
        port.start(config_path)
        _run(config_path)
    except KeyboardInterrupt:
        log("boot", "stopped; Ctrl-D starts the gateway again")
    record.crashes_store(0, False)
    port.watchdog_rest()


def _run(config_path):
    crashes = record.crashes_load()
    cause = port.died()
    if cause:
        from copepod.platform import last_error

        crashes += 1
        last_error.store(cause)
    record.crashes_store(crashes, False)
    log("boot", port.reset_reason() or port.name, "; press Ctrl-C within 2 s for the REPL")
    time.sleep_ms(_WINDOW_MS)
    if crashes >= _CRASHES_MAX:
        crash().safe_mode(crashes)
        crashes = _CRASHES_MAX - 1  # one more crash and it is safe mode again
    record.crashes_store(crashes, True)
    try:
        from copepod import startup

        startup.run(config_path)
        log("boot", "the gateway has ended; Ctrl-D starts it again")
    except Exception as error:
        crash().crashed(error)


def crash():
    """What to do about crashes, loaded when there is one."""
    from copepod import crash as module

    forget("copepod.crash")
    return module
