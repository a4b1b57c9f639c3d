"""Waits until a bot.py that is tried has been steady, and then has it kept. Memory: a task, while it is tried."""

import asyncio
import os

from micropython import const

from copepod.log import log
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
    reason = "it was never steady for %d s" % trial_s
    if steady_s >= trial_s:
        try:
            os.rename(".trial/bot.py", "bot.py")
            reason = None
        except OSError as error:  # FAT replaces no file
            reason = "it can't take the place of bot.py: %s" % error
    if reason is None:
        await _tell(gateway)
        return
    from copepod import trial

    trial.give_up(gateway.config, reason)
    port.reset()


async def _tell(gateway):
    log("bot", "the bot.py that was sent is kept")
    from copepod import tried

    forget("copepod.tried")
    owner = tried.load()[0]
    if owner is not None:
        await gateway.send(owner, "Your new bot.py works and is kept.")
