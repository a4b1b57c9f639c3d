"""Who may talk to the bot: people, by id or username; fails closed. Memory: the list of admitted ids."""


class Access:
    """Decides from who sent a message. Made by parts.py."""

    allow: list  # of str as config.py checks it: ids, usernames in lower case, "*" for every person
    open: bool  # "*" is among them
    ids: list  # the numbers among them: comparing ints allocates nothing

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
