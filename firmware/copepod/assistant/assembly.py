"""Puts the assistant behind the gateway: its handler, its commands, the list of its tools. Memory: dropped after use.

The tools are written once, as the model is told them, into state/tools.json: those of tools/ that the config does not
switch off (pins only where the config names some), and those of bot.py. A file that is the same already is left alone.
"""

import os
import sys

from copepod import assistant, registry
from copepod.log import log
from copepod.once import forget

_COMMANDS = (
    ("new", "begin a new conversation"),
    ("model", "which model answers, or another one"),
    ("tools", "what it can do"),
    ("stop", "stop the answer that is being written"),
    ("usage", "what was used today, and the limits"),
)
# Tools that are offered only where the config names a pin for them, by what it is for. No string of a tuple is kept.
_OF_PINS = (
    ("gpio_write", ("out",)),
    ("gpio_read", ("in", "up", "down", "out")),
    ("adc_read", ("adc",)),
    ("pwm_set", ("pwm",)),
    ("dht_read", ("dht11", "dht22")),
    ("ds18x20_read", ("ds18x20",)),
    ("neopixel_set", ("neopixel",)),
    ("i2c_scan", ("i2c",)),
    ("i2c_read", ("i2c",)),
    ("i2c_write", ("i2c",)),
)


def put(model):
    """Register it. When the workspace can't be written that is said, and at each question again."""
    registry.texts.append(assistant.ask)
    tools = sys.modules.get("copepod.tools")
    if model.confirmed or tools is not None and tools.confirmed:
        registry.buttons["confirm:"] = assistant.ask
    for name, line in _COMMANDS:
        if name not in registry.commands:
            registry.commands[name] = (assistant.command, line)
    try:
        _write(model)
    except OSError as error:
        log("assistant", model.workspace, " can't be written: ", error)
    forget("copepod.assistant.schemas")
    if len(model.endpoints) > 1:
        from copepod.assistant import choice

        choice.restore(model)
        forget("copepod.assistant.choice")
    if model.heartbeat_s or _has_jobs(model):
        from copepod.assistant import clock

        registry.starts.append(clock.prepare)


def _has_jobs(model):
    # Whether the tool cron was ever used, or jobs were brought from elsewhere.
    try:
        os.stat(model.workspace + "/cron/jobs.json")
        return "cron" not in model.switched_off
    except OSError:
        return False


def _write(model):
    for name in ("", "/state"):
        try:
            os.mkdir(model.workspace + name)
        except OSError:
            pass
    path = model.workspace + "/state/tools.json"
    if not _same(path, model):
        with open(path + ".new", "wb") as file:
            for piece in _pieces(model):
                file.write(piece)
        os.rename(path + ".new", path)


def _same(path, model):
    try:
        file = open(path, "rb")
    except OSError:
        return False
    with file:
        for piece in _pieces(model):
            if file.read(len(piece)) != piece:
                return False
        return not file.read(1)


def _pieces(model):
    # Generator: the JSON array in bytes.
    from copepod.assistant import schemas

    tools = sys.modules.get("copepod.tools")
    registered = {} if tools is None else tools.registered
    yield b"["
    comma = b""
    for name, schema in schemas.SCHEMAS:  # written by the build
        if name in model.switched_off or name in registered or not _of_use(model, name):
            continue
        yield comma + schema
        comma = b","
    for name in sorted(registered):
        if name not in model.switched_off:
            yield comma + tools.schema(name)
            comma = b","
    yield b"]"


def _of_use(model, name):
    if name == "http_get":
        return bool(model.hosts)
    for tool, uses in _OF_PINS:
        if tool == name:
            for pin in model.pins:
                if model.pins[pin][1] in uses:
                    return True
            return False
    return True
