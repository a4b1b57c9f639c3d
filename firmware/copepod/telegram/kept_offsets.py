"""What was answered, and begun, beside an update that is still open, kept in the record. Memory: see parallel.py.

Telegram's one offset can't pass a handler that waits in a lane, so whatever others were told since would be told them
again after a crash; and the record has one place for an update that is being worked on. While updates are
worked on side by side both stand in 16 bytes more:

    112 id of the oldest update that is open u32, the bot's id u8
    117 a bit for each of the 40 from there on: answered
    122 four that were begun: how far from there u6, how often u2
    126 check u16
"""

from struct import pack_into, unpack_from

from micropython import const

from copepod.once import forget
from copepod.platform import record
from copepod.telegram.offsets import Offsets

_AT = const(112)
_BOT = const(116)
_BITS = const(117)
_BEGUN_AT = const(122)
_BEGUN_END = const(126)
_SPAN = const(40)  # updates from the oldest one on; a newer one waits on the server
_TWICE = const(2)  # so often an update may bring the process down, see record.py


class KeptOffsets(Offsets):
    """Offsets in whose place it is until none is open. `early`: ids that a run before has answered."""

    def __init__(self, channel, before):
        self.answered = before.answered
        self.next = before.next
        self.open = before.open
        self._ids = before._ids
        self._done = before._done
        self.early: list = []
        self.begun: dict = {}  # update id -> how often
        self._channel = channel

    def known(self, update_id):
        """As of Offsets; what is too far from the oldest comes again later, too."""
        if super().known(update_id):
            return True
        if update_id in self.early:
            self.early.remove(update_id)
            self._channel.finished(update_id)
            return True
        return len(self._ids) > 0 and update_id - self._ids[0] >= _SPAN

    def done(self, update_id):
        """As of Offsets."""
        moved = super().done(update_id)
        if self._ids or self._waits():
            self.write()
        else:
            self._end()
        return moved

    def work_begin(self, update_id):
        """As record.work_begin()."""
        if self.begun_twice(update_id):
            return True
        self.begun[update_id] = self.begun.get(update_id, 0) + 1
        self.write()
        return False

    def begun_twice(self, update_id):
        """Whether that is so of the update."""
        return self.begun.get(update_id, 0) >= _TWICE

    def read(self):
        """Take over what the record has; False: it is another bot's."""
        data = record.data
        if data[_BOT] != self._channel.api.reader.bot_id & 0xFF:
            return False
        first = unpack_from("<I", data, _AT)[0]
        for far in range(_SPAN):
            if data[_BITS + far // 8] >> far % 8 & 1:
                self.early.append(first + far)
        for at in range(_BEGUN_AT, _BEGUN_END):
            if data[at]:
                self.begun[first + (data[at] >> 2)] = data[at] & 3
        return True

    def _waits(self):
        # Whether an update that a run before has known is still to come again.
        for update_id in self.early:
            if self.answered is None or update_id > self.answered:
                return True
        return False

    def write(self):
        """Put all of it into the record."""
        ids = self._ids
        data = record.data
        first = min(ids or self.early or self.begun)
        pack_into("<I", data, _AT, first & 0xFFFFFFFF)
        data[_BOT] = self._channel.api.reader.bot_id & 0xFF
        for at in range(_BITS, _BEGUN_END):
            data[at] = 0
        at = 0
        for update_id in ids:
            if self._done[at]:
                _mark(data, update_id - first)
                self.begun.pop(update_id, None)
            at += 1
        for update_id in self.early:
            _mark(data, update_id - first)
        at = _BEGUN_AT
        for update_id in list(self.begun):
            far = update_id - first
            if far < 0:
                del self.begun[update_id]
            elif far < _SPAN and at < _BEGUN_END:
                data[at] = far << 2 | self.begun[update_id]
                at += 1
        try:
            record.close(_AT, _BEGUN_END, _BEGUN_END)
        except OSError:
            pass  # it can't be kept; the answer matters more

    def _end(self):
        # Nothing is open: the plain ones do, and the record is closed with the last answered id.
        record.data[_AT:] = bytes(len(record.data) - _AT)
        plain = Offsets()
        plain.answered = self.answered
        plain.next = self.next
        self._channel.offsets = plain
        forget("copepod.telegram.kept_offsets")


def _mark(data, far):
    if 0 <= far < _SPAN:
        data[_BITS + far // 8] |= 1 << far % 8
