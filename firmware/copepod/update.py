"""A bot.py that the owner sends to the bot: taken, looked at, and tried after a restart. Memory: dropped after it.

    .trial/received  what has come
    .trial/marker    whose it is: see tried.py
    .trial/bot.py    what is to be tried: the rename that makes it so is the one step that counts

Until that the update is not acknowledged, and a crash or a power cut has it come once more; after it the update is
known by the marker.
"""

import asyncio
import os

from micropython import const

from copepod import answers, tried
from copepod.once import forget
from copepod.platform import port, record

_NEW = const(".trial/received")
_LIMIT_B = const(65536)
_COMPILE_B = const(2000)  # of Python's heap that compiling takes, and for each byte of the source
_COMPILE_EACH_B = const(12)


async def take(msg):
    """Answer `msg`, whose file is called bot.py; False if it is not the owner's, or bot.updates is false."""
    forget("copepod.update")
    forget("copepod.tried")
    gateway = msg.gateway
    owner = gateway.access.ids[:1] == [msg.sender_id] and not msg.is_bot
    if not owner or not getattr(gateway.config, "bot_updates", True):
        msg.command = None
        if isinstance(msg.file, str):
            msg.file = None
        return False
    _, update_id, starts = tried.load()
    known = update_id == msg.update_id
    if tried.waiting():
        return None if known else "A bot.py is being tried. Send this one when you know how it went."
    if known and starts:
        return None  # it has been tried
    refused = "Your bot.py is not taken: %s"
    try:
        size_b = await _save(msg)
        wrong = refusal(size_b)
        if wrong is not None:
            os.remove(_NEW)
            return "Your bot.py is not tried, the one that is there goes on:\n```\n%s\n```" % wrong
        tried.store(msg.sender_id, msg.update_id, 0)
    except (OSError, ValueError) as error:
        return refused % str(error).replace(_NEW + ": ", "")
    except MemoryError:
        return refused % "there is no memory for it now"
    told = "I have your new bot.py, %d bytes, and restart to try it." % size_b
    await answers.send(gateway, msg.chat_id, told, msg.message_id, None)
    try:
        os.rename(_NEW, ".trial/bot.py")
    except OSError as error:
        return refused % error
    record.crashes_store(0, True)  # those of the one before are not its own
    asyncio.create_task(_end())
    return None


async def _end():
    # The worker is done with the message by now.
    port.reset()


def _save(msg):
    from copepod.telegram import download

    try:
        os.mkdir(".trial")
    except OSError:  # it is there
        pass
    if isinstance(msg.file, str):
        msg.file = File(msg.file)
    return download.save(msg, _NEW, _LIMIT_B)


def refusal(size_b):
    """Why it can't be compiled; None where it can, and where no memory is left to see: the next start will."""
    try:
        port.need(_COMPILE_B + _COMPILE_EACH_B * size_b)
        with open(_NEW, "rb") as file:
            compile(file.read(), "bot.py", "exec")
    except (MemoryError, NameError):  # some builds can't compile a text
        pass
    except Exception as error:
        from copepod import trial

        forget("copepod.trial")
        return trial.told(error)
    return None


class File:
    """A files.File of a bot that has not imported that."""

    size = None  # getFile's answer says it

    def __init__(self, id):
        self.id = id
