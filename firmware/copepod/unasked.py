"""Calls functions of bot.py that no message asks for: a timer's, a pin's. Memory: 4 B for each that is at work."""

import asyncio

from copepod.once import forget

_at_work: list = []  # functions whose call has not come to its end
_failing: list = []  # functions whose last call has failed


def begin(function, *arguments):
    """Call `function`, async or not; False when it is still at work, then it is not called.

    Returns at once: what has to be awaited runs as a task. A str that it returns is sent to the bot's owner.
    What it raises is logged with its name, once until it has worked again, and concerns nobody else.
    """
    if function in _at_work:
        return False
    try:
        result = function(*arguments)
        if hasattr(result, "send") or isinstance(result, str):
            asyncio.create_task(_end(function, result))
            _at_work.append(function)
        else:
            _worked(function)
    except KeyboardInterrupt:  # Ctrl-C is for the gateway, whatever runs
        raise
    except BaseException as error:  # a user's function may raise anything
        _failed(function, error)
    return True


def at_work(function):
    """Whether a call of `function` has not come to its end."""
    return function in _at_work


async def _end(function, result):
    try:
        if not isinstance(result, str):
            result = await result
        if isinstance(result, str):
            from copepod.bot import bot

            if bot.owner is None:
                raise RuntimeError("nobody to tell: allow_from has no id")
            await bot.send(bot.owner, result)
        _worked(function)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        _failed(function, error)
    finally:
        _at_work.remove(function)


def _worked(function):
    if function in _failing:
        _failing.remove(function)


def _failed(function, error):
    if function in _failing:
        return
    _failing.append(function)
    try:
        from copepod import failures

        failures.task_failed({"exception": error, "name": getattr(function, "__name__", "")})
        forget("copepod.failures")
    except MemoryError:  # for saying so: then without a word
        pass
