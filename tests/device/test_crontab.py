"""The times of a timer: what daily() and cron() take and refuse, and the days and minutes they mean."""

from time import gmtime

from copepod import crontab, timers
from fakes.timers import MONDAY, begin, due, refused


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
