"""Handlers side by side, under the real supervisor and worker (fakes/gateway.py)."""

import asyncio
import gc
from time import ticks_add, ticks_ms

from copepod import handlers, handling, worker
from copepod.platform import record
from fakes.gateway import LOG, SORRY, TOO_LONG, Config, fresh, made, message


class Play:
    """A gateway whose handlers `wait` for an event each."""

    def __init__(self, parallel=2):
        fresh()
        config = Config()
        if parallel != 2:
            config.handlers_parallel = parallel
        self.gateway = made(config=config)
        self.channel = self.gateway.channel
        self.events = {}
        self.begun = []
        self.ids = 0
        handlers.on_command("wait")(self.wait)
        handlers.on_text(self.say)

    async def wait(self, msg):
        chat_id = msg.chat_id
        self.events[chat_id] = event = asyncio.Event()
        self.begun.append(chat_id)
        await event.wait()
        return "done"

    def say(self, msg):
        return msg.text

    def push(self, chat_id, text="/wait"):
        """A message of somebody's has come."""
        self.ids += 1
        self.channel.offsets.take(self.ids)
        assert self.gateway.bus.inbound.put(message(self.ids, text, chat_id))

    async def until(self, fact):
        """Wait for it, with handlers that have been at work for long enough."""
        for _ in range(10000):
            if fact():
                return
            if self.gateway.worker.handling:
                self.gateway.worker.since_ms = ticks_add(ticks_ms(), -500)
            await asyncio.sleep_ms(1)
        raise AssertionError((self.channel.sent, self.begun, LOG.text))

    def run(self, scene):
        """Play `scene`, a coroutine, to its end; all is acknowledged then."""

        async def play():
            main = asyncio.create_task(self.gateway.main())
            await scene
            await self.until(lambda: not len(self.channel.offsets))
            await self.until(lambda: len(self.gateway.jobs) == 2)
            assert self.gateway.worker.msg is None and not self.gateway.worker.asides
            assert self.gateway.bus.inbound.filled is self.gateway.wake_worker
            main.cancel()

        asyncio.run(play())


def test_a_lane_and_the_messages_behind_it():
    play = Play()
    sent = play.channel.sent

    async def scene():
        play.push(1)
        await play.until(lambda: play.begun == [1])
        play.push(1, "one")
        play.push(2, "two")
        play.push(1, "three")
        await play.until(lambda: sent == [(2, "two")])
        assert len(play.gateway.jobs) == 3
        play.events[1].set()
        await play.until(lambda: len(sent) == 4)
        assert sent[1:] == [(1, "done"), (1, "one"), (1, "three")]

    play.run(scene())


def test_one_at_a_time():
    play = Play(1)
    sent = play.channel.sent

    async def scene():
        play.push(1)
        await play.until(lambda: play.begun == [1])
        play.push(2, "two")
        for _ in range(20):
            await play.until(lambda: True)
            await asyncio.sleep_ms(1)
        assert sent == [] and len(play.gateway.jobs) == 2
        play.events[1].set()
        await play.until(lambda: sent == [(1, "done"), (2, "two")])

    play.run(scene())


def test_as_many_as_the_config_says_and_no_more():
    for parallel in (2, 3, 4):
        play = Play(parallel)

        async def scene(play=play, parallel=parallel):
            for chat_id in range(1, parallel + 3):
                play.push(chat_id)
            await play.until(lambda: len(play.begun) == parallel)
            for _ in range(20):
                await play.until(lambda: True)
                await asyncio.sleep_ms(1)
            assert play.begun == list(range(1, parallel + 1))
            for chat_id in range(parallel, 0, -1):
                play.events[chat_id].set()
                await play.until(lambda chat_id=chat_id: (chat_id, "done") in play.channel.sent)
            for chat_id in (parallel + 1, parallel + 2):
                await play.until(lambda chat_id=chat_id: chat_id in play.begun)
                play.events[chat_id].set()
            await play.until(lambda: len(play.channel.sent) == parallel + 2)

        play.run(scene())


def test_a_lane_that_fails_outside_of_its_handler():
    play = Play()
    original = worker.Worker.finish
    broken = []

    def finish(self):
        if self.msg.chat_id == 1 and not broken:
            broken.append(1)
            raise ValueError("any fault of our own")
        original(self)

    async def scene():
        play.push(1)
        await play.until(lambda: play.begun == [1])
        play.push(2, "two")
        await play.until(lambda: play.channel.sent == [(2, "two")])
        play.events[1].set()
        await play.until(lambda: (1, SORRY) in play.channel.sent)
        play.push(1, "next")
        await play.until(lambda: (1, "next") in play.channel.sent)

    worker.Worker.finish = finish
    try:
        play.run(scene())
    finally:
        worker.Worker.finish = original
    assert "worker: failed: ValueError: any fault of our own" in LOG.text


def test_a_lane_that_waits_for_nothing_or_for_too_long():
    play = Play()

    async def scene():
        play.push(1)
        await play.until(lambda: play.begun == [1])
        play.push(2, "two")
        await play.until(lambda: len(play.channel.sent) == 1)
        lane = play.gateway.jobs[2]
        lane.worker.since_ms = ticks_add(ticks_ms(), -61000)
        await play.until(lambda: (1, TOO_LONG) in play.channel.sent)

        @handlers.on_command("odd")
        async def odd(msg):
            await play.wait(msg)
            yield

        play.push(1, "/odd")
        await play.until(lambda: len(play.begun) == 2)
        play.push(2, "three")
        await play.until(lambda: len(play.channel.sent) == 3)
        play.events[1].set()
        await play.until(lambda: (1, SORRY) in play.channel.sent)

    play.run(scene())
    assert "waits for what never comes" in LOG.text


def test_a_handler_that_nothing_stops_is_the_watchdogs():
    play = Play()

    async def scene():
        play.push(1)
        await play.until(lambda: play.begun == [1])
        play.push(2, "two")
        await play.until(lambda: len(play.channel.sent) == 1)
        play.gateway.jobs[2].worker.stuck = True
        await play.until(lambda: not play.gateway._alive())
        play.gateway.jobs[2].worker.stuck = play.gateway.worker.stuck = False
        play.events[1].set()
        await play.until(lambda: len(play.channel.sent) == 2)

    play.run(scene())


def test_without_memory_for_a_lane_they_wait():
    play = Play()
    asked = []

    def need(size_b):
        asked.append(size_b)
        raise MemoryError("Python's heap is full")

    async def scene():
        play.push(1)
        await play.until(lambda: play.begun == [1])
        play.push(2, "two")
        await play.until(lambda: len(asked) > 3)
        assert play.channel.sent == [] and len(play.gateway.jobs) == 2
        play.events[1].set()
        await play.until(lambda: play.channel.sent == [(1, "done"), (2, "two")])

    original = handling.port.need
    handling.port.need = need
    try:
        play.run(scene())
    finally:
        handling.port.need = original


def test_the_live_heap_does_not_grow():
    play = Play()
    play.channel.keeps = False
    floors = [0] * 10

    async def scene():
        for count in range(200):
            play.push(1)
            await play.until(lambda: len(play.begun) == 1)
            play.push(2, "two")
            await play.until(lambda count=count: play.channel.told == 2 * count + 1)
            assert len(play.gateway.jobs) == 3
            play.events.pop(1).set()
            await play.until(lambda count=count: play.channel.told == 2 * count + 2)
            await play.until(lambda: len(play.gateway.jobs) == 2)
            play.begun.clear()
            if count % 20 == 19:
                gc.collect()
                floors[count // 20] = gc.mem_alloc()

    play.run(scene())
    # Less than a block for each of 100 rounds; a word on the stack may keep an object for once.
    assert min(floors[5:]) < min(floors[1:5]) + 500, floors


def test_an_update_that_was_begun_before_a_crash_is_worked_on_alone():
    play = Play()

    async def scene():
        record.work_begin(1)  # in the run before
        play.push(1)
        await play.until(lambda: play.begun == [1])
        play.push(2, "two")
        for _ in range(20):
            await play.until(lambda: True)
            await asyncio.sleep_ms(1)
        assert play.channel.sent == [] and len(play.gateway.jobs) == 2
        play.events[1].set()
        await play.until(lambda: play.channel.sent == [(1, "done"), (2, "two")])

    play.run(scene())
