"""Pairing: the first owner proves that he sees the console. Memory: loaded while nobody is admitted."""

import os
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from copepod.log import log
from copepod.once import forget

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0, 1: they are read wrongly
_CODE_LENGTH = const(8)
_GUESS_MAX_B = const(64)  # a longer text is no guess
_LIFE_MS = const(600000)  # of a code
_FREE = const(5)  # wrong codes that anybody may send
_SLOW_MS = const(10000)  # after them: so long no other code is looked at, then twice as long
_SLOWEST = const(6)  # doublings: about the life of a code
_GUESSERS = const(8)  # senders that are remembered


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
            from copepod.config_edit import admit

            admit(self._path, access.allow)
            forget("copepod.config_edit")
        except (OSError, ValueError, MemoryError) as error:
            log("access", "the config can't be written: ", error)
            return self._say(
                msg, "You are paired until the next restart: the config can't be written."
            )
        return self._say(msg, "You are paired: this bot now answers you.")
