"""membench on the bare-metal machine beside the 32-bit Linux build: the same heap, phase by phase."""

from __future__ import annotations

import pytest
from rv32_machine import MARKS, TARGET, _built  # noqa: F401

from host_tools import targets
from host_tools.measure import phases

pytestmark = MARKS

HEAP = "96k"
BURST = 100
# Python objects that only this port has: the file system's, its disk's, the start's main.py.
OWN_B = 1536


@pytest.mark.parametrize("app", ["frozen"])
def test_heap_agrees_with_unix32(app: str) -> None:
    here = phases.run(TARGET, heap=HEAP, app=app, burst=BURST, threshold_b=0)
    there = phases.run(targets.get("unix32"), heap=HEAP, app=app, burst=BURST, threshold_b=0)
    assert [phase.name for phase in here.phases] == list(phases.NAMES)
    for ours, theirs in zip(here.phases, there.phases, strict=True):
        assert ours.live_b is not None
        assert theirs.live_b is not None
        assert abs(ours.live_b - theirs.live_b) <= theirs.live_b * 0.10, ours.name
        assert ours.live_b - theirs.live_b <= OWN_B, ours.name
    assert (here.produced, here.consumed) == (BURST, BURST)
    assert here.html_b == there.html_b
    assert here.pieces == there.pieces
    assert here.gc_share is not None  # the collector's meter is built in


def test_the_same_run_gives_the_same_bytes() -> None:
    first, second = (
        phases.run(TARGET, heap=HEAP, app="frozen", burst=BURST, threshold_b=0) for _ in range(2)
    )
    for before, after in zip(first.phases, second.phases, strict=True):
        assert (before.used_b, before.live_b, before.run_b) == (
            after.used_b,
            after.live_b,
            after.run_b,
        ), before.name
