"""The gateway's counters. Memory: one object of small ints."""


class Stats:
    """Counted since start; small ints, so that counting allocates nothing."""

    def __init__(self):
        self.received = 0  # updates read, every kind, each once
        self.answered = 0  # messages that Telegram accepted
        self.errors = 0  # failures logged
        self.backoffs = 0  # waits after a failure
        self.flood_waits = 0  # waits that Telegram asked for (429)
        self.strangers = 0  # updates of people who are not admitted
        self.ignored = 0  # updates with nothing for a handler
        self.fallbacks = 0  # messages sent as plain text after a refusal
        self.dropped = 0  # answers that Telegram refuses for good (chat gone, bot blocked)
        self.repeated = 0  # sends whose answer was never read, sent once more
        self.handler_errors = 0
