"""Begins what bot.py has registered with @on_start. Memory: dropped after it; a task each."""

import asyncio
import os

from copepod import registry
from copepod.once import forget


def begin(gateway):
    """Send what a run before has left (durable.py), and call each of registry.starts, in a task of its own."""
    path = gateway.config.path + ".unsent"
    if _exists(path):
        from copepod import durable

        asyncio.create_task(durable.send_kept(gateway, path, durable.numbers_in(path)))
        forget("copepod.durable")
    starts = registry.starts
    registry.starts = ()  # pyright: ignore[reportAttributeAccessIssue]
    for function in starts:
        asyncio.create_task(run(function))


def _exists(path):
    try:
        return os.stat(path)[6] > 0
    except OSError:
        return False


async def run(function):
    """Call `function` and await what it returns, if that is a coroutine; what it raises is logged."""
    try:
        result = function()
        if hasattr(result, "send"):  # a coroutine
            await result
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit would end the loop
        from copepod import failures

        failures.task_failed({"exception": error})
        forget("copepod.failures")
