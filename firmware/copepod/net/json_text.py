"""Text from bytes that are no good UTF-8 or too long. Memory: loaded when the first one comes.

Telegram sends neither: it escapes whatever is not ASCII and knows the limits of its texts. A server
or a proxy may, and MicroPython's str() lets some malformed sequences pass.
"""


def text(buf, start, end, units, cut):
    """The str of buf[start:end] within so many UTF-16 units, U+FFFD for each byte that is malformed.

    `cut`: the bytes were cut off somewhere, so that a character at their end may be unfinished.
    """
    view = memoryview(buf)
    kept = ""
    while start < end and units > 0:
        stop, units = _good(buf, start, end, units)
        kept += str(view[start:stop], "utf8")
        if stop < end and units > 0:
            if cut and end - stop < 4:
                break
            kept += "\ufffd"
            units -= 1
        start = stop + 1
    return kept


def mended(buf, end, units, cut):
    """Make buf[:end] good UTF-8 within so many UTF-16 units, as text() does but in place; returns its end."""
    view = memoryview(buf)
    room = min(3 * units, len(buf))
    start = 0
    while start < end and units > 0:
        start, units = _good(buf, start, end, units)
        if start < end and units > 0:
            if cut and end - start < 4:
                break
            last = end + 2
            if last > room:
                cut = True
                last = room
            if last < start + 3:
                break
            view[start + 3 : last] = view[start + 1 : last - 2]
            view[start : start + 3] = b"\xef\xbf\xbd"
            end = last
            start += 3
            units -= 1
    return start


def _good(buf, i, end, units):
    # Where the well-formed characters from i end, and the units that are left (-1: none, and more would come).
    while i < end:
        c = buf[i]
        k = 1
        if c > 127:
            k = 2 if 0xC2 <= c < 0xE0 else 3 if 0xE0 <= c < 0xF0 else 4 if 0xF0 <= c < 0xF5 else 0
            if not k or i + k > end:
                break
            d = buf[i + 1]
            low = 0xA0 if c == 0xE0 else 0x90 if c == 0xF0 else 0x80
            if not low <= d < (0xA0 if c == 0xED else 0x90 if c == 0xF4 else 0xC0):
                break
            if k > 2 and buf[i + 2] & 0xC0 != 0x80 or k > 3 and buf[i + 3] & 0xC0 != 0x80:
                break
        if units < 1 + (k > 3):
            return i, -1
        units -= 1 + (k > 3)
        i += k
    return i, units
