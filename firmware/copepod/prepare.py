"""What comes before the gateway runs, in the order that memory asks for. Memory: dropped after use, once.

First what is needed once and dropped (the config's reader), then the room for TLS (room.py), and only then the
application and the user's bot, which take what is left.
"""

import gc
import os
import sys

from micropython import const

from copepod import arena
from copepod.log import log
from copepod.once import forget
from copepod.platform import port
from copepod.room import give_back, take
from copepod.stats import Stats
from copepod.telemetry import Telemetry

# What formats (text/blocks.py) stays loaded where it takes less than this of Python's heap, or more is free than that.
_DEAR_B = const(4000)
_ROOM_B = const(40000)
_TURN_B = const(24000)  # that a model's turn takes beside it
_WORK_B = const(30000)  # of Python's heap that the gateway takes when it runs and formats a list


def parts(path):
    """Load everything; returns the config and the telemetry, None when the config or the certificates can't be used."""
    port.start(path)
    telemetry = Telemetry(Stats())
    telemetry.event("boot", 0)
    telemetry.frame("baseline", True)
    config = _load(path, telemetry)
    if config is None:
        return None
    from copepod.net import link

    link.switch_on(config)
    short = take()
    from copepod import gateway  # noqa: F401

    _weigh_blocks(_ROOM_B if config.model is None else _ROOM_B + _TURN_B)
    _load_bot(config, short)
    telemetry.frame("config-loaded", True)
    give_back()
    return config, telemetry


def _load(path, telemetry):
    # The config's reader serves once and is dropped with its table of keys.
    from copepod import config as reader

    try:
        config = reader.load(path, arena.buffer)
        if config.tls:
            config.tls_context = _context(config)
    except (reader.ConfigError, OSError) as error:
        log("config", error)
        return None
    finally:
        forget("copepod.config")
    for warning in config.warnings:
        log("config", warning)
    config.warnings = None
    telemetry.collect = config.telemetry_collect
    telemetry.mem_info = config.telemetry_mem_info
    return config


def _context(config):
    # Made before Wi-Fi and the application take their memory, since it stays for good.
    from copepod.net import tls

    path = config.tls_ca
    if path and path[0] != "/" and "/" in config.path:
        path = config.path[: config.path.rindex("/") + 1] + path  # beside the config
    try:
        return tls.make(path)
    finally:
        forget("copepod.net.tls")


def _weigh_blocks(room_b):
    from copepod.text.markdown import Formatter

    # It is small where its code is part of the firmware.
    gc.collect()
    before_b = gc.mem_alloc()
    from copepod.text import blocks  # noqa: F401

    gc.collect()
    Formatter.keeps_blocks = gc.mem_alloc() - before_b < _DEAR_B or gc.mem_free() > room_b
    if not Formatter.keeps_blocks:
        forget("copepod.text.blocks")


def _load_bot(config, short):
    from copepod import registry

    registry.settings = config
    tried = _begin_trial(config)
    try:
        import bot  # the user's handlers  # noqa: F401

        forget("copepod.handlers")
        forget("copepod.crontab")  # of timers.py
        if tried:
            sys.path.pop(0)
            from copepod import steady  # noqa: F401  begun by assembly.py
    except BaseException as error:  # a mistake in bot.py leaves the built-in commands
        if tried and not isinstance(error, KeyboardInterrupt):
            _trial().failed(config, error)
        if not isinstance(error, Exception):
            raise
        from copepod.visible import trace

        log("bot", "bot.py can't be used: ", error)
        trace(error)
        forget("copepod.visible")
    if config.model is not None:
        config.model.put()  # the assistant, behind the bot's own handlers
    if registry.commands or registry.texts or registry.edits or registry.buttons:
        from copepod import handling, received  # noqa: F401  which its first message needs
        from copepod.telegram.updates import UpdateReader

        UpdateReader.message = received.Received
        files = sys.modules.get("copepod.files")
        if files is not None:
            UpdateReader.message = files.ReceivedFile
        if short:
            gc.collect()
            port.heap()
            arena.make_room(max(0, _WORK_B - port.gc_free(gc.mem_free())))
    elif not registry.starts:
        forget("bot")


def _begin_trial(config):
    # Whether the bot.py to be imported is one that somebody has sent and that is to be tried.
    try:
        os.stat(".trial/bot.py")
    except OSError:
        return False
    return _trial().begin(config)


def _trial():
    # Not kept while bot.py is loaded, which needs the memory.
    from copepod import trial

    forget("copepod.trial")
    return trial
