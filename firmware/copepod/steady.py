"""Waits until a bot.py that is tried has been steady, and then has it kept. Memory: a task, while it is tried."""

import asyncio

from micropython import const

from copepod.once import forget
from copepod.platform import port

_TIMES = const(10)  # so often the time for which it has to be steady in one piece, it may take to be so


def begin(gateway):
    """Begin to wait."""
    forget("copepod.steady")
    asyncio.create_task(_watch(gateway))


async def _watch(gateway):
    trial_s = getattr(gateway.config, "bot_trial_s", 60)
    left_s = trial_s * _TIMES
    steady_s = 0
    while steady_s < trial_s and left_s:
        await asyncio.sleep(1)
        left_s -= 1
        steady_s = steady_s + 1 if gateway.channel.steady else 0
    from copepod import trial

    forget("copepod.trial")
    if steady_s >= trial_s:
        await trial.keep(gateway)
        return
    trial.give_up(gateway.config, "it was never steady for %d s" % trial_s)
    port.reset()
