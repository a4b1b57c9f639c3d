"""How long a poll waits, and when the next may follow. Memory: one object of small ints."""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

_SHORT_MS = const(1000)  # between polls while something is being worked on
_FLOOR_MS = const(
    250
)  # after a long poll that was answered at once with nothing; twice as long each time
_FLOOR_MAX_MS = const(30000)
_DOUBLINGS = const(7)


class Poll:
    """The poll under way, or the last one; changed by trouble.py when polls are cut or left."""

    longest_s: int  # what the config says, or what the way to the server lets live
    timeout_s: int
    began_ms: "Any"
    offset: "int | None"  # that it was sent with
    left: bool  # it is being ended, because something is to be sent
    cut_s: int  # how old the last one was that somebody cut
    next_s: int  # how long the next one waits
    empty: int  # polls in a row that were answered at once with nothing
    pause_ms: int  # after the last of them

    def begin(self, long, offset):
        """A poll starts; returns how long it may wait for updates, in s."""
        self.offset = offset
        self.left = False
        self.began_ms = ticks_ms()
        self.timeout_s = self.next_s if long else 0
        return self.timeout_s

    def ended(self, brought):
        """The poll has succeeded; `brought`: with something new."""
        self.pause_ms = 0
        timeout_s = self.timeout_s
        if brought or not timeout_s or ticks_diff(ticks_ms(), self.began_ms) >= timeout_s * 500:
            self.empty = 0
            if timeout_s and timeout_s >= self.next_s:
                self.next_s = min(2 * timeout_s, self.longest_s)
        else:
            self.pause_ms = min(_FLOOR_MS << self.empty, _FLOOR_MAX_MS)
            self.empty = min(self.empty + 1, _DOUBLINGS)

    def due_ms(self, working):
        """How long not to poll, in ms; `working`: there is an update that can't be acknowledged yet."""
        pause_ms = _SHORT_MS if working else self.pause_ms
        if not pause_ms:
            return 0
        return max(0, ticks_diff(ticks_add(self.began_ms, pause_ms), ticks_ms()))
