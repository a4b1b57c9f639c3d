"""How many messages of one group are answered in a minute. Memory: a list of at most 32 numbers.

Two bots, or a bot and somebody's script, would else answer each other for ever. Telegram itself sends
no more than 20 messages a minute to a group (https://core.telegram.org/bots/faq), so that people never
reach three times as many. In a private chat there is nobody but the person: Telegram hands no bot's
message over there.
"""

from time import ticks_diff, ticks_ms

from micropython import const

from copepod.log import log

_A_MINUTE = const(60)
_WINDOW_MS = const(60000)
_CHATS = const(8)  # that are counted at a time


class Ceiling:
    """Counts by chat, and by minutes that begin with a chat's first message."""

    def __init__(self):
        # [chat id, begin of the minute, messages in it, the last one's update], the newest last
        self._counts: list = []

    def admits(self, msg):
        """True while the group has not reached the ceiling; whatever is no group has none."""
        if msg.chat_type == "private":
            return True
        entry = self._entry(msg.chat_id, ticks_ms())
        if entry[3] != msg.update_id:  # not one that had no room and comes again
            entry[3] = msg.update_id
            entry[2] += 1
            if entry[2] == _A_MINUTE + 1:
                told = " messages in a minute in chat "
                log("access", "over ", _A_MINUTE, told, msg.chat_id, ": no answers")
        return entry[2] <= _A_MINUTE

    def _entry(self, chat_id, now):
        counts = self._counts
        for entry in counts:
            if entry[0] == chat_id:
                if 0 <= ticks_diff(now, entry[1]) < _WINDOW_MS:
                    return entry
                counts.remove(entry)
                break
        if len(counts) == _CHATS:
            counts.pop(0)
        counts.append([chat_id, now, 0, None])
        return counts[-1]
