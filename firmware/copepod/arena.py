"""The one large buffer: the text being read or sent. Memory: 12,320 B, made first, while the heap is in one piece.

4,096 characters of up to 3 bytes, and a little room for the formatter to look ahead. The config is read through
it, too, before any text comes.
"""

buffer = bytearray(12320)
