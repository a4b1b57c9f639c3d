"""Who may talk to the bot: people, by id or username; fails closed. Memory: the list of admitted ids."""


class Access:
    """Decides from who sent a message; `allow` is a list of str as config.py checks it: ids, usernames
    in lower case, or "*", which admits every person.
    """

    def __init__(self, allow):
        self.allow = list(allow)
        self.open = "*" in self.allow
        self.ids = []  # the numbers among them: comparing ints allocates nothing
        for entry in self.allow:
            if entry.isdigit():
                self.ids.append(int(entry))

    def admits(self, msg):
        """True when the sender of `msg` may talk to the bot: a bot only if its id is listed."""
        if msg.sender_id in self.ids:
            return True
        if msg.sender_chat_id is not None:  # whoever it is has not said so
            return self.open
        if msg.is_bot:  # two bots would answer each other for ever
            return False
        if self.open:
            return True
        if msg.username is None or not self.allow:
            return False
        name = msg.username.lower()
        return name in self.allow and not name.isdigit()

    def owner(self):
        """The chat id of the first admitted person given by id, or None."""
        return self.ids[0] if self.ids else None
