"""The one large buffer: the text being read or sent. Memory: 12,544 B, made first, while the heap is in one piece.

4,096 characters of up to 3 bytes, and room for what the formatter adds. The config is read through
it, too, before any text comes.
"""

buffer = bytearray(12544)
