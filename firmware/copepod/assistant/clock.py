"""Looks when a job or the heartbeat is due, and has the worker do it. Memory: where there is one: 0.5 kB and a task.

What is due goes through the bus as a message of nobody's, so that one thing at a time is worked on. What is done
stands in schedule.py (when) and scheduled.py (what).
"""

import asyncio

from copepod import registry
from copepod.assistant import forget_answers
from copepod.log import log
from copepod.once import forget
from copepod.signal import Signal

AGAIN_MS = 60000  # after a failure


class Clock:
    """`changed` is set when there may be something else to wait for."""

    changed: "Any"
    task: "Any" = None
    current: "Any" = None  # the message that is on its way, or was
    beat_s: "int | None" = None  # when the heartbeat is due, by this port's clock

    async def run(self):
        """Have done what is due, for ever."""
        wait_ms = 0
        while True:
            await self.changed.limit(wait_ms)
            wait_ms = self._look()

    def _look(self):
        try:
            from copepod.assistant import schedule

            forget("copepod.assistant.schedule")
            return schedule.look(registry.gateway, self)
        except (MemoryError, OSError, ValueError) as error:
            log("assistant", "the jobs can't be looked at: ", error)
            return AGAIN_MS

    async def handle(self, msg):
        """The handler of what is due."""
        if msg is not self.current:
            return  # somebody has made up the press of a button
        from copepod.assistant import scheduled

        forget("copepod.assistant.scheduled")
        try:
            await scheduled.run(msg, self)
        finally:
            forget_answers(msg)
            self.changed.set()


clock = Clock()


def prepare():
    """Get ready; returns what is to be run as a task."""
    clock.changed = Signal()
    registry.buttons["scheduled:"] = clock.handle
    clock.task = True
    return clock.run()


def wake():
    """The jobs were changed: look at them, from now on if that was not done until now."""
    if clock.task is None:
        asyncio.create_task(prepare())
    clock.changed.set()
