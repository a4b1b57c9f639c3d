"""A value over time in bounded memory: exact extremes, and an outline that keeps every peak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

TAIL = 4096  # samples kept as they came
BUCKETS = 2048  # at most so many in the outline; then two become one


class Series:
    """Takes samples in the order of time; `points()` are all of them, or their outline."""

    def __init__(self) -> None:
        self.count = 0
        self.low: int | None = None
        self.high: int | None = None
        self._tail: list[tuple[float, float]] = []
        self._blocks: list[Numbers] = []  # times above values, older than the tail
        self._unfolded = 0
        self._stride = 1  # samples in a bucket
        # of each bucket: time and value of its lowest and of its highest sample
        self._outline: Numbers = np.empty((4, 0))

    def append(self, t: float, value: int) -> None:
        """One sample."""
        self._note(1, value, value)
        self._tail.append((t, value))
        if len(self._tail) >= TAIL:
            self._block(np.array(self._tail).T)

    def extend(self, times: Numbers, values: Numbers) -> None:
        """Many samples."""
        if not len(values):
            return
        self._note(len(values), int(values.min()), int(values.max()))
        if self._tail:
            self._block(np.array(self._tail).T)
        self._block(np.array([times, values]))

    def points(self) -> list[tuple[float, int]]:
        """(seconds, value) in the order of time; of an older stretch its lowest and highest."""
        found = []
        for low_t, low, high_t, high in self._outline.T.tolist():
            pair = [(low_t, int(low)), (high_t, int(high))]
            found += pair[:1] if pair[0] == pair[1] else sorted(pair)
        for block in self._blocks:
            found += [(t, int(value)) for t, value in block.T.tolist()]
        return found + [(t, int(value)) for t, value in self._tail]

    def _note(self, count: int, low: int, high: int) -> None:
        self.count += count
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    def _block(self, block: Numbers) -> None:
        self._tail = []
        self._blocks.append(block)
        self._unfolded += block.shape[1]
        if self._unfolded >= 2 * TAIL:
            self._fold()

    def _fold(self) -> None:
        """Move all but the newest samples into the outline."""
        whole = (self._unfolded - TAIL) // self._stride * self._stride
        if not whole:
            return
        every = np.hstack(self._blocks)
        self._blocks, self._unfolded = [every[:, whole:]], every.shape[1] - whole
        times, values = every[:, :whole].reshape(2, -1, self._stride)
        row = np.arange(len(values))
        low, high = values.argmin(axis=1), values.argmax(axis=1)
        made = np.array([times[row, low], values[row, low], times[row, high], values[row, high]])
        self._outline = np.hstack([self._outline, made])
        while self._outline.shape[1] > BUCKETS:
            self._merge()

    def _merge(self) -> None:
        count = self._outline.shape[1] // 2 * 2
        first, second = self._outline[:, 0:count:2], self._outline[:, 1:count:2]
        low = np.where(first[1] <= second[1], first[:2], second[:2])
        high = np.where(first[3] >= second[3], first[2:], second[2:])
        self._outline = np.hstack([np.vstack([low, high]), self._outline[:, count:]])
        self._stride *= 2
