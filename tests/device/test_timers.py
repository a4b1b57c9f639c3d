"""Timers: what is taken and refused, when each is due, outages, daylight saving, failures, and what they cost.

The task is asked directly (pass_ms, look), with a clock of the test's: nothing here waits for a minute.
"""

import asyncio
import gc
import sys
from time import gmtime

from copepod import crontab, registry, timers, tz, unasked
from copepod.once import forget

# It measures modules as they lie in firmware/, by their names.
SOURCE_ONLY = ("test_what_sixteen_cost",)

DAY_S = 86400
MONDAY = 20602 * DAY_S  # 2026-05-29 is a Friday: see test_the_days
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
FORWARD = 1774746000  # 2026-03-29 01:00 UTC: 02:00 in Berlin is 03:00
BACK = 1792890000  # 2026-10-25 01:00 UTC: 03:00 in Berlin is 02:00


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


# --- registering


def test_every_takes_seconds():
    calls = begin()
    for seconds in (1, 1.5, 60, 1000000):
        assert timers.every(seconds)(note(calls, "")) is timers.timers.functions[-1]
    assert timers.timers.plans == [1000, 1500, 60000, 1000000000]
    assert len(registry.starts) == 1  # one task for all
    for seconds in (0, 0.5, -1, 1000001, "60", None, True, float("nan"), float("inf")):
        assert "every(" in refused(timers.every, seconds) and "seconds" in refused(
            timers.every, seconds
        )


def test_daily_takes_a_time():
    begin()
    assert crontab.daily("07:30") == crontab.cron("30 7 * * *") == crontab.daily("7:30")
    assert crontab.daily("00:00") == crontab.cron("0 0 * * *")
    for text in (
        "24:00",
        "12:60",
        "0730",
        "7:3",
        "",
        ":",
        "aa:bb",
        "-1:00",
        "07:30:00",
        " 7:30",
        "007:30",
    ):
        assert "HH:MM" in refused(timers.daily, text), text


def test_cron_takes_what_crontab_takes():
    for one, other in (
        ("*/15 * * * *", "0,15,30,45 * * * *"),
        ("5-20/5 * * * *", "5,10,15,20 * * * *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sun", "0 0 * * 0"),
        ("0 0 * * Mon-FRI", "0 0 * * 1-5"),
        ("0 0 * * sat-sun", "0 0 * * 6,0"),
        ("0 0 * * 5-7", "0 0 * * 5,6,0"),
        ("0 0 1 jan,JUL *", "0 0 1 1,7 *"),
        ("0 0 1 feb-apr *", "0 0 1 2-4 *"),
        ("59 23 31 12 *", " 59  23\t31 12 * "),
        ("1,1,1 * * * *", "1 * * * *"),
    ):
        assert crontab.cron(one) == crontab.cron(other), one


def test_cron_names_the_field_that_is_wrong():
    for text, word in (
        ("60 * * * *", "minute: '60' is not 0 to 59"),
        ("* 24 * * *", "hour: '24' is not 0 to 23"),
        ("* * 0 * *", "day-of-month: '0' is not 1 to 31"),
        ("* * 32 * *", "day-of-month"),
        ("* * * 13 *", "month: '13' is not 1 to 12"),
        ("* * * 0 *", "month"),
        ("* * * * 8", "day-of-week: '8' is not 0 to 7"),
        ("* * * * mo", "day-of-week: 'mo' is not"),
        ("jan * * * *", "minute"),
        ("* * * mon *", "month"),
        ("*/0 * * * *", "minute: '0' is no step"),
        ("*/ * * * *", "minute: '' is no step"),
        ("5/10 * * * *", "minute: a step needs"),
        ("* 5-3 * * *", "hour: the range '5-3' runs backwards"),
        ("* * * * fri-mon", "day-of-week: the range"),
        ("* 1- * * *", "hour"),
        ("* -1 * * *", "hour"),
        (", * * * *", "minute"),
        ("1, * * * *", "minute"),
        ("** * * * *", "minute"),
        ("1.5 * * * *", "minute"),
        ("0 0 31 2 *", "day-of-month: 31 never comes"),
        ("0 0 30,31 feb *", "day-of-month"),
        ("0 0 31 4,6,9,11 *", "day-of-month"),
        ("* * * *", "found 4 fields"),
        ("* * * * * *", "found 6 fields"),
        ("", "found 0 fields"),
        ("@daily", "found 1 fields"),
    ):
        assert word in refused(timers.cron, text), (text, refused(timers.cron, text))
    crontab.cron("0 0 29 2 *")  # it comes
    crontab.cron("0 0 31 2 1")  # on Mondays


# --- when


def test_the_days():
    assert gmtime(MONDAY)[:3] == (2026, 5, 29) and gmtime(MONDAY)[6] == 4
    # A week from Friday the 29th on, each hour: the 1st is a Monday.
    assert due("0 7 * * 1-5", MONDAY, 24 * 7, 3600) == [
        (29, 7, 0),
        (1, 7, 0),
        (2, 7, 0),
        (3, 7, 0),
        (4, 7, 0),
    ]
    assert due("0 7 * * 0", MONDAY, 24 * 9, 3600) == [(31, 7, 0)]
    assert due("0 7 * jun *", MONDAY, 24 * 5, 3600) == [(1, 7, 0), (2, 7, 0)]
    assert due("0 7 1 * *", MONDAY, 24 * 7, 3600) == [(1, 7, 0)]


def test_a_day_of_the_month_or_one_of_the_week():
    assert due("0 7 30 * 1", MONDAY, 24 * 7, 3600) == [(30, 7, 0), (1, 7, 0)]  # POSIX
    assert due("0 7 */2 * 1", MONDAY, 24 * 7, 3600) == [(1, 7, 0)]  # one is a *: both


def test_each_minute_is_looked_at_once():
    assert due("*/20 8 * * *", at(MONDAY, "7:59"), 200) == [(29, 8, 0), (29, 8, 20), (29, 8, 40)]
    # Looked at each second, too.
    assert due("30 7 * * *", at(MONDAY, "7:29"), 180, 1) == [(29, 7, 30)]


def test_every_is_called_when_its_time_has_passed():
    calls = begin()
    timers.every(60)(note(calls, "a"))
    timers.every(1.5)(note(calls, "b"))
    made = timers.timers
    assert made.begin() is False  # no clock is needed
    assert made.pass_ms(0) == 1500 and not calls
    assert made.pass_ms(1400) == 100 and not calls
    assert made.pass_ms(150) == 1450 and calls == ["b"]  # late, and the next is on time
    assert made.pass_ms(1450) == 1500
    for _ in range(38):
        made.pass_ms(1500)
    assert sorted(calls) == ["a"] + ["b"] * 40


def test_every_does_not_make_up_for_a_standstill():
    calls = begin()
    timers.every(60)(note(calls, "a"))
    made = timers.timers
    made.begin()
    assert made.pass_ms(600 * 1000) == 60000
    assert calls == ["a"]
    assert made.pass_ms(59999) == 1 and calls == ["a"]
    made.pass_ms(1)
    assert calls == ["a", "a"]


def test_no_clock_no_time():
    # A board's clock begins in 2000: nothing is due before it is set, nothing is made up for when it is.
    calls = begin()
    timers.daily("07:30")(note(calls, "x"))
    made = ready()
    made.floor_s = MONDAY
    for minute in range(600):
        made.look(DAY_S + minute * 60)
    assert made.minute is None and not calls
    made.look(at(MONDAY, "7:30"))
    assert not calls
    made.look(at(MONDAY + DAY_S, "7:30"))
    assert calls == ["x"]


def test_the_minute_it_begins_in_is_over():
    # So that a restart at half past seven does not report twice.
    calls = begin()
    timers.daily("07:30")(note(calls, "x"))
    made = ready()
    made.look(at(MONDAY, "7:30") + 2)
    made.look(at(MONDAY, "7:30") + 59)
    assert not calls


# --- outages and clocks that are set


def test_less_than_an_hour_late_runs_once():
    for late_min, expected in ((1, 1), (30, 1), (59, 1), (60, 0), (61, 0), (6000, 4)):
        calls = begin()
        timers.daily("07:30")(note(calls, "x"))
        made = ready()
        made.look(at(MONDAY, "7:29"))
        made.look(at(MONDAY, "7:30") + late_min * 60)
        if late_min < 1000:
            assert len(calls) == expected, (late_min, calls)
        made.look(at(MONDAY, "7:31") + late_min * 60)
        assert len(calls) <= 1, late_min  # never made up for twice


def test_what_came_up_often_runs_once():
    calls = begin()
    timers.cron("* * * * *")(note(calls, "minute"))
    timers.cron("0 8 * * *")(note(calls, "eight"))
    made = ready()
    made.look(at(MONDAY, "7:30"))
    made.look(at(MONDAY, "8:10"))
    assert sorted(calls) == ["eight", "minute"]
    made.look(at(MONDAY, "8:11"))
    assert sorted(calls) == ["eight", "minute", "minute"]


def test_a_clock_that_is_set_back():
    calls = begin()
    timers.daily("07:30")(note(calls, "x"))
    timers.cron("* * * * *")(note(calls, "minute"))
    made = ready()
    made.look(at(MONDAY, "7:29"))
    made.look(at(MONDAY, "7:30"))
    for minute in range(11):  # a few minutes: they come again, the timers do not
        made.look(at(MONDAY, "7:20") + minute * 60)
    assert sorted(calls) == ["minute", "x"]
    made.look(at(MONDAY, "7:31"))
    assert sorted(calls) == ["minute", "minute", "x"]
    calls.clear()
    made.look(at(MONDAY - 5 * DAY_S, "7:29"))  # by far: it goes by the new time
    made.look(at(MONDAY - 5 * DAY_S, "7:30"))
    assert sorted(calls) == ["minute", "x"]


# --- daylight saving


def minutes(plan, first_s, last_s):
    """The UTC minutes from `first_s` to `last_s` at which a timer in Berlin is called, from `first_s` in minutes."""
    calls = begin(BERLIN)
    timers.cron(plan)(note(calls, "x"))
    made = ready()
    made.look(first_s - 60)
    found = []
    for now_s in range(first_s, last_s + 1, 60):
        made.look(now_s)
        if calls:
            found.append((now_s - first_s) // 60)
            assert len(calls) == 1
            calls.clear()
    return found


def test_local_time():
    assert minutes("30 7 * * *", FORWARD - DAY_S, FORWARD - DAY_S // 2) == [330]  # 06:30 UTC
    assert minutes("30 7 * * *", FORWARD + DAY_S, FORWARD + 2 * DAY_S) == [270]  # 05:30


def test_a_time_that_does_not_exist_runs_at_the_first_minute_after_it():
    first_s = FORWARD - 7200  # 00:00 in Berlin; 02:00 to 02:59 are left out 120 minutes later
    for plan, expected in (
        ("59 1 * * *", [119]),
        ("0 2 * * *", [120]),
        ("30 2 * * *", [120]),
        ("59 2 * * *", [120]),
        ("0 3 * * *", [120]),
        ("10 3 * * *", [130]),
        ("0,30 1-3 * * *", [60, 90, 120, 150]),  # 02:00, 02:30 and 03:00 are one
        (
            "*/30 * * * *",
            [0, 30, 60, 90, 120, 150, 180],
        ),  # in any hour: by the minutes as they pass
        ("30 * * * *", [30, 90, 150]),
    ):
        assert minutes(plan, first_s, first_s + 180 * 60) == expected, (plan, expected)


def test_a_time_that_exists_twice_runs_once():
    first_s = BACK - 10800  # 00:00 in Berlin; 02:00 comes after 120 minutes and after 180
    for plan, expected in (
        ("59 1 * * *", [119]),
        ("0 2 * * *", [120]),
        ("30 2 * * *", [150]),
        ("59 2 * * *", [179]),
        ("0 3 * * *", [240]),
        ("*/30 2 * * *", [120, 150]),
        ("0 * * * *", [0, 60, 120, 180, 240]),  # in any hour: each hour that passes
    ):
        assert minutes(plan, first_s, first_s + 260 * 60) == expected, (plan, expected)


def test_an_outage_over_a_change():
    calls = begin(BERLIN)
    timers.daily("02:30")(note(calls, "x"))
    made = ready()
    made.look(FORWARD - 60)
    made.look(FORWARD + 600)  # 03:10
    assert calls == ["x"]
    made.look(BACK - 1900)  # 02:28, the first time
    made.look(BACK - 1700)
    assert calls == ["x", "x"]
    made.look(BACK + 1900)  # an hour on, 02:31 again
    assert calls == ["x", "x"]


# --- what a function does


class Said:
    """Stands in for failures.task_failed()."""

    def __init__(self):
        self.lines = []

    def task_failed(self, context):
        self.lines.append((context["name"], repr(context["exception"])))


def failures():
    """Let what is said of failures be noted."""
    said = Said()
    import copepod

    sys.modules["copepod.failures"] = said
    copepod.failures = said
    unasked.forget = lambda name: None
    return said


def restore():
    """The real ones again."""
    unasked.forget = forget
    forget("copepod.failures")


def test_a_timer_that_fails_is_named_once_and_goes_on():
    said = failures()
    calls = begin()

    @timers.every(1)
    def measure():
        calls.append("x")
        if len(calls) < 4 or len(calls) == 5:
            raise ValueError("no sensor")

    @timers.every(1)
    async def later():
        raise SystemExit(3)

    @timers.every(1)
    def well():
        calls.append("well")

    async def main():
        made = timers.timers
        made.begin()
        for _ in range(3):
            made.pass_ms(1000)
            await asyncio.sleep_ms(1)

    try:
        asyncio.run(main())
        assert calls.count("well") == 3 and calls.count("x") == 3
        assert [name for name, _ in said.lines] == ["measure", "later"], said.lines
        assert "no sensor" in said.lines[0][1] and "SystemExit" in said.lines[1][1]
        begin()
        said.lines.clear()
        calls.clear()
        timers.every(1)(measure)
        for _ in range(6):  # fails three times, works, fails again, works: said twice
            timers.timers.pass_ms(1000)
        assert [name for name, _ in said.lines] == ["measure", "measure"], said.lines
        assert len(calls) == 6
    finally:
        restore()


def test_one_that_is_at_work_is_left_out():
    calls = begin()
    gate = asyncio.Event()

    @timers.every(1)
    async def slow():
        calls.append("begin")
        await gate.wait()
        calls.append("end")

    async def main():
        made = timers.timers
        made.begin()
        for _ in range(5):
            made.pass_ms(1000)
            await asyncio.sleep_ms(0)
        assert calls == ["begin"]
        gate.set()
        await asyncio.sleep_ms(5)
        assert calls == ["begin", "end"]
        made.pass_ms(1000)
        await asyncio.sleep_ms(5)
        assert calls == ["begin", "end"] * 2

    asyncio.run(main())


def test_ctrl_c_is_for_the_gateway():
    begin()

    @timers.every(1)
    def interrupted():
        raise KeyboardInterrupt

    timers.timers.begin()
    try:
        timers.timers.pass_ms(1000)
        raise AssertionError("swallowed")
    except KeyboardInterrupt:
        pass


def test_the_task_calls_what_is_due():
    calls = begin()
    later_s = MONDAY + 3650 * DAY_S  # after the day of any build
    done = asyncio.Event()
    seconds = [at(later_s, "7:29")]
    original = timers.time
    timers.time = lambda: seconds[0]

    @timers.every(1)
    def tick():
        calls.append("tick")
        seconds[0] = at(later_s, "7:30")

    @timers.daily("07:30")
    async def report():
        calls.append("report")
        done.set()

    async def main():
        task = asyncio.create_task(registry.starts[0]())
        await asyncio.wait_for(done.wait(), 10)
        task.cancel()

    try:
        asyncio.run(main())
    finally:
        timers.time = original
    assert calls[:2] == ["tick", "report"] and len(registry.starts) == 1, calls


# --- memory


def test_what_sixteen_cost():
    """Sixteen timers take less than 1.5 kB of live heap beyond their functions; the parsers are dropped."""
    calls = begin()
    functions = [note(calls, str(index)) for index in range(16)]
    for index in range(2):  # what is made once: the lists of one timer, the modules
        timers.daily("07:30")(functions[0])
        ready()
        timers.timers.functions.clear()
        timers.timers.plans.clear()
        timers.timers.left_ms.clear()
    timers.timers.functions = []
    timers.timers.plans = []
    timers.timers.left_ms = []
    gc.collect()
    before_b = gc.mem_alloc()
    for index in range(16):
        timers.cron("%d 7 1-7 * 1-5" % index)(functions[index])
    ready()
    gc.collect()
    cost_b = gc.mem_alloc() - before_b
    print("sixteen timers: %d B" % cost_b)
    assert len(timers.timers.plans) == 16
    assert "copepod.crontab" not in sys.modules and "copepod.tz" not in sys.modules
    assert 0 < cost_b < 1500, cost_b


def test_the_heap_does_not_grow():
    calls = begin(BERLIN)

    async def answer():
        calls.append(1)

    for index in range(8):
        timers.cron("%d-59/8 * * * *" % index)(answer if index % 2 else note(calls, 1))
        timers.every(60 + index)(note(calls, 1))
    made = ready()

    def lapse(first_s, minutes):
        async def main():
            for minute in range(minutes):
                made.look(first_s + minute * 60)
                made.pass_ms(60000)
                await asyncio.sleep_ms(0)
            await asyncio.sleep_ms(5)

        asyncio.run(main())
        count = len(calls)
        calls.clear()
        gc.collect()
        return count, gc.mem_alloc()

    lapse(MONDAY, 120)
    _, before_b = lapse(MONDAY + 7200, 120)
    count, after_b = lapse(MONDAY + 14400, 600)
    assert count > 1000 and after_b - before_b < 500, (count, after_b - before_b)


def test_the_minute_that_follows_is_the_one_that_is_called():
    first = MONDAY // 60
    for plan in (
        "* * * * *",
        "*/7 3,4 * * *",
        "0 9 * * 1-5",
        "30 23 31 * *",
        "0 0 1 * mon",
        "59 23 * 6 7",
        "15 */5 2-4 jun *",
    ):
        made = crontab.cron(plan)
        minute = first
        found = []
        while True:
            minute = crontab.following(made, minute)
            if minute > first + 40 * 1440:
                break
            found.append(minute)
            if len(found) == 200:
                break
        last = found[-1] if len(found) == 200 else first + 40 * 1440
        called = []
        for at in range(first + 1, last + 1):
            if timers._due(made, gmtime(at * 60)):
                called.append(at)
        assert found == called, plan
    leap = crontab.following(crontab.cron("5 1 29 2 *"), first)
    assert gmtime(leap * 60)[:5] == (2028, 2, 29, 1, 5)
    never = bytearray(crontab.cron("* * * * *"))
    never[15] = never[16] = 0  # no month
    try:
        crontab.following(never, first)
    except ValueError:
        pass
    else:
        raise AssertionError("a plan without a month was met")
