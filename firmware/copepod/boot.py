"""Power-on: a moment for Ctrl-C, safe mode after three crashes, the gateway. Memory: the port's record."""

import gc
import io
import sys
import time

from micropython import const

from copepod import arena  # noqa: F401  before anything else takes a part of the heap
from copepod.log import log
from copepod.platform import port, record

_CONFIG = "/config.json"
_WINDOW_MS = const(2000)
_CRASHES_MAX = const(3)
_PAUSE_S = const(5)  # after the first crash, twice as long after the second
_SAFE_S = const(600)


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
        _safe_mode()
        crashes = _CRASHES_MAX - 1  # one more crash and it is safe mode again
    record.crashes_store(crashes, True)
    try:
        from copepod import startup

        startup.run(config_path)
        log("boot", "the gateway has ended; Ctrl-D starts it again")
    except Exception as error:
        _crashed(error)


def _safe_mode():
    from copepod.platform import last_error

    log("boot", "safe mode: the gateway is not started, ", _CRASHES_MAX, " crashes in a row")
    log("boot", "safe mode: the last error was ", last_error.load())
    log("boot", "safe mode: press Ctrl-C for the REPL, mend config.json or bot.py, then Ctrl-D")
    log("boot", "safe mode: left alone, it tries again in ", _SAFE_S // 60, " minutes")
    time.sleep(_SAFE_S)


def _crashed(error):
    # The count is what the record says now: ten good minutes have set it to 0 (watchdog_feed).
    gc.collect()
    from copepod.platform import last_error

    crashes = record.crashes_load() + 1
    record.crashes_store(crashes, False)
    last_error.store("%s: %s" % (type(error).__name__, error))
    trace = io.StringIO()
    sys.print_exception(error, trace)  # pyright: ignore[reportArgumentType]
    text = trace.getvalue()  # pyright: ignore[reportAttributeAccessIssue]: not in the stubs
    print(last_error.scrub(text), end="")
    pause_s = _PAUSE_S * crashes
    log("boot", "crash ", crashes, " in a row; reset in ", pause_s, " s, Ctrl-C for the REPL")
    time.sleep(pause_s)
    port.reset()
