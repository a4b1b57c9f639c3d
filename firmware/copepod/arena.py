"""The one large buffer: the text being read or sent. Memory: 12,320 B, made first, while the heap is in one piece.

4,096 characters of up to 3 bytes, and a little room for the formatter to look ahead. The config is read through
it, too, before any text comes. Where RAM is short and a bot.py has handlers, prepare.py takes
from it what they leave too little of: it is not smaller than 4,128 B.

While modules are loaded the heap is collected every 2 KiB: what loading leaves behind would else lie between what
stays, and a heap of 80 KiB would have no room for the larger tables. The config's own setting takes over.
"""

import gc

from micropython import const

_LEAST_B = const(4128)

gc.threshold(2048)
buffer = bytearray(12320)


def make_room(missing_b):
    """Give back `missing_b` bytes of the buffer, which nobody uses yet, but keep what 4,096 ASCII characters take."""
    global buffer
    size_b = max(len(buffer) - missing_b, _LEAST_B)
    buffer = None
    gc.collect()  # the smaller one takes the place of the larger
    buffer = bytearray(size_b)
