"""Begins what bot.py has registered with @on_start. Memory: dropped after it; a task each."""

import asyncio

from copepod import registry
from copepod.once import forget


def begin():
    """Call each of registry.starts, in a task of its own, and leave none there."""
    while registry.starts:
        asyncio.create_task(_run(registry.starts.pop(0)))


async def _run(function):
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
