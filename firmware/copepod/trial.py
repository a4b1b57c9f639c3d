"""A start with a bot.py that is to be tried (.trial/bot.py), and its end. Memory: dropped after each of them.

bot.py, the old one, stays where it is until the new one takes its place by one rename, which littlefs does whole or
not at all. That keeps the new one; removing .trial/bot.py gives it up. So a power cut at any byte leaves the old or
the new. The marker is written before each start: what ends again and again before it is kept is given up.
"""

import io
import os
import sys

from micropython import const

from copepod import tried
from copepod.log import log
from copepod.once import forget
from copepod.platform import last_error, port, record

_FOLDER = const(".trial")
_TRIED = const(".trial/bot.py")
_STARTS = const(3)
_IMPORT_MS = const(120000)  # until the watchdog ends it: the gateway's own begins later
_REASON = const(400)  # characters that are told


def begin(config):
    """The gateway starts: True when the new bot.py is to be imported, by way of sys.path; False: the old one is."""
    forget("copepod.tried")
    owner, update_id, starts = tried.load()
    reason = None
    if starts and record.crashes_load():
        reason = last_error.load() or "it has crashed"
        last_error.store("")  # it is told here
        record.crashes_store(0, True)
    elif starts >= _STARTS:
        reason = "it was started %d times, and ended before it was kept" % starts
    else:
        try:
            tried.store(owner, update_id, starts + 1)
        except OSError as error:
            reason = "the start can't be noted: %s" % error
    if reason is not None:
        give_up(config, reason)
        return False
    log("bot", "a bot.py that was sent is tried, start ", starts + 1, " of ", _STARTS)
    sys.path.insert(0, _FOLDER)
    port.watchdog_start(_IMPORT_MS)
    return True


def failed(config, error):
    """It can't be imported: restart with the old one, since nobody knows what it has left behind. Never returns."""
    give_up(config, told(error))
    port.reset()


def give_up(config, reason):
    """Have the old one back with the next start, and have its owner told `reason` then."""
    log("bot", "the bot.py that was sent is given up: ", reason)
    forget("copepod.tried")
    owner = tried.load()[0]
    reason = _shown(reason)
    try:
        if owner is not None:
            from copepod import durable

            forget("copepod.durable")
            text = "Your new bot.py is given up, the old one is back:\n```\n%s\n```" % reason
            durable.keep(config.path + ".unsent.jsonl", owner, text, None)
    except (OSError, MemoryError) as error:
        log("bot", "the owner can't be told: ", error)
    try:
        os.remove(_TRIED)
    except OSError as error:
        log("bot", _TRIED, " can't be removed: ", error)


def told(error):
    """What is wrong, in one line that shows nothing hidden: `bot.py, line 3: NameError: name 'x' isn't defined`."""
    stream = File()
    try:
        sys.print_exception(error, stream)  # pyright: ignore[reportAttributeAccessIssue]
    except Exception:  # somebody's own __str__
        stream.write(type(error).__name__.encode())
    place = ""
    lines = str(stream.data, "utf8").rstrip("\n").split("\n")
    while lines and (lines[0].startswith("Traceback (") or lines[0].startswith('  File "')):
        line = lines.pop(0)
        at = line.find('bot.py", line ')
        if at >= 0:  # the last one is where it was
            place = "bot.py, line %s: " % line[at + 14 :].split(",")[0]
    return _shown(place + last_error.scrub("\n".join(lines))[:_REASON])


def _shown(text):
    from copepod.visible import visible

    forget("copepod.visible")
    return visible(text)


class File(io.IOBase):
    """A stream for sys.print_exception()."""

    data = b""

    def write(self, data):
        """Keep it."""
        self.data += bytes(data)
        return len(data)
