"""Who may talk to the bot: fails closed. Memory: the list of admitted ids."""


class Access:
    """Decides from sender ids and usernames; `allow` is a list of lower-case str, ["*"] admits all."""

    def __init__(self, allow):
        self.allow = list(allow)
        self.open = "*" in self.allow

    def admits(self, msg):
        """True when the sender of `msg` may talk to the bot."""
        if self.open:
            return True
        if not self.allow:
            return False
        if str(msg.sender_id) in self.allow:
            return True
        return msg.username is not None and msg.username.lower() in self.allow

    def owner(self):
        """The chat id of the first admitted person given by id, or None."""
        for entry in self.allow:
            if entry.isdigit():
                return int(entry)
        return None
