"""What must outlive a crash: the last update answered, what was worked on, crash count, last error.

Memory: 128 B. The record is one bytearray that a port keeps somewhere durable (RTC memory, a file)
and hands back at the next start. It has five areas, each with a check of its own, because what comes back
may be anything: RTC memory is noise after power-on, and a reset can fall into a write.

    0  last answered update: id u64, bot id u64, check u16
    18 crash count u8, running u8, check u16
    22 update that a handler works on: id u64, how often it was begun u8, check u16
    33 last error: length u8, UTF-8 text, check u16 at 110 (see last_error.py)
    112 what is worked on side by side, check u16 at 126 (see telegram/kept_offsets.py)
"""

from struct import pack_into, unpack_from
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

SIZE_B = const(128)
_ID_B = const(16)
_COUNT = const(18)
_WORK = const(22)
_BEGUN = const(30)
_WORK_CHECK = const(31)
_TIMES_MAX = const(2)  # so often an update may bring the process down
_STEADY_MS = const(600000)

data = bytearray(SIZE_B)
endings: list = []  # called before a planned restart and when the gateway ends: what must be kept is written then
_save = None  # called with the record after every change; raises OSError when it can't be kept
_steady_at = None


def begin(found, save):
    """Take over `found`, what the port kept (bytes, any size); keep changes with `save(data)`."""
    global _save
    _save = save
    if len(found) == SIZE_B:
        data[:] = found
    if not good(_COUNT, _COUNT + 2, _COUNT + 2):
        crashes_store(0, False)


def _check(start, end):
    # 16 bits, all small ints; seeded, so that zeros are no valid record.
    check = 0x6370
    while start < end:
        check = (check * 31 + data[start]) & 0xFFFF
        start += 1
    return check


def good(start, end, at):
    """Return whether data[start:end] is what was checked last, by the check that stands at `at`."""
    return _check(start, end) == data[at] | data[at + 1] << 8


def close(start, end, at):
    """Write the check of data[start:end] to `at`, and have the port keep the record."""
    check = _check(start, end)
    data[at] = check & 0xFF
    data[at + 1] = check >> 8
    if _save:
        _save(data)


def last_id_load(bot_id=0):
    """Return the id of the last update that bot `bot_id` answered, or None."""
    update_id, bot = unpack_from("<QQ", data, 0)
    if good(0, _ID_B, _ID_B) and bot == bot_id:
        return update_id
    return None


def last_id_store(update_id, bot_id=0):
    """Keep `update_id` as answered by bot `bot_id` (its token starts so). Allocates nothing."""
    pack_into("<QQ", data, 0, update_id, bot_id)
    data[_BEGUN] = 0  # no handler is at work any more
    close(0, _ID_B, _ID_B)


def work_begin(update_id):
    """A bot's handler begins to work on `update_id`. True when it has done so twice, and never came to an end.

    Keeps that it begins, and how often; last_id_store() makes it past. Allocates nothing.
    """
    times = 0
    if good(_WORK, _WORK_CHECK, _WORK_CHECK) and unpack_from("<QB", data, _WORK)[0] == update_id:
        times = data[_BEGUN]
    if times >= _TIMES_MAX:
        return True
    pack_into("<QB", data, _WORK, update_id, times + 1)
    try:
        close(_WORK, _WORK_CHECK, _WORK_CHECK)
    except OSError:
        pass  # it can't be kept; the answer matters more
    return False


def crashes_load():
    """Return the number of crashes in a row."""
    return data[_COUNT]


def running():
    """Return whether the last run began and never said that it ended."""
    return bool(data[_COUNT + 1])


def crashes_store(count, is_running):
    """Keep the number of crashes in a row, and whether the gateway is running now."""
    data[_COUNT] = min(count, 255)
    data[_COUNT + 1] = is_running
    close(_COUNT, _COUNT + 2, _COUNT + 2)


def alive():
    """Note that the gateway is running well; ten minutes of it set the crash count to 0."""
    global _steady_at
    if _steady_at is None:
        _steady_at = ticks_add(ticks_ms(), _STEADY_MS)
    elif data[_COUNT] and ticks_diff(ticks_ms(), _steady_at) >= 0:
        crashes_store(0, True)
