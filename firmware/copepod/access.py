"""Who may talk to the bot: fails closed. Memory: the list of admitted ids and, while pairing, one code."""

import os

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0, 1: they are read wrongly
_CODE_LENGTH = 8
_TRIES = 5


def new_code():
    """A one-time code of 40 random bits, as 8 letters and digits."""
    return "".join(_ALPHABET[byte & 31] for byte in os.urandom(_CODE_LENGTH))


class Access:
    """Decides from sender ids and usernames; `allow` is a list of lower-case str, ["*"] admits all."""

    def __init__(self, allow):
        self.allow = list(allow)
        self.open = "*" in self.allow
        self.code = None if self.allow else new_code()
        self._tries = 0

    def admits(self, msg):
        """True when the sender of `msg` may talk to the bot."""
        if self.open:
            return True
        if not self.allow:
            return False
        if str(msg.sender_id) in self.allow:
            return True
        return msg.username is not None and msg.username.lower() in self.allow

    def pairs(self, msg):
        """True when `msg` carries the pairing code, in a private chat; the code is then used up.

        After five wrong messages there is a new code: guess_limit() tells that it changed.
        """
        if self.code is None or msg.chat_type != "private":
            return False
        if msg.text.strip().upper() == self.code:
            self.code = None
            self.allow.append(str(msg.sender_id))
            return True
        self._tries += 1
        return False

    def guess_limit(self):
        """True once after every five wrong codes; the code has then been replaced."""
        if self.code is None or self._tries < _TRIES:
            return False
        self._tries = 0
        self.code = new_code()
        return True

    def owner(self):
        """The chat id of the first admitted person given by id, or None."""
        for entry in self.allow:
            if entry.isdigit():
                return int(entry)
        return None


def save(path, allow, write_atomic):
    """Write `allow` into the config file at `path`, keeping every other key. OSError, ValueError."""
    import json

    with open(path) as file:
        found = json.load(file)
    found["channels"]["telegram"]["allow_from"] = allow
    write_atomic(path, json.dumps(found))
