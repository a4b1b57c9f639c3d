"""Which edits change a text. Memory: 12 small numbers; made only for a bot that has a handler of edits.

Telegram sends an edited message also for what nobody has written: a link's preview that came later,
a hidden edit, a reaction.
"""

from binascii import crc32

from micropython import const

_KEPT = const(16)  # messages whose text is remembered


class Edits:
    """Remembers the last texts by a checksum of each."""

    def __init__(self):
        self._seen: list = []  # (chat id, message id, checksum, update id), the newest last

    def news(self, msg):
        """False for an edit that leaves the text as it was. Call it for new messages, too, to have them known.

        A message that is not remembered counts as changed.
        """
        if msg.kind != "message" and msg.kind != "edited":
            return True
        if msg.buffer is not None:
            sum_ = crc32(memoryview(msg.buffer.data)[: msg.buffer.size_b])
        else:
            sum_ = crc32(msg.text.encode())
        seen = self._seen
        for entry in seen:
            if entry[0] == msg.chat_id and entry[1] == msg.message_id:
                if entry[3] == msg.update_id:  # it had no room and comes again
                    return True
                if entry[2] == sum_ and msg.kind == "edited":
                    return False
                seen.remove(entry)
                break
        if len(seen) == _KEPT:
            seen.pop(0)
        seen.append((msg.chat_id, msg.message_id, sum_, msg.update_id))
        return True
