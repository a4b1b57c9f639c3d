"""From the path of the config to a gateway that can run. Memory: dropped after it, with the config's reader."""

import sys

from copepod import arena
from copepod.gateway import Gateway
from copepod.log import log
from copepod.once import forget
from copepod.platform import port


def prepare(path, telemetry):
    """The gateway for the config at `path`, or None, and one line, when that can't be used."""
    port.start(path)
    telemetry.event("boot", 0)
    telemetry.frame("baseline", True)
    config = _load(path, telemetry)
    if config is None:
        return None
    gateway = Gateway(config, telemetry)
    try:
        import bot  # the user's handlers  # noqa: F401
    except Exception as error:  # a mistake in bot.py leaves the built-in commands
        log("bot", "bot.py can't be used: ", error)
        sys.print_exception(error)
    telemetry.frame("config-loaded", True)
    return gateway


def _load(path, telemetry):
    # The config's reader serves once and is dropped with its table of keys.
    from copepod import config as reader

    try:
        config = reader.load(path, arena.buffer)
    except reader.ConfigError as error:
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
