"""Tasks that fail, again and again or where nothing can be said of it, the watchdog, and what ends the gateway."""

import asyncio
import builtins

from copepod import handlers, supervisor
from copepod.platform import record
from copepod.telegram.channel import Channel as TelegramChannel
from fakes.gateway import LOG, Channel, fresh, made, play


def test_ctrl_c_ends_the_gateway():
    fresh()

    @handlers.on_command("odd")
    def handler(msg):
        raise KeyboardInterrupt

    try:
        play("/odd")
    except KeyboardInterrupt:
        return
    raise AssertionError


def test_an_update_that_brought_the_process_down_twice_is_left_alone():
    fresh()
    calls = []

    @handlers.on_command("reboot")
    def handler(msg):
        calls.append(1)
        raise KeyboardInterrupt  # as good as a reset: nothing after it runs

    for _ in range(2):
        try:
            play("/reboot", first=41)
        except KeyboardInterrupt:
            kept = bytes(record.data)
            record.begin(kept, None)
    found = play("/reboot", "next", first=41)
    assert len(calls) == 2
    assert "brought me down twice" in found[0] and found[1] == "next", found
    assert "update 41 has brought the gateway down twice" in LOG.text


def test_a_task_that_always_fails_is_started_again_later_and_later():
    fresh()
    started = []
    clock = []

    class Failing(Channel):
        async def run(self):
            started.append(clock[0].seconds)
            raise ValueError("always the same")

    async def scene():
        gateway = made(Failing)
        clock.append(gateway)
        task = asyncio.create_task(gateway.main())
        while not task.done():
            await asyncio.sleep_ms(1)
            gateway.seconds += 1  # time flies
            gateway.tick.set()
        await task

    try:
        asyncio.run(scene())
    except ValueError:
        gaps = [after - before for before, after in zip(started, started[1:])]
        assert len(started) == 5 and gaps[0] >= 2, started
        for before, after in zip(gaps, gaps[1:]):
            assert after > before, gaps
        return
    raise AssertionError


class NoRoomFor:
    """Where the module `name` can't be loaded: the heap is full."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.before = builtins.__import__
        builtins.__import__ = self.load

    def __exit__(self, *raised):
        builtins.__import__ = self.before

    def load(self, *how):
        if len(how) > 3 and how[3] and self.name in how[3]:
            raise MemoryError("no room for it")
        return self.before(*how)


def test_failures_that_nothing_can_be_said_of_are_not_repeated_for_ever():
    channel = TelegramChannel()
    with NoRoomFor("trouble"):
        for failures in range(3):
            assert channel._failed(OSError(104), failures) > 0
        try:
            channel._failed(OSError(104), 3)
            raise AssertionError("in silence, for ever")
        except MemoryError:
            pass


def test_a_task_whose_failure_can_not_be_looked_at_ends_the_gateway():
    fresh()
    looks = []

    class Failing(Channel):
        async def run(self):
            raise MemoryError("the heap is full")

    async def scene():
        gateway = made(Failing)
        task = asyncio.create_task(gateway.main())
        while not task.done() and len(looks) < 100:
            await asyncio.sleep_ms(1)
            looks.append(1)
            gateway.tick.set()
        assert task.done(), "in silence, for ever"
        await task

    with NoRoomFor("failures"):
        try:
            asyncio.run(scene())
        except MemoryError:
            return
    raise AssertionError


def test_the_watchdog_is_fed_while_both_tasks_show_a_sign_of_life():
    gateway = made()
    assert gateway._alive()
    gateway.worker.stuck = True  # a handler that goes on whatever is done
    assert not gateway._alive()
    gateway.worker.stuck = False
    gateway.channel.alive_ms = supervisor.ticks_add(supervisor.ticks_ms(), -200000)
    assert not gateway._alive()
    gateway.channel.state = "linking"  # which has remedies of its own
    assert gateway._alive()
