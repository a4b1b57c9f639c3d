"""Which updates are acknowledged, over all orders of update, answer, crash and redelivery."""

from __future__ import annotations

import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.paths import ROOT

for folder in (ROOT / "firmware", ROOT / "tests/device/cpython"):
    sys.path.insert(0, str(folder))

from copepod.telegram.offsets import Offsets  # noqa: E402

FIRST = 100_000_001


class World:
    """A server with updates, and lives of a gateway that answers them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.queue: list[int] = []  # what the server holds
        self.answers: dict[int, int] = {}  # update -> how often it was answered
        self.kept: int | None = None  # what survives a crash
        self.crashes = 0
        self.early = 0  # answered before an older one when a crash came
        self.start()

    def start(self) -> None:
        self.offsets = Offsets()
        self.offsets.answered = self.kept
        self.open: list[int] = []
        self.handed: set[int] = set()

    def arrive(self, count: int) -> None:
        newest = max([FIRST - 1, *self.queue, *self.answers])
        self.queue += range(newest + 1, newest + 1 + count)

    def poll(self, cut: int | None = None) -> None:
        """One getUpdates; after `cut` updates the answer breaks off."""
        offset = self.offsets.next
        if offset is not None:
            gone = [update for update in self.queue if update < offset]
            assert all(update in self.answers for update in gone), "acknowledged without an answer"
            self.queue = [update for update in self.queue if update >= offset]
        for number, update in enumerate(self.queue[: self.limit]):
            if number == cut:
                return
            if len(self.offsets) >= self.limit or self.offsets.known(update):
                continue
            assert update not in self.handed, "handed out twice in one life"
            self.handed.add(update)
            self.offsets.take(update)
            self.open.append(update)
        self.offsets.told(offset)

    def answer(self, which: int) -> None:
        if self.open:
            update = self.open.pop(which % len(self.open))
            self.answers[update] = self.answers.get(update, 0) + 1
            if self.offsets.done(update):
                self.kept = self.offsets.answered

    def crash(self, kept: bool) -> None:
        """Between any two steps; without `kept`, between an answer and the note of it."""
        self.crashes += 1
        if not kept and self.open:
            update = self.open[0]
            self.answers[update] = self.answers.get(update, 0) + 1
            self.early += 1
        self.early += sum(self.offsets._done)
        self.start()

    def finish(self) -> None:
        for _ in range(3 * len(self.queue) + 3):
            self.poll()
            while self.open:
                self.answer(0)
        self.poll()
        assert not self.queue, "something is never acknowledged"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.integers(1, 5)),
        st.tuples(st.just("poll"), st.one_of(st.none(), st.integers(0, 4))),
        st.tuples(st.just("answer"), st.integers(0, 9)),
        st.tuples(st.just("crash"), st.booleans()),
    ),
    max_size=60,
)


@given(st.sampled_from((1, 2, 10)), STEPS)
@settings(max_examples=400, deadline=None)
def test_nothing_is_lost_and_little_is_repeated(limit: int, steps: list[tuple[str, int]]) -> None:
    world = World(limit)
    for name, value in steps:
        getattr(world, name)(value)
    world.finish()
    newest = max([FIRST - 1, *world.answers])
    assert set(world.answers) == set(range(FIRST, newest + 1)), "lost"
    repeated = sum(world.answers.values()) - len(world.answers)
    assert repeated <= world.early, "repeated without need"


@given(st.sampled_from((1, 10)), STEPS)
@settings(max_examples=200, deadline=None)
def test_in_order_at_most_one_is_repeated_by_a_crash(
    limit: int, steps: list[tuple[str, int]]
) -> None:
    world = World(limit)
    for name, value in steps:
        getattr(world, name)(0 if name == "answer" else value)
    world.finish()
    assert sum(world.answers.values()) - len(world.answers) <= world.crashes


def test_an_update_that_is_done_without_being_taken() -> None:
    offsets = Offsets()
    assert offsets.done(5)
    assert (offsets.answered, offsets.next) == (5, 6)
    offsets.take(6)
    assert not offsets.done(7), "it may not pass an open one"
    assert (offsets.answered, offsets.next, len(offsets)) == (5, 6, 2)
    assert offsets.known(7)
    assert offsets.done(6)
    assert (offsets.answered, offsets.next, len(offsets)) == (7, 8, 0)


def test_ids_may_begin_anew() -> None:
    offsets = Offsets()
    offsets.done(1_000_000)
    offsets.told(1_000_001)
    assert offsets.next is None
    assert not offsets.known(10), "far below: a new count"
    assert offsets.known(999_990), "just below: it comes again"
    assert offsets.next == 1_000_001
