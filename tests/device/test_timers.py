"""When a timer is due: seconds that pass, minutes of a clock, outages, clocks that are set, daylight saving."""

from copepod import registry, timers
from fakes.timers import BERLIN, DAY_S, MONDAY, at, begin, due, note, ready, refused

FORWARD = 1774746000  # 2026-03-29 01:00 UTC: 02:00 in Berlin is 03:00
BACK = 1792890000  # 2026-10-25 01:00 UTC: 03:00 in Berlin is 02:00


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


def test_each_minute_is_looked_at_once():
    assert due("*/20 8 * * *", at(MONDAY, "7:59"), 200) == [(29, 8, 0), (29, 8, 20), (29, 8, 40)]
    # Looked at each second, too.
    assert due("30 7 * * *", at(MONDAY, "7:29"), 180, 1) == [(29, 7, 30)]


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
