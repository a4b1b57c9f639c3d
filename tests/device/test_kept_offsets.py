"""What is answered and begun beside an open update outlives a crash, over many orders of update, answer and crash."""

import random

from copepod.platform import record
from copepod.telegram import beside, kept_offsets
from copepod.telegram.offsets import Offsets

FIRST = 4294967000  # an id is u32


class Reader:
    bot_id = 7000000001


class Channel:
    """A channel's offsets, as it uses them."""

    def __init__(self):
        self.api = self
        self.reader = Reader
        self.offsets = Offsets()
        self.offsets.answered = record.last_id_load(Reader.bot_id)
        if record.good(112, 126, 126):
            beside.load(self)

    def finished(self, update_id):
        if self.offsets.done(update_id):
            record.last_id_store(self.offsets.answered, Reader.bot_id)


class World:
    """A server with updates, and lives of a gateway that answers them in any order."""

    def __init__(self, chance, first, limit):
        record.data[:] = bytes(record.SIZE_B)
        record.begin(b"", None)
        self.chance = chance
        self.limit = limit
        self.queue = []
        self.answers = {}
        self.newest = first - 1
        self.start()

    def start(self):
        self.channel = Channel()
        self.open = []

    def kept(self):
        return isinstance(self.channel.offsets, kept_offsets.KeptOffsets)

    def arrive(self, count):
        for _ in range(count):
            self.newest += 1
            self.queue.append(self.newest)

    def poll(self):
        offset = self.channel.offsets.next
        if offset is not None:
            for update_id in self.queue:
                assert update_id >= offset or update_id in self.answers, "lost"
            self.queue = [update_id for update_id in self.queue if update_id >= offset]
        room = self.limit - self.channel.offsets.open
        taken = len(self.channel.offsets)
        for update_id in self.queue[: taken + max(room, 0)]:
            if self.channel.offsets.known(update_id):
                continue
            assert update_id not in self.answers, "once more"
            self.channel.offsets.take(update_id)
            self.open.append(update_id)
        self.channel.offsets.told(offset)

    def answer(self):
        # Any of them; while they are not kept the oldest, as one at a time does.
        if self.open:
            at = self.chance.randrange(len(self.open)) if self.kept() else 0
            update_id = self.open.pop(at)
            self.answers[update_id] = 1
            self.channel.finished(update_id)

    def move(self):
        if self.open:
            beside.keep(self.channel, self.open[0])

    def crash(self):
        record.begin(bytes(record.data), None)
        self.start()

    def finish(self):
        for _ in range(4 * len(self.queue) + 4):
            self.poll()
            while self.open:
                self.answer()
        self.poll()
        assert not self.queue, "never acknowledged"
        assert not self.kept() and not record.good(112, 126, 126)


def test_nothing_is_lost_or_answered_twice():
    chance = random
    crashes = 0
    for seed in range(300):
        chance.seed(seed)
        world = World(chance, (100, FIRST, 895000000)[seed % 3], (2, 5, 60)[seed // 3 % 3])
        for _ in range(60):
            step = chance.randrange(10)
            if step < 3:
                world.arrive(1 + chance.randrange(4))
            elif step < 5:
                world.poll()
            elif step < 8:
                world.answer()
            elif step < 9:
                world.move()
            else:
                crashes += world.kept()
                world.crash()
        world.finish()
        assert len(world.answers) == world.newest - (100, FIRST, 895000000)[seed % 3] + 1
    assert crashes > 100


def test_an_update_far_from_the_oldest_waits_on_the_server():
    world = World(random, 100, 1000)
    world.arrive(50)
    world.poll()
    assert len(world.open) == 50
    world = World(random, 100, 1000)
    world.arrive(1)
    world.poll()
    world.move()
    world.arrive(50)
    world.poll()
    assert world.open == list(range(100, 140))
    world.finish()


def test_how_often_an_update_was_begun_is_known_of_several():
    world = World(random, 100, 10)
    world.arrive(3)
    for times in range(2):
        world.poll()
        assert not record.work_begin(100) or times
        if not times:
            assert beside.keep(world.channel, 100)
        for update_id in (101, 102):
            assert not world.channel.offsets.work_begin(update_id)
            assert beside.keep(world.channel, update_id) is (times == 0)
        world.crash()
        assert not world.channel.offsets.work_begin(100) or times
    world.poll()
    for update_id in (100, 101, 102):
        assert world.channel.offsets.work_begin(update_id)
    assert not world.channel.offsets.work_begin(103)
    world.finish()


def test_the_record_of_another_bot_says_nothing():
    world = World(random, 100, 10)
    world.arrive(3)
    world.poll()
    world.move()
    world.open.pop(0)
    world.answer()
    before = Reader.bot_id
    Reader.bot_id += 1
    try:
        world.crash()
        assert not world.kept()
    finally:
        Reader.bot_id = before
    world.crash()
    assert world.kept() and len(world.channel.offsets.early) == 1


def test_noise_in_the_record():
    for noise in (b"\0", b"\xff", b"\x55"):
        record.data[:] = noise * record.SIZE_B
        record.begin(bytes(record.data), None)
        assert Channel().offsets.answered is None


def test_a_record_that_can_not_be_written():
    def save(data):
        raise OSError(28)

    world = World(random, 100, 10)
    world.arrive(2)
    world.poll()
    record.begin(b"", None)
    record._save = save
    try:
        assert beside.keep(world.channel, 100)
        assert not world.channel.offsets.work_begin(101)
    finally:
        record._save = None
