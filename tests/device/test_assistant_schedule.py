"""When a job is due next: by the clock, in a zone with daylight saving, after a standstill."""

from copepod import tz
from copepod.assistant import schedule

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
FORWARD = 1774746000  # 2026-03-29 01:00 UTC: 02:00 in Berlin is 03:00
BACK = 1792890000  # 2026-10-25 01:00 UTC: 03:00 in Berlin is 02:00
DAY_S = 86400
HOUR_S = 3600


class Config:
    tz = None


class Gateway:
    config = Config


def in_zone(text):
    """A gateway whose clock is there."""
    Config.tz = text and tz.parse(text)
    return Gateway


def test_by_the_clock():
    gateway = in_zone(None)
    assert schedule.cron_next(gateway, "0 * * * *", FORWARD) == FORWARD + HOUR_S
    assert schedule.cron_next(gateway, "0 * * * *", FORWARD - 1) == FORWARD
    assert schedule.cron_next(gateway, "30 0 * * *", FORWARD) == FORWARD + DAY_S - HOUR_S // 2
    assert schedule.local(gateway, FORWARD) == "2026-03-29 01:00:00"


def test_over_a_change_of_the_clock():
    gateway = in_zone(BERLIN)
    noon = "0 12 * * *"
    assert schedule.cron_next(gateway, noon, FORWARD - 2 * HOUR_S) == FORWARD + 9 * HOUR_S
    assert schedule.cron_next(gateway, noon, FORWARD + 9 * HOUR_S) == FORWARD + 9 * HOUR_S + DAY_S
    assert schedule.cron_next(gateway, noon, BACK - 2 * HOUR_S) == BACK + 10 * HOUR_S
    # a time that the change skips comes within the hour after it, one that comes twice comes once
    skipped = schedule.cron_next(gateway, "30 2 * * *", FORWARD - HOUR_S)
    assert FORWARD <= skipped <= FORWARD + HOUR_S
    assert schedule.cron_next(gateway, "30 2 * * *", skipped) == FORWARD + DAY_S - HOUR_S // 2
    twice = schedule.cron_next(gateway, "30 2 * * *", BACK - 2 * HOUR_S)
    after = schedule.cron_next(gateway, "30 2 * * *", twice)
    assert twice == BACK - HOUR_S // 2, twice - BACK
    assert after >= twice + HOUR_S
    for change in (FORWARD, BACK):
        now = change - 5 * HOUR_S
        while now < change + 5 * HOUR_S:  # it goes on, whatever the clock does
            following = schedule.cron_next(gateway, "*/20 * * * *", now)
            assert now < following <= now + 2 * HOUR_S, (now - change, following - now)
            now = following
    assert schedule.local(gateway, FORWARD) == "2026-03-29 03:00:00"


def test_what_is_never_due_or_wrong():
    gateway = in_zone(None)
    job = {"id": "1", "state": {}}
    for planned in (
        {"kind": "cron", "expr": "x"},
        {"kind": "cron"},
        {"kind": "every"},
        {"kind": "at"},
    ):
        job["schedule"] = planned
        assert schedule._next(gateway, job, FORWARD) is None
    job["schedule"] = {"kind": "every", "everyMs": 60000}
    assert schedule._next(gateway, job, FORWARD) == FORWARD + 60
    job["state"] = {"nextRunAtMs": (FORWARD - 10) * 1000}
    assert schedule._next(gateway, job, FORWARD) == FORWARD + 50
    job["state"] = {"nextRunAtMs": (FORWARD - 1000) * 1000}  # what was missed is not made up for
    assert schedule._next(gateway, job, FORWARD) == FORWARD + 60
    job["schedule"] = {"kind": "at", "atMs": (FORWARD - 1) * 1000}
    assert schedule._next(gateway, job, FORWARD) == FORWARD - 1
