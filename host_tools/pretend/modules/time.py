"""`time`, whose clock can be moved: `clock 3600` from outside. On no board; see pretended/line.py."""

import utime as _real
from utime import *  # first: asyncio, which the line needs, takes its clock from here

from pretended.line import take

_offset_s = 0


def time():
    """Seconds since 1970, and what the clock was moved by."""
    return _real.time() + _offset_s


def time_ns():
    """The same in nanoseconds."""
    return _real.time_ns() + _offset_s * 1000000000


def gmtime(secs=None):
    """A time in its parts; without one now."""
    return _real.gmtime(time() if secs is None else secs)


def localtime(secs=None):
    """The same in the local zone."""
    return _real.localtime(time() if secs is None else secs)


def _clock(offset_s):
    # Moved, and the bot's timers look at it: those of a board would within a second.
    global _offset_s
    timers = _begun("timers", "zone")
    _begun("pins", "wake_ms")  # set when it has looked at each pin
    by_the_clock = timers and hasattr(timers, "floor_s")
    if by_the_clock:
        timers.look(time())  # what is due by now was due before
    moved_s = int(offset_s) - _offset_s
    _offset_s = int(offset_s)
    if timers:
        timers.pass_ms(max(moved_s, 0) * 1000)
    if by_the_clock:
        timers.look(time())


def _begun(name, attribute):
    # What copepod/<name>.py runs; None if the bot does not use it. ValueError before the first poll.
    import sys

    module = sys.modules.get("copepod." + name)
    if module is None:
        return None
    task = getattr(module, name)
    if not hasattr(task, attribute):
        raise ValueError("the bot's %s have not begun" % name)
    return task


take("clock", _clock)
