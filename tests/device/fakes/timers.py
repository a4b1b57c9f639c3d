"""A bot's timers that are asked directly (pass_ms, look), with a clock of the test's: nothing waits for a minute."""

import sys
from time import gmtime

from copepod import registry, timers, tz, unasked
from copepod.once import forget

DAY_S = 86400
MONDAY = 20602 * DAY_S  # 2026-05-29 is a Friday: see test_crontab.py
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


def begin(zone=None):
    """An empty set of timers whose clock is set, in `zone`."""
    timers.timers.functions = []
    timers.timers.plans = []
    timers.timers.left_ms = []
    unasked._at_work.clear()
    unasked._failing.clear()
    registry.starts.clear()
    registry.settings = None

    class Settings:
        tz = zone and timezone(zone)

    registry.settings = Settings
    return []


def timezone(text):
    """The tuple of a zone."""
    return tz.parse(text)


def ready():
    """The timers, once the first poll has succeeded."""
    made = timers.timers
    if made.begin():
        made.floor_s = 0
        if "copepod.crontab" in sys.modules:
            forget("copepod.crontab")  # as prepare.py does
    return made


def note(calls, name):
    """A function of a bot that notes its call."""

    def function():
        calls.append(name)

    return function


def at(day_s, text):
    """The second of "HH:MM" on that day."""
    hour, minute = text.split(":")
    return day_s + int(hour) * 3600 + int(minute) * 60


def due(plan, first_s, count, step_s=60):
    """The minutes, from `first_s` on, at which a timer is called, as (day of the month, hour, minute)."""
    calls = begin()
    found = []
    timers.cron(plan)(note(calls, "x"))
    made = ready()
    made.look(first_s - 60)
    for index in range(count):
        now_s = first_s + index * step_s
        made.look(now_s)
        if calls:
            now = gmtime(now_s)
            found.append((now[2], now[3], now[4]))
            calls.clear()
    return found


def refused(function, argument):
    """What the ValueError says."""
    try:
        function(argument)
    except ValueError as error:
        return str(error)
    raise AssertionError("accepted: %r" % (argument,))
