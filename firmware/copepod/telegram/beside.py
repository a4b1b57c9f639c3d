"""Begins to keep what is answered beside an update that is open: see kept_offsets.py. Memory: dropped after it."""

from micropython import const

from copepod.once import forget
from copepod.platform import record
from copepod.telegram.kept_offsets import KeptOffsets

_TIMES = const(30)  # place in the record: how often the handler that is at work was begun, see record.work_begin()


def keep(channel, update_id):
    """Keep what is answered beside `update_id`; False when nothing should be: it was at work in a crash."""
    offsets = channel.offsets
    if isinstance(offsets, KeptOffsets):
        return not offsets.begun_twice(update_id)
    try:
        offsets = KeptOffsets(channel, offsets)
        offsets.begun[update_id] = record.data[_TIMES]
        if offsets.begun_twice(update_id):
            return False
        offsets.write()
        channel.offsets = offsets
        return True
    finally:
        _drop(channel)


def load(channel):
    """Go on with what the record says: called once, after start."""
    forget("copepod.telegram.beside")
    offsets = KeptOffsets(channel, channel.offsets)
    if offsets.read():
        channel.offsets = offsets
    _drop(channel)


def _drop(channel):
    # It is loaded while there is one.
    if not isinstance(channel.offsets, KeptOffsets):
        forget("copepod.telegram.kept_offsets")
