"""What a timer calls: one that fails, one that is still at work, the gateway's task, and what timers cost."""

import asyncio
import gc
import sys

from copepod import registry, timers, unasked
from copepod.once import forget
from fakes.timers import BERLIN, DAY_S, MONDAY, at, begin, note, ready

# It measures modules as they lie in firmware/, by their names.
SOURCE_ONLY = ("test_what_sixteen_cost",)


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
