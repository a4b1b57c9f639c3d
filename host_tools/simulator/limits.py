"""Flood control like the server's: about a message a second for a chat, thirty a second in all.

The true numbers are not published beyond the FAQ's advice
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this): one message a
second in a chat with short bursts, 20 a minute in a group, 30 a second over all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class _Bucket:
    level: float
    at: float


class Limits:
    """Token buckets by chat and over all; `wait_s` says how long a message would have to wait."""

    def __init__(
        self,
        chat_per_s: float = 1.0,
        chat_burst: int = 5,
        group_per_min: float = 20.0,
        all_per_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat = (chat_per_s, chat_burst)
        self._group = (group_per_min / 60, int(group_per_min))
        self._all = (all_per_s, int(all_per_s))
        self._buckets: dict[int | None, _Bucket] = {}
        self._clock = clock
        self._blocked: dict[int | None, float] = {}

    def wait_s(self, chat_id: int) -> int:
        """0 if a message to this chat may go now (and is counted), else whole seconds to wait.

        Asking too early does not lengthen the wait, but never shortens it either.
        """
        now = self._clock()
        kinds = ((None, self._all), (chat_id, self._chat if chat_id > 0 else self._group))
        for key, (rate, burst) in kinds:
            if now < self._blocked.get(key, 0):
                return math.ceil(self._blocked[key] - now)
            bucket = self._buckets.setdefault(key, _Bucket(burst, now))
            bucket.level = min(burst, bucket.level + (now - bucket.at) * rate)
            bucket.at = now
            if bucket.level < 1:
                wait = math.ceil((1 - bucket.level) / rate)
                self._blocked[key] = now + wait
                return wait
        for key, _ in kinds:
            self._buckets[key].level -= 1
        return 0
