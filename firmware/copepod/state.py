"""bot.state: a small dict that is kept on flash. Memory: what is in it; twice its JSON, 1 kB each, while it is written.

bot.state["limit"] = 21.5
limit = bot.state.get("limit", 20)

It lies beside the config, in `/config.json.kept`. A change is written at once when the last one is
`state.write_interval_s` ago, else when it is; before a planned restart and when the gateway stops, too. The file is
replaced as a whole (platform/files.py), so that a power cut leaves the old one or the new one.
"""

import asyncio
import json
import os

from micropython import const

from copepod import registry
from copepod.log import log
from copepod.once import forget
from copepod.platform import record

MAX_B = const(1024)  # of the JSON


class State:
    """A mapping of str to what JSON can hold: numbers, str, bool, None, and lists and dicts of them."""

    def __init__(self, path, interval_ms):
        self._path = path  # None: it is not kept
        self._interval_ms = interval_ms
        self._values = _read(path) if path else {}
        self._changed = False
        self._writes = False  # a task is there that writes

    def __getitem__(self, key):
        return self._values[key]

    def __setitem__(self, key, value):
        """Set and keep; ValueError, and the old value, when JSON can't hold it or all of it would be too large."""
        if type(key) is not str:
            raise ValueError("state: a key is a str, not %r" % (key,))
        _check(key, value)
        values = self._values
        had = key in values
        before = values.get(key)
        values[key] = value
        size_b = len(json.dumps(values).encode())
        if size_b > MAX_B:
            if had:
                values[key] = before
            else:
                del values[key]
            raise ValueError(
                "state: %r would make it %d bytes, at most %d are kept" % (key, size_b, MAX_B)
            )
        self._change()

    def __delitem__(self, key):
        del self._values[key]
        self._change()

    def __contains__(self, key):
        return key in self._values

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def get(self, key, default=None):
        """The value of `key`, or `default`."""
        return self._values.get(key, default)

    def items(self):
        """Pairs of key and value."""
        return self._values.items()

    def save(self):
        """Write now, also what was changed inside a list or dict, which nobody else notices.

        ValueError when that is too large or nothing that JSON can hold, OSError when it can't be written.
        """
        self._changed = True
        self._write()

    def _write(self):
        for key in self._values:
            _check(key, self._values[key])
        data = json.dumps(self._values).encode()
        if len(data) > MAX_B:
            raise ValueError("state: it is %d bytes, at most %d are kept" % (len(data), MAX_B))
        if self._path:
            from copepod.platform import files

            forget("copepod.platform.files")
            files.write_atomic(self._path, data)
        self._changed = False

    def _change(self):
        self._changed = True
        if self._path and not self._writes:
            asyncio.create_task(self._keep())
            self._writes = True

    async def _keep(self):
        # Write what has changed, at most once in the interval.
        try:
            while self._changed:
                self.finish()
                await asyncio.sleep_ms(self._interval_ms)
        finally:
            self._writes = False

    def finish(self):
        """Write what has changed; what goes wrong is logged."""
        if self._changed:
            try:
                self._write()
            except (OSError, ValueError, MemoryError) as error:
                log("state", self._path, " can't be written: ", error)


def _check(key, value):
    # ValueError unless JSON can hold `value`. Without recursion: what contains itself would never end.
    left = [value]
    parts = 0
    while left:
        value = left.pop()
        parts += 1
        kind = type(value)
        if kind is list:
            left.extend(value)
        elif kind is dict:
            for name in value:
                if type(name) is not str:
                    raise ValueError("state: %r: a key is a str, not %r" % (key, name))
                left.append(value[name])
        elif kind is float:
            if value - value != 0:
                raise ValueError("state: %r: %r is no number in JSON" % (key, value))
        elif not (value is None or kind in (bool, int, str)):
            raise ValueError("state: %r: %s is nothing that JSON can hold" % (key, kind.__name__))
        if parts + len(left) > MAX_B:  # each is a byte of JSON at least
            raise ValueError("state: %r: at most %d bytes are kept" % (key, MAX_B))


def _read(path):
    # What is kept; what can't be read is put aside.
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_B + 1)
    except OSError:
        log("state", path, " is not there yet: the state is empty")
        return {}
    try:
        found = json.loads(data)
        # MicroPython 1.25 forgives a bracket that is not closed.
        if len(data) > MAX_B or type(found) is not dict or data.rstrip()[-1:] != b"}":
            raise ValueError
        for key in found:
            if type(key) is not str:
                raise ValueError
    except (ValueError, UnicodeError, RuntimeError):  # RuntimeError: nested deeper than the stack
        log("state", path, " can't be read: the state is empty, ", path, ".bad has what was there")
        try:
            os.rename(path, path + ".bad")
        except OSError:
            pass
        return {}
    return found


def opened():
    """The State of this bot, read from flash; in memory only where there is no gateway."""
    settings = registry.settings
    if settings is None:
        return State(None, 0)
    made = State(settings.path + ".kept", settings.state_write_interval_s * 1000)
    record.endings.append(made.finish)
    return made
