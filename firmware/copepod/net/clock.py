"""The clock that TLS needs: NTP, with the day of the build as floor. Memory: two small ints.

A certificate is checked against the time, and a board starts in the year 2000. NTP is plain UDP
that anyone may answer, so an answer from before the build is no answer. A clock that is already
past the floor (it goes on through a reset) will do when no server answers.
"""

import time
from asyncio import sleep_ms

from micropython import const

from copepod.log import log
from copepod.platform import port

try:
    from copepod.net.built import DAY
except ImportError:  # run from the sources
    DAY = 20454  # 2026-01-01

_HOSTS = ("pool.ntp.org", "time.cloudflare.com", "time.google.com")
_ROUNDS = const(2)
_TIMEOUT_S = const(2)
_PAUSE_MS = const(500)
_DAY_S = const(86400)


def _epoch_day(clock):
    # time.time() counts from 2000 on ESP32, from 1970 on Unix: the days between the two.
    return 10957 if clock.gmtime(0)[0] == 2000 else 0


_EPOCH_DAY = _epoch_day(time)
_asked_day = -1


def day():
    """Return the number of days since 1970-01-01, by this machine's clock."""
    return time.time() // _DAY_S + _EPOCH_DAY


def is_set():
    """Return whether the clock can be right: not before the day of the build."""
    return day() >= DAY


async def ready():
    """Set the clock by NTP if this day it was not yet; return whether TLS can rely on it.

    Blocks the other tasks for up to _TIMEOUT_S at a time (ntptime has no async form). Prints one
    line, whatever happened; where the system keeps the clock only if that is wrong.
    """
    global _asked_day
    if port.sets_clock and _asked_day != day():
        if not await _ask() and is_set():
            log("clock", "no NTP server answered; going by the board's own clock")
    if is_set():
        _asked_day = day()
        return True
    log(
        "clock",
        "clock not set: TLS can't check certificates. ",
        "Let UDP port 123 through" if port.sets_clock else "Set the system's date",
    )
    return False


async def _ask():
    # True once a server's answer, not older than the build, is in the RTC.
    import ntptime

    ntptime.timeout = _TIMEOUT_S
    for _ in range(_ROUNDS):
        for host in _HOSTS:
            ntptime.host = host
            try:
                seconds = ntptime.time()
                if seconds // _DAY_S + _EPOCH_DAY >= DAY:
                    port.set_clock(seconds)
                    log("clock", "set by ", host)
                    return True
                log("clock", host, " answers with a day before the build, not believed")
            except (OSError, ValueError, IndexError):  # no answer, no such name, a short packet
                pass
            await sleep_ms(_PAUSE_MS)
    return False
