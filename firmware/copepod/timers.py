"""Functions of bot.py that run by the clock, and the task that calls them. Memory: 64 B a timer, and its function.

from copepod.timers import cron, daily, every

@every(60)
async def measure():
    ...

@daily("07:30")
def report():
    return "It is **%d** degrees." % degrees()  # to the owner

@cron("0 7 * * 1-5")
async def wake(): ...

A function has no arguments and is async or not; a str that it returns is sent to the bot's owner. One that is
still at work when it is due again is left out this time. See docs/bot.md for what an outage and the hour that
daylight saving skips or repeats do.
"""

import gc
from time import gmtime, ticks_diff, ticks_ms, time

from micropython import const

from copepod import registry, unasked
from copepod.once import forget
from copepod.signal import Signal

_SECONDS_MAX = const(1000000)  # of every(), in ms a small int
_LOOK_MS = const(1000)  # how often to look at the clock
_LATE_MIN = const(60)  # later than that a time is passed over
_LONGEST_MS = const(3600000)


def every(seconds):
    """Call a function each `seconds` (1 to 1,000,000, int or float), first when that time has passed; ValueError.

    It is not made up for what was missed: after a standstill it is called once, then at its usual times.
    """
    if type(seconds) not in (int, float) or not 1 <= seconds <= _SECONDS_MAX:
        raise ValueError("every(%r): seconds: expected 1 to %d" % (seconds, _SECONDS_MAX))
    return _registered(int(seconds * 1000))


def daily(time_of_day):
    """Call a function each day at "HH:MM" by the clock of the config's `tz`; ValueError."""
    from copepod import crontab

    return _registered(crontab.daily(time_of_day))


def cron(fields):
    """Call a function when "minute hour day-of-month month day-of-week" are all met; ValueError names the field.

    `*`, lists, ranges and steps (`*/5`, `8-18/2`), mon-sun and jan-dec; 0 and 7 are Sunday. Where a day of the
    month and one of the week are given, any of them will do.
    """
    from copepod import crontab

    return _registered(crontab.cron(fields))


def _registered(plan):
    def register(function):
        if not timers.functions:
            registry.starts.append(timers.run)
        timers.functions.append(function)
        timers.plans.append(plan)
        timers.left_ms.append(plan if type(plan) is int else 0)
        return function

    return register


class Timers:
    """All timers: the function, the plan and, for every(), the ms that are left lie at one place of three lists.

    A plan is the ms of every(), or what crontab.py makes. One that names hours is due once at each time of day
    that it names: a time that daylight saving skips comes at the first minute after it, one that comes twice
    counts the first time. One that is due in any hour goes by the minutes as they pass.
    """

    functions: list
    plans: list
    left_ms: list
    zone: "tuple | None"  # see tz.py; None is UTC
    floor_s: int  # a clock before this was never set
    minute: "int | None"  # of UTC, the last one that was looked at; None while there is no clock
    latest: int  # local minute that was looked at
    from_s: int  # the offset holds from then
    until_s: int  # until then
    offset_s: int  # of local time

    async def run(self):
        """Call each function when it is due, for ever. Begins at the first poll."""
        by_the_clock = self.begin()
        signal = Signal()
        wait_ms = 0
        before_ms = ticks_ms()
        while True:
            await signal.limit(wait_ms)
            now_ms = ticks_ms()
            try:
                wait_ms = self.pass_ms(ticks_diff(now_ms, before_ms))
                if by_the_clock:
                    self.look(time())
                    wait_ms = min(wait_ms, _LOOK_MS)
            except MemoryError:  # of our own: what has begun to be due has begun
                gc.collect()
                wait_ms = _LOOK_MS
            before_ms = now_ms

    def begin(self):
        """Get ready; returns whether a timer needs a clock that was set."""
        self.minute = None
        self.zone = registry.settings and registry.settings.tz
        self.from_s = self.until_s = self.offset_s = self.latest = 0
        for plan in self.plans:
            if type(plan) is not int:
                from copepod.net import clock

                self.floor_s = clock.earliest_s()
                forget("copepod.net.clock")
                return True
        return False

    def pass_ms(self, passed_ms):
        """So much time has passed: call what is due of every(); returns the ms until the next is."""
        wait_ms = _LONGEST_MS
        index = 0
        for plan in self.plans:
            if type(plan) is int:
                left_ms = self.left_ms[index] - passed_ms
                due = left_ms <= 0
                if due:
                    left_ms += plan
                    if left_ms <= 0:  # more than once: that is not made up for
                        left_ms = plan
                self.left_ms[index] = left_ms
                wait_ms = min(wait_ms, left_ms)
                if due:
                    unasked.begin(self.functions[index])
            index += 1
        return wait_ms

    def look(self, now_s):
        """It is `now_s` by the clock: call what has become due since the last look, each once."""
        minute = now_s // 60
        before = self.minute
        if minute == before or now_s < self.floor_s:
            return
        if (
            before is None or minute < before - _LATE_MIN
        ):  # it begins, or the clock was set back by far
            self.latest = self._local(minute)
            self.minute = minute
            return
        if minute < before:
            return  # these minutes were looked at
        if minute - before > _LATE_MIN:
            before = minute - _LATE_MIN
            self.latest = max(self.latest, self._local(before))
        called = 0
        while before < minute:
            before += 1
            self.minute = before
            local = self._local(before)
            # The minutes that daylight saving skips, and this one.
            for at in range(min(self.latest + 1, local), local + 1):
                called = self._call(gmtime(at * 60), at > self.latest, at == local, called)
            self.latest = max(self.latest, local)

    def _call(self, now, is_new, is_real, called):
        # What is due in a local minute, but for those whose bits `called` has; returns these and those.
        index = 0
        for plan in self.plans:
            if type(plan) is not int and not called >> index & 1 and _due(plan, now):
                if is_new if plan[18] & 2 else is_real:  # crontab.py's flag: it names hours
                    called |= 1 << index
                    unasked.begin(self.functions[index])
            index += 1
        return called

    def _local(self, minute):
        # The local minute that a minute of UTC is.
        if self.zone is None:
            return minute
        at_s = minute * 60
        if not self.from_s <= at_s < self.until_s:
            from copepod import tz

            self.from_s, self.until_s, self.offset_s = tz.span(self.zone, at_s)
            forget("copepod.tz")
        return (at_s + self.offset_s) // 60


def _due(plan, now):
    # The minute `now`, as gmtime() gives it, is one of the plan.
    if not (_has(plan, 0, now[4]) and _has(plan, 8, now[3]) and _has(plan, 15, now[1])):
        return False
    day = _has(plan, 11, now[2])
    weekday = _has(plan, 17, (now[6] + 1) % 7)
    return day or weekday if plan[18] & 1 else day and weekday


def _has(plan, first, value):
    return plan[first + (value >> 3)] >> (value & 7) & 1


timers = Timers()
timers.functions = []
timers.plans = []
timers.left_ms = []
