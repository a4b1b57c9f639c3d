"""The clock gate before TLS: NTP, the build's day as floor, both epochs (fakes/ntptime.py).

Checked by taking it out of net/clock.py or net/ntp.py (tests/host/firmware/test_traps.py):

    the floor for an answer                test_an_answer_from_before_the_build
    the floor for the clock                test_no_answer_and_no_clock
    a clock past the floor will do         test_no_answer_but_the_clock_goes_on
    once a day only                        test_asks_once_a_day
    several hosts, several rounds          test_the_second_host, test_the_second_round
    ntptime.timeout                        test_timeout
    the epoch of 2000                      test_epochs
    tm_wday + 1, UTC                       test_sets_the_clock
"""

from fakes.world import install

DAY_S = 86400
BUILD_DAY = 20700
# The fakes run on Unix, whose epoch is 1970; test_epochs has the other one.


class Time:
    """Stand-in for `time`: a clock that the test sets, in either epoch."""

    def __init__(self, day, epoch=1970):
        self.seconds = day * DAY_S
        self.epoch = epoch

    def time(self):
        return self.seconds

    def gmtime(self, seconds=0):
        assert seconds == 0
        return (self.epoch, 1, 1, 0, 0, 0, 3, 1)


def begin(day=0):
    """Return (world, ntptime, clock, lines), the board's clock at `day`."""
    world, port = install()
    import ntptime
    from copepod.net import clock

    clock.time = Time(day)
    clock.DAY = BUILD_DAY
    clock.forget = lambda name: None  # ntp.py stays as it is prepared here
    from copepod.net import ntp

    ntp.sleep_ms = world.sleep_ms
    lines = []
    clock.log = ntp.log = lambda area, *parts: lines.append(
        area + ": " + "".join([str(part) for part in parts])
    )
    setter = port.set_clock

    def set_clock(seconds):
        setter(seconds)
        clock.time.seconds = seconds

    port.set_clock = set_clock
    return world, ntptime, clock, lines


def test_sets_the_clock():
    world, ntptime, clock, lines = begin()
    import machine

    ntptime.answers["pool.ntp.org"] = 1795358096  # 2026-11-22 14:34:56 UTC, a Sunday
    assert world.run(clock.ready())
    assert machine.datetimes == [(2026, 11, 22, 7, 14, 34, 56, 0)], machine.datetimes
    assert lines == ["clock: set by pool.ntp.org"], lines


def test_no_answer_and_no_clock():
    world, ntptime, clock, lines = begin()
    assert world.run(clock.ready()) is None
    assert len(lines) == 1 and lines[0].startswith("clock: clock not set:"), lines
    assert "UDP port 123" in lines[0]
    assert len(set(ntptime.asked)) == 3
    assert not clock.is_set()
    # and it asks again at the next attempt
    ntptime.answers["time.google.com"] = BUILD_DAY * DAY_S
    assert world.run(clock.ready())


def test_no_answer_but_the_clock_goes_on():
    # The real-time clock goes on through a reset.
    world, ntptime, clock, lines = begin(BUILD_DAY + 3)
    assert world.run(clock.ready())
    assert ntptime.asked
    assert len(lines) == 1 and "own clock" in lines[0], lines


def test_asks_once_a_day():
    for answers in (True, False):
        world, ntptime, clock, lines = begin(BUILD_DAY + 3)
        if answers:
            ntptime.answers["pool.ntp.org"] = (BUILD_DAY + 5) * DAY_S
        day = world.run(clock.ready())
        assert day == clock.day()
        asked = len(ntptime.asked)
        before_ms = world.now_ms
        assert world.run(clock.ready(day)) == day
        assert len(ntptime.asked) == asked and world.now_ms == before_ms
        clock.time.seconds += DAY_S
        assert world.run(clock.ready(day))
        assert len(ntptime.asked) > asked


def test_an_answer_from_before_the_build():
    world, ntptime, clock, lines = begin()
    import machine

    ntptime.answers["pool.ntp.org"] = BUILD_DAY * DAY_S - 1
    assert world.run(clock.ready()) is None
    assert not machine.datetimes
    assert "before the build" in lines[0] and "clock not set" in lines[-1], lines
    ntptime.answers["time.cloudflare.com"] = BUILD_DAY * DAY_S + 77
    assert world.run(clock.ready())
    assert lines[-1] == "clock: set by time.cloudflare.com"


def test_the_second_host():
    world, ntptime, clock, lines = begin()
    for trouble in (OSError(-202), ValueError("buffer too small"), IndexError()):
        ntptime.answers["pool.ntp.org"] = trouble
        ntptime.answers["time.cloudflare.com"] = BUILD_DAY * DAY_S
        clock.time.seconds = 0
        assert world.run(clock.ready())
        assert lines[-1] == "clock: set by time.cloudflare.com", lines


def test_the_second_round():
    world, ntptime, clock, lines = begin()

    def later(_):
        if len(ntptime.asked) == 3:
            ntptime.answers["pool.ntp.org"] = BUILD_DAY * DAY_S

    world.waiters.append(later)
    assert world.run(clock.ready())
    assert ntptime.asked == [
        "pool.ntp.org",
        "time.cloudflare.com",
        "time.google.com",
        "pool.ntp.org",
    ]


def test_timeout():
    world, ntptime, clock, _ = begin()
    world.run(clock.ready())
    assert ntptime.timeout == 2
    assert world.now_ms < 20000


def test_other_errors_come_through():
    world, ntptime, clock, _ = begin()
    ntptime.answers["pool.ntp.org"] = MemoryError()
    try:
        world.run(clock.ready())
        raise AssertionError("swallowed")
    except MemoryError:
        pass


def test_epochs():
    # The board counts from 2000, and so does what ntptime answers there.
    world, ntptime, clock, _ = begin()
    clock.time = Time(BUILD_DAY - 10957, 2000)
    assert clock.day() == BUILD_DAY and clock.is_set()
    clock.time.seconds -= 1
    assert not clock.is_set()
    ntptime.answers["pool.ntp.org"] = (BUILD_DAY - 10957) * DAY_S
    assert world.run(clock.ready())
    clock.time = Time(BUILD_DAY, 1970)
    assert clock.day() == BUILD_DAY and clock.is_set()


def test_where_the_system_keeps_the_clock():
    world, ntptime, clock, lines = begin(BUILD_DAY)
    clock.port.sets_clock = False
    assert world.run(clock.ready())
    assert not ntptime.asked and not lines
    clock.time.seconds -= 1
    assert world.run(clock.ready()) is None
    assert not ntptime.asked and "Set the system's date" in lines[0], lines
