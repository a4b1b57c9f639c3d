"""Time zones in POSIX form: what is taken, what is refused and why, and both epochs. See test_zones.py."""

import time

from copepod import tz

PURE = True

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
CHANGES = 1774746000  # 2026-03-29 01:00 UTC, when the clocks of Berlin go forward
BACK = 1792890000  # 2026-10-25 01:00 UTC


def test_offsets():
    for text, offset_s in (
        ("UTC0", 0),
        ("EST5", -18000),
        ("<+03>-3", 10800),
        ("<+0530>-5:30", 19800),
        ("NZST-12:00:00", 43200),
        ("ABC+1:2:3", -3723),
        ("XYZ-24", 86400),
    ):
        zone = tz.parse(text)
        assert zone == (offset_s,), zone
        from_s, until_s, found_s = tz.span(zone, CHANGES)
        assert found_s == offset_s and from_s <= CHANGES < until_s


def test_rules():
    assert tz.parse(BERLIN) == (3600, 7200, (3, 5, 0, 7200), (10, 5, 0, 10800))
    assert tz.parse("AAA3BBB2:30,J60/1,J300/-5:30") == (
        -10800,
        -9000,
        (0, 60, 0, 3600),
        (0, 300, 0, -19800),
    )
    assert tz.parse("<-02>2<-01>,0/0,365/167") == (-7200, -3600, (0, 0, 1, 0), (0, 365, 1, 601200))


def test_the_hour_that_is_left_out():
    zone = tz.parse(BERLIN)
    assert tz.span(zone, CHANGES - 1)[1:] == (CHANGES, 3600)
    assert tz.span(zone, CHANGES) == (CHANGES, BACK, 7200)
    assert tz.span(zone, BACK - 1) == (CHANGES, BACK, 7200)
    from_s, _, offset_s = tz.span(zone, BACK)
    assert (from_s, offset_s) == (BACK, 3600)


def test_what_is_refused_says_why():
    for text, word in (
        ("", "name"),
        ("Europe/Berlin", "number"),
        ("CE-1", "name"),
        ("<+3>-3", "<>"),
        ("<+03-3", "<>"),
        ("CET", "number"),
        ("CET-", "number"),
        ("CET-25", "25 is not 0 to 24"),
        ("CET-1:60", "60 is not 0 to 59"),
        ("CET-1CEST", "begins"),
        ("CET-1CEST,M3.5.0", "ends"),
        ("CET-1CEST,M13.5.0,M10.5.0", "13 is not 1 to 12"),
        ("CET-1CEST,M3.6.0,M10.5.0", "6 is not 1 to 5"),
        ("CET-1CEST,M3.5.7,M10.5.0", "7 is not 0 to 6"),
        ("CET-1CEST,M3,M10.5.0", "Mmonth.week.weekday"),
        ("CET-1CEST,J0,J1", "0 is not 1 to 365"),
        ("CET-1CEST,1,366", "366 is not 0 to 365"),
        ("CET-1CEST,M3.5.0/168,M10.5.0", "168 is not 0 to 167"),
        ("CET-1CEST,M3.5.0,M10.5.0/3 ", "nothing may follow"),
        ("CET -1", "number"),
    ):
        try:
            tz.parse(text)
        except ValueError as error:
            assert word in str(error), (text, str(error))
        else:
            raise AssertionError("accepted: " + text)


def test_the_epoch_of_a_board():
    # Seconds since 2000 there, and the same moments.
    def gmtime(seconds):
        return (2000,) if seconds == 0 else time.gmtime(seconds + 946684800)

    zone = tz.parse(BERLIN)
    here = [
        tz.span(zone, at) for at in range(CHANGES - 86400 * 400, CHANGES + 86400 * 400, 86400 * 5)
    ]
    original = tz.gmtime
    tz.gmtime = gmtime
    try:
        there = [
            tz.span(zone, at - 946684800)
            for at in range(CHANGES - 86400 * 400, CHANGES + 86400 * 400, 86400 * 5)
        ]
    finally:
        tz.gmtime = original
    assert len(here) == 160
    for before, after in zip(here, there):
        assert after == (before[0] - 946684800, before[1] - 946684800, before[2])
