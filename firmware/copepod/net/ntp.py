"""Sets the board's clock from an NTP server. Memory: nothing is kept.

NTP is plain UDP that anyone may answer, so an answer from before the build is no answer.
"""

from asyncio import sleep_ms

from micropython import const

from copepod.log import log
from copepod.platform import port

_HOSTS = ("pool.ntp.org", "time.cloudflare.com", "time.google.com")
_ROUNDS = const(2)
_TIMEOUT_S = const(2)
_PAUSE_MS = const(500)


async def ask(earliest_s):
    """Set the clock; return whether a server answered, with `earliest_s` or later.

    In seconds of this port's epoch. Blocks the other tasks for a DNS query and _TIMEOUT_S at a
    time: ntptime has no async form.
    """
    import ntptime

    ntptime.timeout = _TIMEOUT_S
    for _ in range(_ROUNDS):
        for host in _HOSTS:
            ntptime.host = host
            try:
                seconds = ntptime.time()
                if seconds >= earliest_s:
                    port.set_clock(seconds)
                    log("clock", "set by ", host)
                    return True
                log("clock", host, " answers with a day before the build, not believed")
            except (OSError, ValueError, IndexError):  # no answer, no such name, a short packet
                pass
            await sleep_ms(_PAUSE_MS)
    return False
