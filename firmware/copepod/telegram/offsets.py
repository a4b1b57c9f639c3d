"""Which updates may be acknowledged, and which were seen before. Memory: two small lists.

Telegram has one offset: a poll with it acknowledges every update below (Bot API, getUpdates). So it
never passes an update whose answer is not accepted yet, in whatever order the answers are.
"""

from micropython import const

_AGAIN = const(
    100
)  # so far below the last answered one an update comes again; lower, ids begin anew


class Offsets:
    """Updates are taken in the order in which they come, and done in any.

    `answered` is the newest one of which no earlier one is open: what a crash should leave behind.
    `next` is the offset that the next poll shall send, None when Telegram knows it already.
    `len()` counts what was taken and can't be acknowledged yet, `open` what of it is not done.
    """

    def __init__(self):
        self.answered: "int | None" = None
        self.next: "int | None" = None
        self.open = 0
        self._ids: list = []
        self._done: list = []  # of each id in _ids; the first is never True

    def __len__(self):
        return len(self._ids)

    def known(self, update_id):
        """Whether the update is being worked on or answered; then the server may have to be told again."""
        if update_id in self._ids:
            return True
        answered = self.answered
        if answered is None or not answered - _AGAIN < update_id <= answered:
            return False
        self.next = answered + 1
        return True

    def take(self, update_id):
        """The update is to be worked on."""
        self._ids.append(update_id)
        self._done.append(False)
        self.open += 1

    def done(self, update_id):
        """The update, taken or not, needs nothing more; True when `answered` has moved."""
        ids = self._ids
        done = self._done
        if update_id not in ids:
            self.take(update_id)
        done[ids.index(update_id)] = True
        self.open -= 1
        if not done[0]:
            return False
        while done and done[0]:
            done.pop(0)
            update_id = ids.pop(0)
        self.answered = update_id
        self.next = update_id + 1
        return True

    def told(self, offset):
        """A poll with `offset` has succeeded. Ids may begin anew at a lower number one day."""
        if self.next == offset:
            self.next = None
