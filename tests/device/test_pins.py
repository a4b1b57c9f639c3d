"""Pins: what is taken and refused, bouncing contacts, the interrupt, and the task that waits for it."""

import asyncio
import gc
import sys

import fakes.machine as machine
from copepod import pins, registry, unasked
from copepod.net import asyncio_queue

clock_ms = [0]


def begin():
    """No pins yet, a chip with pins, and a clock that only moves when told to."""
    sys.modules["machine"] = machine
    machine.Pin._all.clear()
    pins.pins.lines = []
    pins.pins.changed = pins.pins.waits = False
    registry.starts.clear()
    unasked._at_work.clear()
    unasked._failing.clear()
    clock_ms[0] = 1000
    pins.ticks_ms = lambda: clock_ms[0]
    return []


def watch(calls, *arguments, **options):
    """Watch a pin; returns (it, its Line) when it listens."""

    @pins.on_pin(*arguments, **options)
    def seen(value):
        calls.append(value)

    line = pins.pins.lines[-1]
    line.listen()
    return line.pin, line


def after(line, duration_ms):
    """Let time pass, and look."""
    clock_ms[0] += duration_ms
    return line.look()


def refused(kind, *arguments, **options):
    """What the error says."""
    try:
        pins.on_pin(*arguments, **options)(None)
    except kind as error:
        return str(error)
    raise AssertionError("accepted")


def test_what_is_refused():
    begin()
    assert "edge 'up'" in refused(ValueError, 4, "up")
    assert "debounce_ms -1" in refused(ValueError, 4, debounce_ms=-1)
    assert "debounce_ms 10001" in refused(ValueError, 4, debounce_ms=10001)
    assert "debounce_ms 1.5" in refused(ValueError, 4, debounce_ms=1.5)
    assert "pull True" in refused(ValueError, 4, pull=True)
    assert "invalid pin" in refused(ValueError, 99)
    assert not pins.pins.lines and not registry.starts
    del sys.modules["machine"]  # the Unix port's own has no pins
    assert "on_pin(4): this machine has no pins" in refused(RuntimeError, 4)


def test_how_the_pin_is_made():
    calls = begin()
    for pull, expected in (
        (None, -1),
        ("up", machine.Pin.PULL_UP),
        ("down", machine.Pin.PULL_DOWN),
    ):
        pin, _ = watch(calls, 4, pull=pull)
        assert (pin.mode, pin.pull) == (machine.Pin.IN, expected)
    assert len(registry.starts) == 1  # one task for all


def test_a_button_that_bounces_is_pressed_once():
    calls = begin()
    pin, line = watch(calls, 4, "falling", debounce_ms=50, pull="up")
    assert line.look() is None
    for level in (0, 1, 0, 1, 0):
        pin.drive(level)
        assert after(line, 7) == 43  # later and later
    assert calls == []
    assert after(line, 42) == 1
    assert after(line, 1) is None and calls == [0]
    for level in (1, 0, 1, 0, 1):  # let go: it bounces, and falls twice
        pin.drive(level)
        after(line, 7)
    after(line, 60)
    assert calls == [0]
    pin.drive(0)
    after(line, 50)
    assert calls == [0, 0]


def test_what_is_shorter_is_no_edge():
    calls = begin()
    pin, line = watch(calls, 4, "falling", debounce_ms=50, pull="up")
    pin.drive(0)
    after(line, 20)
    pin.drive(1)
    assert after(line, 50) is None and after(line, 1000) is None
    assert calls == []


def test_each_edge():
    for edge, expected in (("falling", [0, 0]), ("rising", [1, 1]), ("both", [0, 1, 0, 1])):
        calls = begin()
        pin, line = watch(calls, 4, edge, debounce_ms=10, pull="up")
        for level in (0, 1, 0, 1):
            pin.drive(level)
            after(line, 10)
        assert calls == expected, edge


def test_without_debouncing_each_edge_counts():
    for edge, expected in (("falling", [0]), ("rising", [1]), ("both", [1])):
        calls = begin()
        pin, line = watch(calls, 4, edge, debounce_ms=0, pull="up")
        pin.drive(0)
        pin.drive(1)  # before anybody looks
        assert line.look() is None
        assert calls == expected, edge
        line.look()
        assert calls == expected, edge


def test_ticks_wrap():
    from time import ticks_add

    calls = begin()
    pin, line = watch(calls, 4, "falling", debounce_ms=50, pull="up")
    clock_ms[0] = ticks_add(0, -20)
    pin.drive(0)
    clock_ms[0] = ticks_add(clock_ms[0], 49)
    assert line.look() == 1 and calls == []
    clock_ms[0] = ticks_add(clock_ms[0], 1)
    assert line.look() is None and calls == [0]


def test_an_edge_while_the_function_is_at_work_comes_after_it():
    calls = begin()
    gate = asyncio.Event()

    @pins.on_pin(4, "both", debounce_ms=10, pull="up")
    async def slow(value):
        calls.append(value)
        await gate.wait()

    line = pins.pins.lines[0]
    line.listen()

    async def main():
        line.pin.drive(0)
        after(line, 10)
        await asyncio.sleep_ms(0)
        assert calls == [0]
        line.pin.drive(1)
        assert after(line, 10) == 50 and after(line, 50) == 50  # look again, and again
        assert calls == [0]
        gate.set()
        await asyncio.sleep_ms(1)
        assert after(line, 50) is None
        await asyncio.sleep_ms(1)
        assert calls == [0, 1]

    asyncio.run(main())


def test_the_interrupt_wakes_the_task():
    """With the poller that the gateway has; the interrupt comes while everything waits in it."""
    for installed in (True, False):
        calls = begin()
        from time import ticks_ms

        pins.ticks_ms = ticks_ms
        asyncio.new_event_loop()
        if installed:
            assert asyncio_queue.install()
        done = asyncio.Event()

        @pins.on_pin(4, "both", debounce_ms=5, pull="up")
        async def seen(value):
            calls.append(value)
            done.set()

        @pins.on_pin(5, "rising", debounce_ms=0)
        def other(value):
            calls.append("other")

        async def main():
            task = asyncio.create_task(registry.starts[0]())
            await asyncio.sleep_ms(1)
            four, five = [line.pin for line in pins.pins.lines]
            for round in range(20):
                five.drive(1)
                five.drive(0)
                four.drive(0 if four.level else 1)
                await asyncio.wait_for(done.wait(), 10)
                done.clear()
            task.cancel()

        asyncio.run(main())
        assert [call for call in calls if call != "other"] == [0, 1] * 10, calls
        assert calls.count("other") == 20


def test_waiting_does_not_grow():
    begin()
    from time import ticks_ms

    pins.ticks_ms = ticks_ms
    asyncio.new_event_loop()
    assert asyncio_queue.install()
    done = asyncio.Event()

    @pins.on_pin(4, "both", debounce_ms=0, pull="up")
    def seen(value):
        done.set()

    async def main():
        task = asyncio.create_task(registry.starts[0]())
        await asyncio.sleep_ms(1)
        pin = pins.pins.lines[0].pin
        live = []
        for _ in range(3):
            for _ in range(50):
                pin.drive(0 if pin.level else 1)
                await done.wait()
                done.clear()
            gc.collect()
            live.append(gc.mem_alloc())
        task.cancel()
        assert live[2] < live[1] + 500, live  # less than a block for each of 50

    asyncio.run(main())


def test_a_function_that_fails_concerns_nobody_else():
    calls = begin()

    class Said:
        def task_failed(self, context):
            calls.append(context["name"])

    import copepod

    sys.modules["copepod.failures"] = copepod.failures = Said()
    forget = unasked.forget
    unasked.forget = lambda name: None
    try:

        @pins.on_pin(4, "both", debounce_ms=0, pull="up")
        def broken(value):
            raise OSError(5)

        pin = pins.pins.lines[0].pin
        pins.pins.lines[0].listen()
        pin.drive(0)
        pins.pins.lines[0].look()
        pin.drive(1)
        pins.pins.lines[0].look()
        assert calls == [broken.__name__]  # said once
    finally:
        unasked.forget = forget
        forget("copepod.failures")
