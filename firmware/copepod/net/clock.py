"""The clock that TLS needs: NTP, with the day of the build as floor. Memory: dropped after use.

A certificate is checked against the time, and a board starts in the year 2000. A clock that is
already past the floor (it goes on through a reset) will do when no NTP server answers.
"""

import time

from micropython import const

from copepod.log import log
from copepod.net.ntp import ask
from copepod.once import forget
from copepod.platform import port

try:
    from copepod.net.built import DAY

    forget("copepod.net.built")
except ImportError:  # run from the sources
    DAY = 20454  # 2026-01-01

_DAY_S = const(86400)


def _epoch_day():
    # time.time() counts from 2000 on ESP32, from 1970 on Unix: the days between the two.
    return 10957 if time.gmtime(0)[0] == 2000 else 0


def day():
    """Return the number of days since 1970-01-01, by this machine's clock."""
    return time.time() // _DAY_S + _epoch_day()


def is_set():
    """Return whether the clock can be right: not before the day of the build."""
    return day() >= DAY


async def ready(asked_day=None):
    """Set the clock by NTP, unless that was done on `asked_day`, which is today.

    Returns the day, or None when TLS can't rely on the clock. Prints one line about it; where the
    system keeps the clock, only if that is wrong.
    """
    if port.sets_clock and asked_day != day():
        if not await ask((DAY - _epoch_day()) * _DAY_S) and is_set():
            log("clock", "no NTP server answered; going by the board's own clock")
    if is_set():
        return day()
    log(
        "clock",
        "clock not set: TLS can't check certificates. ",
        "Let UDP port 123 through" if port.sets_clock else "Set the system's date",
    )
    return None
