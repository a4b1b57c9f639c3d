"""After a crash: the error kept and printed without the token, a pause, a reset; in the end safe mode.

Memory: loaded when there is a crash, dropped after it.
"""

import gc
import time

from micropython import const

from copepod.log import log
from copepod.platform import last_error, port, record

_PAUSE_S = const(5)  # after the first crash, twice as long after the second
_SAFE_S = const(600)


def safe_mode(crashes):
    """Leave the board alone for ten minutes, Ctrl-C excepted, with `crashes` in a row."""
    log("boot", "safe mode: the gateway is not started, ", crashes, " crashes in a row")
    log("boot", "safe mode: the last error was ", last_error.load())
    log("boot", "safe mode: press Ctrl-C for the REPL, mend config.json or bot.py, then Ctrl-D")
    log("boot", "safe mode: left alone, it tries again in ", _SAFE_S // 60, " minutes")
    time.sleep(_SAFE_S)


def crashed(error):
    """Keep and print what ended the gateway, and reset the board after a pause. Never returns."""
    # The count is what the record says now: ten good minutes have set it to 0 (watchdog_feed).
    gc.collect()
    crashes = record.crashes_load() + 1
    record.crashes_store(crashes, False)
    last_error.store("%s: %s" % (type(error).__name__, error))
    try:
        from copepod.visible import trace

        trace(error, last_error.scrub)
    except MemoryError:
        log("boot", "no memory to print the traceback")
    pause_s = _PAUSE_S * crashes
    log("boot", "crash ", crashes, " in a row; reset in ", pause_s, " s, Ctrl-C for the REPL")
    time.sleep(pause_s)
    port.reset()
