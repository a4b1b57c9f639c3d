"""Pairing: the first owner proves that he sees the console. Memory: loaded while nobody is admitted."""

import json
import os
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.platform.files import write_atomic

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0, 1: they are read wrongly
_CODE_LENGTH = const(8)
_GUESS_MAX_B = const(64)  # a longer text is no guess
_LIFE_MS = const(600000)  # of a code
_FREE = const(5)  # wrong codes that anybody may send
_SLOW_MS = const(10000)  # after them: so long no other code is looked at, then twice as long
_SLOWEST = const(6)  # doublings: about the life of a code
_GUESSERS = const(8)  # senders that are remembered
_CONFIG_MAX_B = const(4096)  # what config.py reads


def new_code():
    """A one-time code of 40 random bits, as 8 letters and digits."""
    return "".join([_ALPHABET[byte & 31] for byte in os.urandom(_CODE_LENGTH)])


class Pairing:
    """Offers a code on the console and admits the one who sends it, in a private chat.

    `code` is None once somebody is paired. A code lives ten minutes; who guesses is slowed down, and
    nobody else by it.
    """

    def __init__(self, access, config_path, telemetry):
        self.code: "str | None" = None
        self._old = None  # the code before, for who comes a little late
        self._access = access
        self._path = config_path
        self._telemetry = telemetry
        self._guessers: list = []  # [sender id, wrong codes, when the next one is looked at]
        self.offer()

    def offer(self):
        """Make a new code and print it."""
        self._old = self.code
        self.code = new_code()
        self._since_ms = ticks_ms()
        self._told = False  # a wrong code has been logged
        log("access", "nobody is admitted yet. To pair, send this code to the bot: ", self.code)
        self._telemetry.event("pair", 0)

    def hear(self, msg):
        """Take a message of somebody who is not admitted; returns "notice" when the bot should say to its
        sender what is then its text, None when it should say nothing.
        """
        if msg.kind != "message" or msg.chat_type != "private" or msg.is_bot:
            return None
        if not 0 <= ticks_diff(ticks_ms(), self._since_ms) < _LIFE_MS:
            self.offer()
        if msg.size_b() > _GUESS_MAX_B:
            return None
        guess = msg.text.strip().upper()
        guesser = self._guesser(msg.sender_id)
        if guesser is not None and ticks_diff(guesser[2], ticks_ms()) > 0:
            return None  # not even the right one, which would be a guess that paid
        if guess == self.code:
            return self._pair(msg)
        if guess == self._old:
            return self._say(msg, "That code has expired. The console shows a new one.")
        wait_s = self._wrong(guesser, msg.sender_id)
        if wait_s:
            return self._say(msg, "Too many wrong codes: the next one counts in %d s." % wait_s)
        return None

    def _guesser(self, sender_id):
        for entry in self._guessers:
            if entry[0] == sender_id:
                return entry
        return None

    def _wrong(self, guesser, sender_id):
        # Count it; returns for how many seconds its sender has to wait.
        if guesser is None:
            if len(self._guessers) == _GUESSERS:
                self._guessers.pop(0)
            guesser = [sender_id, 0, ticks_ms()]
            self._guessers.append(guesser)
        guesser[1] += 1
        if not self._told:
            self._told = True
            log("access", "something else than the code came from id ", sender_id)
        if guesser[1] < _FREE:
            return 0
        wait_ms = _SLOW_MS << min(guesser[1] - _FREE, _SLOWEST)
        guesser[2] = ticks_add(ticks_ms(), wait_ms)
        return wait_ms // 1000

    def _say(self, msg, text):
        msg.text = text
        msg.command = None
        return "notice"

    def _pair(self, msg):
        access = self._access
        access.allow.append(str(msg.sender_id))
        access.ids.append(msg.sender_id)
        self.code = None
        log("access", "paired with id ", msg.sender_id)
        self._telemetry.event("pair", 1)
        try:
            save(self._path, access.allow)
        except (OSError, ValueError, MemoryError) as error:
            log("access", "the config can't be written: ", error)
            return self._say(
                msg, "You are paired until the next restart: the config can't be written."
            )
        return self._say(msg, "You are paired: this bot now answers you.")


def save(path, allow):
    """Put `allow` into the config file at `path` and leave every other byte. OSError, ValueError."""
    with open(path, "rb") as file:
        data = file.read(_CONFIG_MAX_B + 1)
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
    if len(data) > _CONFIG_MAX_B:
        raise ValueError("it would be larger than %d bytes" % _CONFIG_MAX_B)
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
