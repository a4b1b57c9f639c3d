"""Begins to keep what is answered beside an update that is open: see kept_offsets.py. Memory: dropped after it."""

from struct import unpack_from

from micropython import const

from copepod.once import forget
from copepod.platform import record
from copepod.telegram.kept_offsets import KeptOffsets

# Places in the record: see kept_offsets.py.
_AT = const(112)
_BOT = const(116)
_BITS = const(117)
_BEGUN = const(122)
_BEGUN_END = const(126)
_SPAN = const(40)
# And in record.py.
_TIMES_MAX = const(2)
_WORK = const(22)
_WORK_TIMES = const(30)
_WORK_CHECK = const(31)


def keep(channel, update_id):
    """Keep what is answered beside `update_id`; False when nothing should be: it was at work in a crash."""
    offsets = channel.offsets
    if isinstance(offsets, KeptOffsets):
        return offsets.begun.get(update_id, 0) < _TIMES_MAX
    try:
        times = _noted(update_id)
        if times >= _TIMES_MAX:
            return False
        offsets = KeptOffsets(channel, offsets)
        offsets.begun[update_id] = times
        offsets.write()
        channel.offsets = offsets
        return True
    finally:
        if not isinstance(channel.offsets, KeptOffsets):
            forget("copepod.telegram.kept_offsets")  # it is loaded while there is one


def load(channel):
    """Go on with what the record says: called once, after start."""
    forget("copepod.telegram.beside")
    data = record.data
    if data[_BOT] != channel.api.reader.bot_id & 0xFF:
        forget("copepod.telegram.kept_offsets")
        return
    first = unpack_from("<I", data, _AT)[0]
    offsets = KeptOffsets(channel, channel.offsets)
    for far in range(_SPAN):
        if data[_BITS + far // 8] >> far % 8 & 1:
            offsets.early.append(first + far)
    for at in range(_BEGUN, _BEGUN_END):
        if data[at]:
            offsets.begun[first + (data[at] >> 2)] = data[at] & 3
    channel.offsets = offsets


def _noted(update_id):
    # How often it was begun, by record.work_begin().
    if (
        record.good(_WORK, _WORK_CHECK, _WORK_CHECK)
        and unpack_from("<Q", record.data, _WORK)[0] == update_id
    ):
        return record.data[_WORK_TIMES]
    return 0
