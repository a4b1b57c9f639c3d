"""Who may talk to the bot: fails closed. Memory: the list of admitted ids."""


class Access:
    """Decides from sender ids and usernames; `allow` is a list of lower-case str, ["*"] admits all."""

    def __init__(self, allow):
        self.allow = list(allow)
        self.open = "*" in self.allow
        self._ids = []  # the numbers among them: comparing ints allocates nothing
        for entry in self.allow:
            if entry.isdigit():
                self._ids.append(int(entry))

    def admits(self, msg):
        """True when the sender of `msg` may talk to the bot."""
        if self.open:
            return True
        if not self.allow:
            return False
        if msg.sender_id in self._ids:
            return True
        return msg.username is not None and msg.username.lower() in self.allow

    def admit(self, sender_id):
        """Let one more person in, from now on."""
        self.allow.append(str(sender_id))
        self._ids.append(sender_id)

    def owner(self):
        """The chat id of the first admitted person given by id, or None."""
        return self._ids[0] if self._ids else None
