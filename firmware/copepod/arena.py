"""The one large buffer: the text being read or sent. Memory: 12,320 B, made first, while the heap is in one piece.

4,096 characters of up to 3 bytes, and a little room for the formatter to look ahead. The config is read through
it, too, before any text comes.

While modules are loaded the heap is collected every 2 KiB: what loading leaves behind would else lie between what
stays, and a heap of 80 KiB would have no room for the larger tables. The config's own setting takes over.
"""

import gc

gc.threshold(2048)
buffer = bytearray(12320)
