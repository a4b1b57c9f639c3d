"""Writes who was paired into the config, and nothing else. Memory: twice the file, while somebody is paired."""

import json

from micropython import const

from copepod.platform.files import write_atomic

_MAX_B = const(4096)  # what config.py reads


def admit(path, allow):
    """Put `allow` into the config file at `path` and leave every other byte. OSError, ValueError."""
    with open(path, "rb") as file:
        data = file.read(_MAX_B + 1)
    words = json.dumps(allow).encode()
    try:
        start, end = _place(data)
        if end == start:  # there is no such key yet: it becomes the first
            words = b'"allow_from": ' + words + b", "
        data = data[:start] + words + data[end:]
        found = json.loads(data)["channels"]["telegram"]["allow_from"]
    except (IndexError, KeyError, TypeError):  # it has changed since it was read
        found = None
    if found != allow:
        raise ValueError("allow_from is not where it is expected")
    if len(data) > _MAX_B:
        raise ValueError("it would be larger than %d bytes" % _MAX_B)
    write_atomic(path, data)


def _place(data):
    # Where the value of channels.telegram.allow_from stands; twice the same place where it should.
    at = 0
    for key in (b"channels", b"telegram"):
        at = _value(data, at, key)
        if at < 0 or data[at] != 123:
            raise ValueError("no channels.telegram")
    inside = at + 1
    at = _value(data, at, b"allow_from")
    if at < 0:
        return inside, inside
    return at, _skip(data, at)


def _value(data, at, key):
    # The value of `key` in the object that begins at or behind `at`, -1 if it is not there.
    at = _blank(data, at) + 1
    while True:
        at = _blank(data, at)
        if data[at] != 34:
            return -1
        end = _skip(data, at)
        found = data[at + 1 : end - 1] == key
        at = _blank(data, _blank(data, end) + 1)  # behind the colon
        if found:
            return at
        at = _blank(data, _skip(data, at))
        if data[at] != 44:
            return -1
        at += 1


def _blank(data, at):
    while data[at] in b" \t\r\n":
        at += 1
    return at


def _skip(data, at):
    # Where the value that begins at `at` ends.
    depth = 0
    while True:
        c = data[at]
        at += 1
        if c == 34:
            while data[at] != 34:
                at += 2 if data[at] == 92 else 1
            at += 1
        elif c in b"[{":
            depth += 1
        elif c in b"]}":
            depth -= 1
        elif depth == 0 and data[at] not in b" \t\r\n,]}":
            continue  # in a number or a word
        if depth == 0:
            return at
