"""The signal: wakes its waiter once, keeps time limits, survives cancelling, allocates nothing per wait."""

import asyncio
import gc
from time import ticks_diff, ticks_ms

from copepod.signal import Signal


def test_set_before_the_wait_is_kept():
    async def main():
        signal = Signal()
        signal.set()
        started = ticks_ms()
        await signal.limit(5000)
        assert signal.fired
        assert ticks_diff(ticks_ms(), started) < 1000

    asyncio.run(main())


def test_time_limit():
    async def main():
        signal = Signal()
        started = ticks_ms()
        await signal.limit(30)
        assert not signal.fired
        assert 25 <= ticks_diff(ticks_ms(), started) < 1000
        await signal.limit(1)
        assert not signal.fired

    asyncio.run(main())


def test_set_wakes_the_waiter_early_and_once():
    async def main():
        signal = Signal()
        wakes = []

        async def waiter():
            while True:
                await signal
                wakes.append(1)

        task = asyncio.create_task(waiter())
        await asyncio.sleep_ms(5)
        assert wakes == []
        signal.set()
        signal.set()
        await asyncio.sleep_ms(5)
        assert wakes == [1]
        signal.set()
        await asyncio.sleep_ms(5)
        assert wakes == [1, 1]
        task.cancel()

    asyncio.run(main())


def test_a_cancelled_waiter_leaves_nothing_behind():
    async def main():
        signal = Signal()
        outcome = []

        async def waiter():
            try:
                await signal.limit(10000)
            except asyncio.CancelledError:
                outcome.append("cancelled")
                raise

        task = asyncio.create_task(waiter())
        await asyncio.sleep_ms(5)
        task.cancel()
        await asyncio.sleep_ms(5)
        assert outcome == ["cancelled"]
        signal.set()  # must not touch the dead task
        await asyncio.sleep_ms(5)
        await signal.limit(1000)
        assert signal.fired

    asyncio.run(main())


def test_a_cancelled_waiter_is_left_alone_while_it_does_something_else():
    async def main():
        signal = Signal()
        slept = []

        async def waiter():
            try:
                await signal
            except asyncio.CancelledError:
                started = ticks_ms()
                await asyncio.sleep_ms(40)
                slept.append(ticks_diff(ticks_ms(), started))
                await signal.limit(5)
                slept.append(signal.fired)

        task = asyncio.create_task(waiter())
        await asyncio.sleep_ms(5)
        task.cancel()
        await asyncio.sleep_ms(5)
        signal.set()  # must not cut the sleep short
        signal.clear()
        await task
        assert slept[0] >= 40 and slept[1] is False, slept

    asyncio.run(main())


def test_no_garbage_per_wait():
    async def main():
        signal = Signal()
        answer = Signal()

        async def partner():
            while True:
                await signal
                answer.set()

        task = asyncio.create_task(partner())
        signal.set()
        await answer
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for _ in range(100):
            signal.set()
            await answer.limit(1000)
        grown = gc.mem_alloc() - before
        gc.enable()
        task.cancel()
        assert grown <= 64, grown

    asyncio.run(main())
