"""Pairing: the first owner proves that he sees the console. Memory: one code; loaded while nobody is admitted."""

import json
import os

from copepod.log import log
from copepod.platform.files import write_atomic

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0, 1: they are read wrongly
_CODE_LENGTH = 8
_TRIES = 5  # wrong codes before there is a new one


def new_code():
    """A one-time code of 40 random bits, as 8 letters and digits."""
    return "".join([_ALPHABET[byte & 31] for byte in os.urandom(_CODE_LENGTH)])


class Pairing:
    """Offers a code on the console and admits the one who sends it, in a private chat."""

    def __init__(self, access, config_path, telemetry):
        self.code = None
        self._access = access
        self._path = config_path
        self._telemetry = telemetry
        self.offer()

    def offer(self):
        """Make a new code and print it."""
        self.code = new_code()
        self._tries = 0
        log("access", "nobody is admitted yet. To pair, send this code to the bot: ", self.code)
        self._telemetry.event("pair", 0)

    def accepts(self, msg):
        """True when `msg` carries the code: its sender is then admitted, here and in the config.

        The text of `msg` becomes what the bot should say to that.
        """
        if msg.chat_type != "private":
            return False
        if msg.text.strip().upper() != self.code:
            self._tries += 1
            if self._tries >= _TRIES:
                self.offer()
            return False
        self._access.admit(msg.sender_id)
        log("access", "paired with id ", msg.sender_id)
        self._telemetry.event("pair", 1)
        try:
            save(self._path, self._access.allow)
            msg.text = "You are paired: this bot now answers you."
        except (OSError, ValueError) as error:
            log("access", "the config can't be written: ", error)
            msg.text = "You are paired until the next restart: the config can't be written."
        return True


def save(path, allow):
    """Write `allow` into the config file at `path`, keeping every other key. OSError, ValueError."""
    with open(path) as file:
        found = json.load(file)
    found["channels"]["telegram"]["allow_from"] = allow
    write_atomic(path, json.dumps(found).encode())
